import numpy as np

from m2rec.data.cache import prepared_folder
from tests.evaluation.test_rhythms import made


def test_the_result_is_printed_and_written(run, tmp_path, monkeypatch):
    monkeypatch.setenv("M2REC_CACHE", str(tmp_path))
    rng = np.random.default_rng(0)
    people = [[(int(day), 1 + number % 2) for number, day in enumerate(np.sort(rng.choice(90, 12, replace=False)))]]
    made(people).save(prepared_folder("gift-shop"))
    found = run("data", "rhythms", "gift-shop", "--json", "-").json
    assert [row["cases"] for row in found] == [1, 1, 2, 2]
    shown = run("data", "rhythms", "gift-shop")
    assert (shown.code, shown.err) == (0, "")
    assert "Rhythms in gift-shop" in shown.out


def test_people_with_too_few_days_give_one_sentence(run, tmp_path, monkeypatch):
    monkeypatch.setenv("M2REC_CACHE", str(tmp_path))
    made([[(1, 1), (2, 2), (3, 1)]]).save(prepared_folder("gift-shop"))
    refused = run("data", "rhythms", "gift-shop")
    assert (refused.code, refused.err.count("\n")) == (2, 1)
