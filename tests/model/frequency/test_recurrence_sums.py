"""The sums worked out row by row are those of the plain twin, and so are their gradients."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from m2rec.model.frequency.recurrence_sums import Recurrence, recurrence_sums, recurrence_sums_plain

LEARNED = ("weight", "kernels", "offset", "prior", "explaining_away", "late", "early")


def _inputs(seed: int, rows: int, slots: int, length: int, bands: int, taps: int) -> Recurrence:
    """Random inputs of which nothing is zero by accident, in double precision."""
    random = torch.Generator().manual_seed(seed)

    def some(*shape: int) -> torch.Tensor:
        return torch.randn(shape, generator=random, dtype=torch.float64)

    def coin(*shape: int) -> torch.Tensor:
        return torch.rand(*shape, generator=random) < 0.6

    last = torch.arange(length + 1).expand(rows, slots, -1) - 1
    last = (last - torch.randint(0, length, (rows, slots, length + 1), generator=random)).clamp(min=0)
    inputs = Recurrence(
        weight=some(rows, length).abs(),
        kernels=some(bands, taps),
        offset=some(bands, length + 1),
        prior=some(rows, slots),
        explaining_away=some().abs(),
        late=some(bands).sigmoid(),
        early=some(bands).sigmoid(),
        slot=torch.randint(0, slots, (rows, length), generator=random),
        other_bands=some(rows, length, bands + 1).abs(),
        last=last,
        same_phase=coin(taps + 4, bands),
        may_be_due=coin(rows, slots, length),
        may_be_late=coin(rows, slots, length),
        band_keep=coin(bands).double(),
    )
    for name in LEARNED:
        getattr(inputs, name).requires_grad_()
    return inputs


@settings(max_examples=40)
@given(
    seed=st.integers(0, 1000),
    rows=st.integers(1, 3),
    slots=st.integers(1, 5),
    length=st.integers(1, 12),
    bands=st.integers(1, 4),
    taps=st.integers(2, 20),
)
def test_the_sums_and_their_gradients_are_those_of_the_plain_twin(
    seed: int, rows: int, slots: int, length: int, bands: int, taps: int
) -> None:
    inputs = _inputs(seed, rows, slots, length, bands, taps)
    learned = [getattr(inputs, name) for name in LEARNED]
    found, expected = recurrence_sums(inputs), recurrence_sums_plain(inputs)
    for one, other in zip(found, expected, strict=True):
        torch.testing.assert_close(one, other)
    weights = [torch.randn_like(part) for part in expected]
    total = sum((part * weight).sum() for part, weight in zip(found, weights, strict=True))
    plain = sum((part * weight).sum() for part, weight in zip(expected, weights, strict=True))
    gradients, wanted = torch.autograd.grad(total, learned), torch.autograd.grad(plain, learned)
    for name, one, other in zip(LEARNED, gradients, wanted, strict=True):
        torch.testing.assert_close(one, other, msg=lambda text, name=name: f"{name}: {text}")


def test_both_sums_hold_the_same_total() -> None:
    by_item, by_band = recurrence_sums(_inputs(0, 2, 4, 9, 3, 7))
    torch.testing.assert_close(by_item.sum(1), by_band.sum(2))


def test_a_muted_band_adds_nothing() -> None:
    inputs = _inputs(1, 2, 4, 9, 3, 7)._replace(band_keep=torch.tensor([1.0, 0.0, 1.0], dtype=torch.float64))
    assert not recurrence_sums(inputs)[1][..., 1].any()


def test_one_kept_round_by_hand() -> None:
    """One item, one band of period 2, three positions; it was chosen at position 0, so it is due after position 1."""
    zero = torch.zeros(1, dtype=torch.float64)
    inputs = Recurrence(
        weight=torch.tensor([[1.0, 0.0, 0.0]], dtype=torch.float64),
        kernels=torch.tensor([[0.0, 2.0, 0.0]], dtype=torch.float64),
        offset=torch.tensor([[-1.0, -1.0, -1.0, -1.0]], dtype=torch.float64),
        prior=zero[None],
        explaining_away=zero[0],
        late=torch.tensor([0.5], dtype=torch.float64),
        early=torch.tensor([0.25], dtype=torch.float64),
        slot=torch.zeros(1, 3, dtype=torch.int64),
        other_bands=torch.zeros(1, 3, 2, dtype=torch.float64),
        last=torch.zeros(1, 1, 4, dtype=torch.int64),
        same_phase=torch.ones(7, 1, dtype=torch.bool),
        may_be_due=torch.tensor([[[False, True, True]]]),
        may_be_late=torch.tensor([[[True, True, True]]]),
        band_keep=torch.ones(1, dtype=torch.float64),
    )
    low, high = 1 / (1 + 2.718281828459045), 1 / (1 + 1 / 2.718281828459045)  # beliefs without and with the choice
    expected = [0.0, high + 0.5 * low + 0.25 * low, low + 0.5 * high + 0.25 * low]
    assert recurrence_sums(inputs)[0][0, 0].tolist() == pytest.approx(expected)
