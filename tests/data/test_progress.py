import time

import pytest

from m2rec.data import progress as module
from m2rec.data.progress import progress

HIDE, SHOW = "\x1b[?25l", "\x1b[?25h"  # the cursor


@pytest.fixture
def terminal(monkeypatch, capsys):
    """Standard error looks like a terminal, and no patience is asked for; returns what waits for a text to appear."""
    monkeypatch.setattr(module, "PATIENCE", 0)
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("TERM", "xterm")

    def wait_for(text: str) -> str:
        shown, end = "", time.monotonic() + 5
        while text not in shown and time.monotonic() < end:
            time.sleep(0.01)
            shown += capsys.readouterr().err
        return shown

    return wait_for


def test_quick_work_is_silent(monkeypatch, capsys):
    monkeypatch.setenv("FORCE_COLOR", "1")
    with progress("Reading", total=2) as advance:
        advance(2)
    assert capsys.readouterr() == ("", "")


def test_a_log_file_gets_no_bar(monkeypatch, capsys):
    monkeypatch.setattr(module, "PATIENCE", 0)
    monkeypatch.delenv("FORCE_COLOR", raising=False)
    with progress("Reading", total=2) as advance:
        time.sleep(0.05)
        advance(2)
    assert capsys.readouterr() == ("", "")


@pytest.mark.parametrize(("total", "in_bytes", "shown"), [(4, False, "2/4"), (4096, True, "kB"), (None, False, "2/?")])
def test_slow_work_shows_how_far_it_is(terminal, total, in_bytes, shown):
    with progress("Reading", total, in_bytes=in_bytes) as advance:
        advance(2)
        assert shown in terminal(shown)


def test_the_bar_appears_before_the_first_step_is_done(terminal):
    with progress("Reading", total=2):
        assert "0/2" in terminal("0/2")


def test_a_bar_is_removed_when_the_work_fails(terminal):
    def fail():
        with progress("Reading", total=2):
            assert HIDE in terminal(HIDE)
            raise KeyError

    with pytest.raises(KeyError):
        fail()
    assert SHOW in terminal(SHOW)
