"""What answering needs, and what it does without."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from m2rec.recommend.engine import Engine
from m2rec.recommend.recommender import Recommender
from tests.tiny_world import tiny_checkpoint

ASKED = """
import sys
from m2rec.recommend.explain.calendar import calendar_of
from m2rec.recommend.recommender import Recommender
world = Recommender.from_pretrained(sys.argv[1])
history = ["i00", "i08", "i16", "i21"] * 6
world.recommend(history, exclude_seen=True, band_mask=[(2, 4)], gate_override={"semantic": 1.0})
world.start(history).add("i05")
world.influence(history, "i03")
world.search("coffee")
assert calendar_of(world, history, list(range(0, 72, 3)))
print(sorted({"torch", "scipy", "pandas", "pyarrow", "plotly", "sentence_transformers"} & set(sys.modules)))
"""


def test_all_answers_are_given_without_pytorch_scipy_or_pandas(tiny_world: Path) -> None:
    done = subprocess.run([sys.executable, "-c", ASKED, str(tiny_world)], capture_output=True, text=True, check=False)
    assert done.stdout == "[]\n", done.stderr


def test_the_network_in_pytorch_is_made_when_it_is_asked_for(shop: Recommender) -> None:
    engine = Engine(tiny_checkpoint())
    assert "model" not in vars(engine)
    np.testing.assert_array_equal(engine.model.text.numpy(), engine.checkpoint.weights["text"])
    assert engine.model is engine.model


@pytest.mark.parametrize("changes", [{}, {"frequency": "spectral"}, {"semantic": "themes"}, {"temporal_layers": 2}])
def test_going_on_from_a_beginning_that_was_read_changes_no_answer(changes: dict[str, object]) -> None:
    history = ["i00", "i08", "7", "i16", "i08", "i21"] * 4
    used, fresh = Engine(tiny_checkpoint(**changes)), Engine(tiny_checkpoint(**changes))
    for end in (3, 10, len(history)):
        found = used.recommend(history[:end], k=50)
    expected = fresh.recommend(history, k=50)
    assert [item.item_id for item in found.items] == [item.item_id for item in expected.items]
    for mine, theirs in zip(found.items, expected.items, strict=True):
        assert mine.contributions == pytest.approx(theirs.contributions, rel=1e-4, abs=1e-7)
    np.testing.assert_allclose(
        [list(row.values()) for row in found.gate_history], [list(row.values()) for row in expected.gate_history], 1e-4
    )
    assert found.spectrum is not None
    assert expected.spectrum is not None
    assert found.spectrum.power == expected.spectrum.power
