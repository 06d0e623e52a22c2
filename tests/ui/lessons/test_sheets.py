"""Teachers' sheets: those that are committed are what the command writes."""

import re
from pathlib import Path

import httpx
import pytest

from m2rec.commands.app import main
from m2rec.ui.lessons import lesson, lessons
from m2rec.ui.lessons.sheets import sheet
from m2rec.ui.session.worlds import Worlds
from tests.places import CHECKPOINTS

COMMITTED = CHECKPOINTS.parent / "assets" / "lessons"


@pytest.mark.slow
def test_the_command_writes_the_sheets_that_are_committed(tmp_path: Path) -> None:
    assert main(["lessons", "--out", str(tmp_path)]) == 0
    written = {path.name: path.read_text(encoding="utf-8") for path in tmp_path.iterdir()}
    assert set(written) == {f"{one.id}.html" for one in lessons()}
    assert written == {path.name: path.read_text(encoding="utf-8") for path in COMMITTED.iterdir()}


def test_a_sheet_holds_aim_steps_question_and_answers_and_needs_no_other_file(worlds: Worlds) -> None:
    for one in lessons():
        if one.world:
            continue
        html = sheet(worlds, one)
        for text in (one.aim, one.question, one.act, f"?lesson={one.id}"):
            assert text in html.replace("&#39;", "'")
        assert "✓" in html
        assert "{" not in re.sub(r"<style>.*?</style>", "", html, flags=re.S)
        assert not re.search(r"""(src|href)=|url\(|@import""", html)
        assert "@media print" in html


def test_a_sheet_marks_the_answers_that_this_model_gives(worlds: Worlds) -> None:
    html = sheet(worlds, lesson("noise"))
    assert len(re.findall("<li>✓", html)) == 1
    assert len(re.findall("<li>✗", html)) == 2


def test_the_page_has_each_sheet_at_an_address_of_its_own(address: str) -> None:
    found = httpx.get(f"{address}sheets/period")
    assert found.status_code == 200
    assert lesson("period").aim in found.text
    assert "there are period" in httpx.get(f"{address}sheets/cooking").json()["error"]
