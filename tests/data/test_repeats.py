"""How ready people are to repeat, against counts worked out by hand and against a process that is known."""

import numpy as np
import pytest

from m2rec.data.prepared import Prepared
from m2rec.data.repeats import BOUND, repeat_log_odds, repeat_share
from m2rec.data.sequences import Sequences
from m2rec.data.split import Split


def made_of(histories: list[list[int]], items: int, train_end: list[int] | None = None) -> Prepared:
    """A data set whose users may be learned from up to `train_end`, whole by default."""
    sequences = Sequences.from_lists(histories)
    lengths = sequences.lengths
    end = lengths if train_end is None else np.array(train_end, dtype=np.int64)
    names = [str(item) for item in range(items)]
    learned = [event for history, last in zip(histories, end, strict=True) for event in history[:last]]
    counts = np.bincount(learned, minlength=items + 1)[1:]
    return Prepared(
        name="made up",
        sequences=sequences,
        split=Split(end, lengths, lengths, lengths, lengths),
        user_ids=[str(user) for user in range(len(histories))],
        item_ids=names,
        titles=names,
        texts=names,
        groups=names,
        warm_items=int((counts > 0).sum()),
        train_counts=counts,
        text_vectors=np.zeros((items + 1, 1), dtype=np.float32),
    )


def test_the_share_of_repeats_is_that_of_the_training_events() -> None:
    histories = [[1, 1, 2, 2], [2, 1, 2]]
    assert repeat_share(made_of(histories, items=2)) == pytest.approx(3 / 7)
    assert repeat_share(made_of(histories, items=2, train_end=[3, 1])) == pytest.approx(1 / 4)
    assert repeat_share(made_of(histories, items=2, train_end=[0, 0])) == 0


def test_log_odds_worked_out_by_hand() -> None:
    prepared = made_of([[1, 1, 2], [2, 1]], items=2)
    # targets: 1 after {1} (a repeat), 2 after {1}, 1 after {2}; shares of popularity 3/5 and 2/5
    expected = 3 / 5 + 3 / 5 + 2 / 5
    by_hand = np.log(1.5 / 2.5) - np.log((expected + 0.5) / (3 - expected + 0.5))
    assert repeat_log_odds(prepared) == pytest.approx(by_hand)


def test_only_what_may_be_learned_from_is_counted() -> None:
    whole = made_of([[1, 2, 3], [2, 1]], items=3)
    with_more = made_of([[1, 2, 3, 3, 3], [2, 1, 1], [1, 1, 1]], items=3, train_end=[3, 2, 0])
    assert repeat_log_odds(with_more) == repeat_log_odds(whole)


def test_what_was_chosen_long_ago_is_a_repeat_too() -> None:
    others = list(range(2, 400))
    repeated, new = made_of([[1, *others, 1]], items=400), made_of([[1, *others, 400]], items=400)
    assert repeat_log_odds(repeated) > repeat_log_odds(new) + 1  # of one more half, 1½ are three times as many


def test_choices_by_popularity_alone_have_no_bias() -> None:
    rng = np.random.default_rng(0)
    share = np.array([0.4, 0.3, 0.2, 0.1])
    histories = [list(rng.choice(4, size=12, p=share) + 1) for _ in range(3000)]
    assert repeat_log_odds(made_of(histories, items=4)) == pytest.approx(0.0, abs=0.03)


@pytest.mark.parametrize("bias", [-2.0, 1.5])
def test_a_known_bias_is_found_again(bias: float) -> None:
    """Every next item is drawn from popularity with the bias added where the item was chosen before."""
    rng = np.random.default_rng(1)
    items, histories = 50, []
    for _ in range(500):
        history = [int(rng.integers(items)) + 1]
        for _ in range(12):
            weight = np.ones(items)
            weight[np.array(history) - 1] = np.exp(bias)
            history.append(int(rng.choice(items, p=weight / weight.sum())) + 1)
        histories.append(history)
    assert repeat_log_odds(made_of(histories, items)) == pytest.approx(bias, abs=0.15)


def test_it_is_bounded_and_finite_without_repeats_and_with_repeats_alone() -> None:
    rng = np.random.default_rng(2)
    never = [list(rng.permutation(50)[:40] + 1) for _ in range(3000)]
    assert repeat_log_odds(made_of(never, items=50)) == -BOUND
    always = [[user % 3000 + 1] * 8 for user in range(3000)]
    assert repeat_log_odds(made_of(always, items=3000)) == BOUND


@pytest.mark.parametrize("histories", [[[1], [2]], []])
def test_without_a_history_it_is_zero(histories: list[list[int]]) -> None:
    assert repeat_log_odds(made_of(histories, items=2) if histories else made_of([[]], items=2)) == 0.0
