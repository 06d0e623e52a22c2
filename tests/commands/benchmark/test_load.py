from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.ui.conftest import address

__all__ = ["address"]


@pytest.mark.slow
def test_quick_load_is_measured_phase_by_phase(run, address):
    # in a thread of its own: an earlier browser test may have left an event loop running in this one
    with ThreadPoolExecutor(1) as pool:
        found = pool.submit(run, "benchmark", "load", "--url", address, "--quick", "--json", "-").result().json
    for phase in ("steady", "rush", "in_turn"):
        assert found[phase]["answers"] > 0
        assert (found[phase]["errors"], found[phase]["wrong_sessions"]) == (0, 0)
    assert found["rush"]["visitors"] == 16
    assert found["in_turn"]["visitors"] == 20
    assert found["start_s"] is None, "it was there already"
    assert {"recovery_s", "hardware", "date", "command", "revision", "plan"} <= set(found)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--url", "http://example.org"], "is not on this machine"),
        (["--visitors", "0"], "see python -m m2rec benchmark"),
        (["--visitors", "100000"], "see python -m m2rec benchmark"),
        (["--minutes", "600"], "see python -m m2rec benchmark"),
    ],
)
def test_load_outside_the_limits_is_refused(run, options, said):
    result = run("benchmark", "load", *options)
    assert result.code == 2
    assert said in result.err
