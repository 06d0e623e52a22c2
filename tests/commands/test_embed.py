import json

import numpy as np
import pytest
from safetensors import safe_open

from tests.commands.conftest import GOODS, LetterEncoder


def test_every_text_is_read(run, shop):
    summary = run("embed", shop.settings, "--json", "-").json
    assert summary["items"] == len(GOODS)
    assert summary["without_text"] == 0
    assert summary["width"] == 384


def test_the_vectors_can_be_written_to_a_file(run, shop, tmp_path):
    assert run("embed", shop.settings, "--out", tmp_path / "vectors.safetensors").code == 0
    with safe_open(tmp_path / "vectors.safetensors", framework="np") as file:
        vectors, ids = file.get_tensor("vectors"), json.loads(file.metadata()["items"])
    assert ids == [f"g{number}" for number in range(len(GOODS))]
    assert np.allclose(vectors[3], LetterEncoder().encode(["soap for the kitchen"])[0])


def test_the_nearest_in_meaning_come_first(run, shop):
    found = run("embed", shop.settings, "--like", "cheese for the kitchen", "-k", "3", "--json", "-").json["nearest"]
    assert found[0]["title"] == "Cheese"
    assert found[0]["cosine"] == pytest.approx(1)
    assert len(found) == 3
    assert found[0]["cosine"] >= found[1]["cosine"] >= found[2]["cosine"]


def test_texts_are_encoded_only_once(run, shop, monkeypatch):
    run("embed", shop.settings)

    def absent():
        raise AssertionError("the language model was loaded again")

    monkeypatch.setattr("m2rec.data.text.load_minilm", absent)
    assert run("embed", shop.settings).code == 0


@pytest.mark.parametrize("text", ["", "  ", "\u200b"])
def test_nothing_is_similar_to_no_words(run, shop, text):
    result = run("embed", shop.settings, "--like", text)
    assert (result.code, result.out) == (2, "")
    assert "--like has no words" in result.err
