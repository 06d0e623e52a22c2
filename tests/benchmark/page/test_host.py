import pytest

from m2rec.benchmark.page.host import memory, running_host
from m2rec.errors import InputError


@pytest.mark.parametrize(
    "url",
    [
        "http://example.org",
        "http://10.0.0.1:7860",
        "http://127.0.0.1.example.org",
        "https://127.0.0.1:7860",
        "http://user@example.org",
        "http://0.0.0.0:7860",
        "file:///etc/passwd",
        "127.0.0.1",
        "",
    ],
)
def test_load_is_sent_only_to_this_machine(url: str) -> None:
    with pytest.raises(InputError, match="is not on this machine"):
        running_host(url)


@pytest.mark.parametrize("url", ["http://127.0.0.1:1/", "http://localhost:1", "http://[::1]:1"])
def test_every_loopback_name_is_accepted(url: str) -> None:
    host = running_host(url)
    assert host.url == url.rstrip("/")
    assert host.memory_mib() is None


def test_growth_compares_the_last_fifth_with_the_first() -> None:
    held = memory([100.0, 100.0, 130.0, 90.0, 90.0, 90.0, 90.0, 90.0, 104.0, 106.0])
    assert held is not None
    assert (held.first_mib, held.last_mib, held.most_mib, held.growth) == (100.0, 105.0, 130.0, 0.05)
    assert memory([]) is None
    alone = memory([5.0])
    assert alone is not None
    assert alone.growth == 0
