from pathlib import Path

import pytest

from m2rec.ui.render.templating import pieces
from tests.places import ROOT

TEMPLATES = sorted((ROOT / "m2rec" / "ui" / "templates").rglob("*.j2"))


@pytest.mark.parametrize("template", TEMPLATES, ids=lambda path: path.name)
def test_every_template_escapes_every_value(template: Path) -> None:
    text = template.read_text(encoding="utf-8")
    assert "autoescape" not in text
    assert "| safe" not in text
    assert "|safe" not in text


def test_what_is_typed_is_not_taken_for_a_place_to_fill_in() -> None:
    typed = "a\0b%(at)d {{ place }} <i>"
    around = pieces("answer/card.html.j2", item_id=typed, title=typed, group="", move=None)
    usual = pieces("answer/card.html.j2", item_id="a", title="b", group="", move=None)
    assert len(around) == len(usual) == 11
    assert "<i>" not in "".join(around)
