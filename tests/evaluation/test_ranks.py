"""Stored ranks: small, exact for every published figure, and tied to their run."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from m2rec.checkpoint import Checkpoint
from m2rec.errors import DataError
from m2rec.evaluation.metrics import METRICS, outcomes
from m2rec.evaluation.protocol import Evaluation
from m2rec.evaluation.ranks import LARGEST_CUTOFF, OF_CHECKPOINT, checkpoint_key, load_ranks, save_ranks
from tests.places import CHECKPOINTS

HALF_RANKS = arrays(np.int64, st.integers(1, 60), elements=st.integers(2, 200_000)).map(lambda twice: twice / 2)


def evaluation(ranks: np.ndarray) -> Evaluation:
    users = np.arange(len(ranks)) // 3
    masked = np.where(np.arange(len(ranks)) % 4 == 1, np.nan, np.maximum(1.0, ranks - 1))  # some are repeats
    return Evaluation(users, np.zeros_like(users), {"unmasked": ranks, "masked": masked})


@given(ranks=HALF_RANKS)
def test_stored_ranks_give_every_figure_exactly(ranks: np.ndarray, tmp_path_factory) -> None:
    path = tmp_path_factory.mktemp("ranks") / "run.npz"
    made = evaluation(ranks)
    save_ranks(path, made, "key")
    found = load_ranks(path, "key")
    assert np.array_equal(found.users, made.users)
    assert max(int(metric.partition("@")[2]) for metric in METRICS) <= LARGEST_CUTOFF
    for seen, expected in made.ranks.items():
        for metric in (*METRICS, f"NDCG@{LARGEST_CUTOFF}"):
            np.testing.assert_array_equal(outcomes(found.by_seen[seen], metric), outcomes(expected, metric))


def test_a_market_run_takes_less_than_four_tenths_of_a_megabyte(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    ranks = np.minimum(rng.geometric(0.03, 245_007), 761).astype(float)  # harder to compress than a model's ranks
    users = np.sort(rng.integers(0, 600, len(ranks)))
    made = Evaluation(
        users, users, {"unmasked": ranks, "masked": np.maximum(1.0, ranks - rng.integers(0, 9, len(ranks)))}
    )
    save_ranks(tmp_path / "run.npz", made, "key")
    assert (tmp_path / "run.npz").stat().st_size < 400_000


def test_the_ranks_of_another_run_are_refused(tmp_path: Path) -> None:
    save_ranks(tmp_path / "run.npz", evaluation(np.array([1.0, 2.5])), "one")
    with pytest.raises(DataError, match="belongs to other figures than those beside it"):
        load_ranks(tmp_path / "run.npz", "other")


@pytest.mark.parametrize("keep", [0, 40, 200])
def test_a_damaged_file_is_refused_by_name(tmp_path: Path, keep: int) -> None:
    path = tmp_path / "run.npz"
    save_ranks(path, evaluation(np.array([1.0, 2.5])), "key")
    path.write_bytes(path.read_bytes()[:keep])
    with pytest.raises(DataError, match=r"run\.npz holds no readable ranks"):
        load_ranks(path, "key")


@pytest.mark.parametrize("folder", sorted(CHECKPOINTS.iterdir()), ids=lambda folder: folder.name)
def test_the_ranks_beside_a_shipped_checkpoint_are_those_of_its_weights(folder: Path) -> None:
    config = Checkpoint.load(folder).config
    assert len(load_ranks(folder / OF_CHECKPOINT, checkpoint_key(config)).users)
