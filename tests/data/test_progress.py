import pytest

from m2rec.data import progress as module
from m2rec.data.progress import progress


def test_quick_work_is_silent(capsys):
    with progress("Reading", total=2) as advance:
        advance(2)
    assert capsys.readouterr() == ("", "")


@pytest.mark.parametrize(("total", "in_bytes", "shown"), [(4, False, "2/4"), (4096, True, "kB"), (None, False, "2/?")])
def test_slow_work_shows_how_far_it_is(monkeypatch, capsys, total, in_bytes, shown):
    monkeypatch.setattr(module, "PATIENCE", -1)
    monkeypatch.setenv("FORCE_COLOR", "1")
    with progress("Reading", total, in_bytes=in_bytes) as advance:
        advance(2)
    out, err = capsys.readouterr()
    assert out == ""
    assert "Reading" in err
    assert shown in err


def test_a_bar_is_taken_down_when_the_work_fails(monkeypatch, capsys):
    monkeypatch.setattr(module, "PATIENCE", -1)
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("TERM", "xterm")

    def fail():
        with progress("Reading", total=2) as advance:
            advance(1)
            raise KeyError

    with pytest.raises(KeyError):
        fail()
    hide, show = "\x1b[?25l", "\x1b[?25h"
    err = capsys.readouterr().err
    assert 0 <= err.find(hide) < err.rfind(show)  # the cursor is back
