import pytest

from m2rec.benchmark.page import browser, host
from m2rec.benchmark.page import latency as page
from m2rec.benchmark.page.latency import LatencyResult

RESULTS = [
    LatencyResult("click to all panels updated, median", 120.4, "ms", 250),
    LatencyResult("server ready", 7.5, "s", 6),
]


def test_each_time_is_shown_beside_its_goal(run, monkeypatch):
    monkeypatch.setattr(page, "measure_page", lambda rounds, report: RESULTS)
    result = run("benchmark", "ui", "--rounds", 1)
    assert result.code == 0
    lines = [line for line in result.out.splitlines() if "ms" in line or "server" in line]
    assert "120 ms" in lines[0]
    assert "≤ 250 ms" in lines[0]
    assert "✓" in lines[0]
    assert "missed" in lines[1]


def test_the_figures_are_json_with_the_hardware(run, monkeypatch):
    monkeypatch.setattr(page, "measure_page", lambda rounds, report: RESULTS)
    found = run("benchmark", "ui", "--json", "-").json
    assert [(row["value"], row["met"]) for row in found["latency"]] == [(120.4, True), (7.5, False)]
    assert {"hardware", "date", "command", "revision"} <= set(found)


@pytest.mark.parametrize("command", ["ui", "pictures"])
def test_without_a_browser_the_command_says_what_to_install(run, monkeypatch, tmp_path, command):
    monkeypatch.setattr(browser.shutil, "which", lambda name: None)
    monkeypatch.setattr(host, "_answers", lambda url: True)  # no page is waited for
    arguments = ["--out", tmp_path] if command == "pictures" else []
    result = run("benchmark", command, *arguments)
    assert result.code == 2
    assert "requirements-dev.txt" in result.err


def test_pictures_need_an_existing_folder(run, tmp_path):
    result = run("benchmark", "pictures", "--out", tmp_path / "nowhere")
    assert result.code == 2
    assert "There is no folder" in result.err
