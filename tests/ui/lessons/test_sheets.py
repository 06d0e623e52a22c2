"""The sheets for teachers: the committed ones are those that the command writes."""

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
def test_the_committed_sheets_are_those_of_the_command(tmp_path: Path) -> None:
    assert main(["lessons", "--out", str(tmp_path)]) == 0
    written = {path.name: path.read_text(encoding="utf-8") for path in tmp_path.iterdir()}
    assert set(written) == {f"{one.id}.html" for one in lessons()}
    assert written == {path.name: path.read_text(encoding="utf-8") for path in COMMITTED.iterdir()}


def test_a_sheet_is_self_contained_with_aim_steps_question_and_answers(worlds: Worlds) -> None:
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


def test_a_sheet_marks_the_answers_of_this_model(worlds: Worlds) -> None:
    html = sheet(worlds, lesson("noise"))
    assert len(re.findall("<li>✓", html)) == 1
    assert len(re.findall("<li>✗", html)) == 2


def test_each_sheet_has_an_address_on_the_page(address: str) -> None:
    found = httpx.get(f"{address}sheets/period")
    assert found.status_code == 200
    assert lesson("period").aim in found.text
    assert "there are period" in httpx.get(f"{address}sheets/cooking").json()["error"]
