"""A test that is skipped in CI checks nothing, so it must not look like one that passed."""

from pathlib import Path

import pytest

TESTS = """
import pytest

def test_runs():
    pass

@pytest.mark.skip(reason="{reason}")
def test_skipped():
    pass
"""


@pytest.fixture
def run(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch):
    def start(reason: str, ci: str, without_data: str = "", options: tuple[str, ...] = ()) -> pytest.RunResult:
        monkeypatch.setenv("CI", ci)
        monkeypatch.setenv("M2REC_WITHOUT_DATA", without_data)
        pytester.makeconftest(Path(__file__).with_name("conftest.py").read_text(encoding="utf-8"))
        pytester.makepyfile(TESTS.format(reason=reason))
        return pytester.runpytest_inprocess("-p", "no:cacheprovider", *options)

    return start


def test_a_skip_fails_the_run_in_ci(run):
    result = run("needs a browser", ci="true")
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    result.stdout.fnmatch_lines(["*test_skipped: Skipped: needs a browser*"])


@pytest.mark.slow
def test_a_skip_on_one_of_two_workers_fails_the_run_in_ci(run):
    assert run("needs a browser", ci="true", options=("-n", "2")).ret == pytest.ExitCode.TESTS_FAILED
    assert run("needs a GPU", ci="true", options=("-n", "2")).ret == pytest.ExitCode.OK


def test_a_skip_for_a_missing_gpu_passes_in_ci(run):
    assert run("needs a GPU", ci="true").ret == pytest.ExitCode.OK


def test_a_skip_for_missing_data_passes_only_if_ci_says_that_it_has_none(run):
    assert run("needs the real data", ci="true").ret == pytest.ExitCode.TESTS_FAILED
    assert run("needs the real data", ci="true", without_data="1").ret == pytest.ExitCode.OK
    assert run("needs a browser", ci="true", without_data="1").ret == pytest.ExitCode.TESTS_FAILED


def test_a_skip_passes_on_a_users_machine(run):
    assert run("needs a browser", ci="").ret == pytest.ExitCode.OK


def test_a_skipped_file_fails_the_run_in_ci(run, pytester):
    pytester.makepyfile(test_other="import pytest; pytest.importorskip('no_such_module')")
    assert run("needs a GPU", ci="true").ret == pytest.ExitCode.TESTS_FAILED
