from importlib.resources import files

import pytest

TEMPLATES = [path for path in files("m2rec.ui").joinpath("templates").iterdir() if path.name.endswith(".j2")]


@pytest.mark.parametrize("template", TEMPLATES, ids=lambda path: path.name)
def test_every_template_escapes_every_value(template: object) -> None:
    text = template.read_text(encoding="utf-8")  # type: ignore[attr-defined]
    assert "autoescape" not in text
    assert "| safe" not in text
    assert "|safe" not in text
