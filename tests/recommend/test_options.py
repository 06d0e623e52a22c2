import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from m2rec.errors import InputError
from m2rec.recommend.options import MOST_ITEMS, Options, checked_k
from m2rec.recommend.validation import checked

HUGE = 10**400  # more than a float can hold

weights = st.floats(0, 1e308) | st.integers(0, 10**300)


@pytest.mark.parametrize("k", [1, 10, MOST_ITEMS])
def test_a_number_of_items_within_the_limits_is_taken(k: int) -> None:
    assert checked_k(k) == k


@pytest.mark.parametrize("k", [0, -1, MOST_ITEMS + 1, HUGE, 2.0, "3", "k" * 10**6, None, True, math.nan, [1]])
def test_any_other_number_of_items_is_refused_with_the_limits(k: Any) -> None:
    with pytest.raises(InputError, match="a whole number from 1 to 50") as error:
        checked_k(k)
    assert len(str(error.value)) < 150


def override(weights: Any) -> dict[str, float] | None:
    return checked(Options, {"gate_override": weights}).gate_override


def bands(mask: Any) -> list[tuple[float, float]] | None:
    return checked(Options, {"band_mask": mask}).band_mask


@given(st.tuples(weights, weights, weights).filter(any))
def test_gate_weights_are_normalised_whatever_their_size(values: tuple[float, float, float]) -> None:
    temporal, frequency, semantic = values
    result = override({"semantic": semantic, "temporal": temporal, "frequency": frequency})
    assert result is not None
    assert math.isclose(sum(result.values()), 1, rel_tol=1e-9)
    largest = max(values)
    shares = [value / largest for value in values]
    for got, share in zip(result.values(), shares, strict=True):
        assert math.isclose(got, share / sum(shares), rel_tol=1e-5, abs_tol=1e-6)


def test_a_branch_that_an_override_does_not_name_weighs_nothing() -> None:
    assert override({"frequency": 3}) == {"temporal": 0.0, "frequency": 1.0, "semantic": 0.0}


@pytest.mark.parametrize("weights", [None, {}])
def test_no_override_is_no_override(weights: Any) -> None:
    assert override(weights) is None


@pytest.mark.parametrize(
    "weights",
    [
        {"temporal": -0.1, "frequency": 1},
        {"temporal": math.nan},
        {"temporal": math.inf},
        {"temporal": HUGE},
        {"temporal": 0, "frequency": 0.0, "semantic": 0},
        {"temporal": "1"},
        {"temporal": True},
        {"temporal": None},
        {"visual": 1.0},
        {"visual": 1.0, "temporal": 1.0},
        {3: 1.0},
        [0.2, 0.3, 0.5],
        "temporal",
        7,
    ],
)
def test_an_override_that_is_no_set_of_weights_is_refused_in_one_sentence(weights: Any) -> None:
    with pytest.raises(InputError, match=r"^gate_override must give temporal, frequency, semantic a finite weight"):
        override(weights)


def test_bands_are_pairs_of_periods_the_upper_one_without_limit() -> None:
    assert bands([(2, 5), (7.0, 7.0), [0.5, 3], (21, math.inf)]) == [(2, 5), (7, 7), (0.5, 3), (21, math.inf)]


@pytest.mark.parametrize("mask", [None, [], ()])
def test_no_band_is_no_band(mask: Any) -> None:
    assert not bands(mask)


@pytest.mark.parametrize(
    "band",
    [
        (5, 2),
        (0, 3),
        (-1, 3),
        (math.nan, 3),
        (3, math.nan),
        (-math.inf, 3),
        (3,),
        (1, 2, 3),
        "23",
        ("2", "3"),
        (True, 3),
        (HUGE, HUGE),
        7,
        None,
        {2: 3, 4: 5},
    ],
)
def test_anything_else_is_refused_with_what_a_band_is(band: Any) -> None:
    with pytest.raises(InputError, match=r"^band_mask\.1 must be a pair of periods in interactions, low and high"):
        bands([(2, 3), band])


@pytest.mark.parametrize("mask", [(2, 3), "ab", [2, 3]])
def test_a_pair_alone_is_not_a_list_of_pairs(mask: Any) -> None:
    with pytest.raises(InputError, match=r"pairs? of periods in interactions"):
        bands(mask)


@pytest.mark.parametrize("mask", [7, {2: 3}, math.inf])
def test_what_is_no_list_of_bands_is_refused(mask: Any) -> None:
    with pytest.raises(InputError, match="a list of pairs of periods"):
        bands(mask)


def test_scalars_of_numpy_are_numbers_and_flags() -> None:
    given = {"k": np.int64(5), "exclude_seen": np.bool_(True), "band_mask": [(np.float32(2), np.int32(3))]}
    weights = {"temporal": np.float32(1), "frequency": np.int8(3)}
    options = checked(Options, given | {"gate_override": weights})
    assert (options.k, options.exclude_seen, options.band_mask) == (5, True, [(2.0, 3.0)])
    assert options.gate_override == {"temporal": 0.25, "frequency": 0.75, "semantic": 0.0}
    with pytest.raises(InputError, match="whole number"):
        checked(Options, {"k": np.float64(5)})
