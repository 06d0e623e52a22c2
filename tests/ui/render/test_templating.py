from pathlib import Path

import pytest

from tests.places import ROOT

TEMPLATES = sorted((ROOT / "m2rec" / "ui" / "templates").rglob("*.j2"))


@pytest.mark.parametrize("template", TEMPLATES, ids=lambda path: path.name)
def test_every_template_escapes_every_value(template: Path) -> None:
    text = template.read_text(encoding="utf-8")
    assert "autoescape" not in text
    assert "| safe" not in text
    assert "|safe" not in text
