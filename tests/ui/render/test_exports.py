import csv
import io
import json
from dataclasses import replace

import pytest

from m2rec.recommend.answer import Answer
from m2rec.ui.render.context import PageContext, ask
from m2rec.ui.render.exports import answer_csv, export, python_snippet
from m2rec.ui.session.state import Session
from tests.ui.fake_recommender import FakeRecommender


def test_json_holds_the_whole_answer(page_context: PageContext) -> None:
    assert Answer.model_validate(json.loads(export(page_context, "json").text)) == page_context.answer


def test_csv_holds_a_row_an_item_whose_shares_add_up(page_context: PageContext) -> None:
    rows = list(csv.DictReader(io.StringIO(answer_csv(page_context))))
    assert [row["title"] for row in rows] == [item.title for item in page_context.answer.items]
    for row in rows:
        shares = sum(float(row[name]) for name in ("temporal", "frequency", "semantic"))
        assert shares == pytest.approx(float(row["probability"]), rel=1e-4)


def test_a_title_that_a_spreadsheet_would_run_is_made_inert(page_context: PageContext) -> None:
    items = [page_context.answer.items[0].model_copy(update={"title": "=1+2"})]
    assert ",'=1+2," in answer_csv(
        replace(page_context, answer=page_context.answer.model_copy(update={"items": items}))
    )


def test_the_snippet_gives_the_same_answer_again(page_context: PageContext) -> None:
    state = page_context.state.replace(
        k=3, exclude_seen=True, band_mask=((6, 8),), gate_override={"temporal": 1, "frequency": 2, "semantic": 1}
    )
    asked = replace(page_context, session=Session(state=state), answer=ask(page_context.worlds, state))
    code = python_snippet(asked).replace("from m2rec import Recommender", "")

    class Recommender:
        from_pretrained = staticmethod(lambda folder: FakeRecommender())

    names: dict = {"Recommender": Recommender, "print": lambda *_: None}
    exec(code, names)
    assert names["answer"] == asked.answer


def test_a_title_cannot_break_out_of_the_snippets_comment(page_context: PageContext) -> None:
    page_context.world.items["i00"] = replace(page_context.world.items["i00"], title="Coffee\nimport os")
    compile(python_snippet(page_context), "snippet", "exec")
    assert "\nimport os" not in python_snippet(page_context)


def test_the_snippet_brings_titles_along_where_a_checkpoint_has_numbers_only(
    page_context: PageContext, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert "titles = {" not in python_snippet(page_context)
    monkeypatch.setattr(type(page_context.world), "ships_titles", False)
    printed: list[str] = []

    class Recommender:
        from_pretrained = staticmethod(lambda folder: FakeRecommender())

    code = python_snippet(page_context).replace("from m2rec import Recommender", "")
    exec(code, {"Recommender": Recommender, "print": printed.append})
    assert [line.split("  ")[-1] for line in printed] == [item.title for item in page_context.answer.items]
