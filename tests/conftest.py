"""Fixtures for every test, and the rule that CI fails for skipped tests."""

import os
from pathlib import Path

import pytest
from hypothesis import settings

# models here are so small that a second thread only waits for the first; read when torch is imported
os.environ.setdefault("OMP_NUM_THREADS", "1")

pytest_plugins = ["pytester"]

# the same examples in every run: what fails once fails again, here and in CI
settings.register_profile("m2rec", derandomize=True, deadline=None)
settings.load_profile("m2rec")


@pytest.fixture(scope="session")
def real_data() -> Path:
    """The folder with the real data sets. Skips the test if `M2REC_DATA` does not name one."""
    folder = os.environ.get("M2REC_DATA")
    if not folder:
        pytest.skip(
            "needs the real data: set M2REC_DATA to a folder with ml-1m, ml-100k, amazon-beauty and online-retail"
        )
    return Path(folder)


@pytest.fixture(scope="session")
def tiny_world(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The checkpoint folder of a small random shop (`tests/tiny_world.py`). Read only: copy it before changing it."""
    from tests.tiny_world import save_tiny_world  # torch takes a second to import, and most tests do without

    return save_tiny_world(tmp_path_factory.mktemp("worlds") / "tiny-shop")


@pytest.fixture(autouse=True)
def own_cache(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    """No test reads or writes the user's own cache folder; text vectors are shared within a run."""
    monkeypatch.setenv("M2REC_CACHE", str(tmp_path_factory.getbasetemp() / "m2rec-cache"))


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark all tests that need a browser, a running Space or a real data set as slow."""
    for item in items:
        if {"browser", "space", "real_data"} & set(getattr(item, "fixturenames", ())):
            item.add_marker("slow")


class SkipsInCI:
    """With CI=true, skipped tests fail the run, unless they lack a GPU or, where CI says so, real data."""

    def __init__(self) -> None:
        self.unexpected: list[str] = []
        self.may_be_missing = ["GPU"]
        if os.environ.get("M2REC_WITHOUT_DATA"):  # a public machine: the data sets may not be redistributed
            self.may_be_missing.append("real data")

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Note a skipped test. Expected failures are reported as skips too, but are not noted."""
        if not hasattr(report, "wasxfail"):
            self._note(report)

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        """Note a skipped file."""
        self._note(report)

    def _note(self, report: pytest.TestReport | pytest.CollectReport) -> None:
        if report.skipped:
            reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else str(report.longrepr)
            if not any(missing in reason for missing in self.may_be_missing):
                self.unexpected.append(f"{report.nodeid}: {reason}")

    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        """Fail a run that passed only because tests were skipped."""
        if self.unexpected and session.exitstatus == pytest.ExitCode.OK:
            session.exitstatus = pytest.ExitCode.TESTS_FAILED

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        """List the skips for which the run failed."""
        if self.unexpected:
            missing = " or ".join(self.may_be_missing)
            terminalreporter.section(f"skipped, and CI may skip for missing {missing} only", red=True)
            terminalreporter.write("\n".join(self.unexpected) + "\n")


def pytest_configure(config: pytest.Config) -> None:
    """Register the check for skipped tests in CI."""
    if os.environ.get("CI") == "true":
        config.pluginmanager.register(SkipsInCI(), "skips-in-ci")
