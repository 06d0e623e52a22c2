"""The filter over item vectors: known rhythms against what the branch makes of them."""

import math

import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from m2rec.model.frequency.filters import LONGEST_FOR_MATMUL, filter_adaptively, filter_bank
from m2rec.model.frequency.spectral import COMB_DECAY, SpectralBranch
from tests.model.histories import parts_of
from tests.tiny_world import random_model, tiny_config

PERIODS = (2, 3, 5, 7)


def branch(seed: int = 0, **changes: object) -> SpectralBranch:
    return random_model(tiny_config(frequency="spectral", **changes), seed).frequency


def new_branch(**changes: object) -> SpectralBranch:
    """As it starts, comparing items at full width, so that what it measures can be worked out by hand."""
    torch.manual_seed(0)
    return SpectralBranch(tiny_config(frequency="spectral", identity_width=16, periods=PERIODS, **changes)).eval()


def vectors(batch: int, length: int, seed: int = 0) -> Tensor:
    return F.normalize(torch.randn(batch, length, 16, generator=torch.Generator().manual_seed(seed)), dim=-1)


def noise(length: int) -> Tensor:
    """Items no two of which have anything in common, as long as they last: 16 of them. (length, 16)"""
    assert length <= 16
    return torch.eye(16)[:length]


# ── the filter ──────────────────────────────────────────────────────────────────────────────────────────────────


def test_before_anything_came_the_output_is_exactly_zero_by_fft_too() -> None:
    """The gate norms the output: a rounding error in its place would be taken for evidence."""
    for length in (1, 5, LONGEST_FOR_MATMUL + 1):
        assert (branch()(vectors(1, length)).vector[:, 0] == 0).all()


def test_nothing_passes_at_lag_zero_whatever_is_learnt() -> None:
    frequency = branch()
    assert (frequency.kernels()[:, 0] == 0).all()
    q = vectors(1, 20)
    changed = q.clone()
    changed[:, 12] = -q[:, 12]
    before, after = filter_bank(q, frequency.kernels()), filter_bank(changed, frequency.kernels())
    torch.testing.assert_close(before[:, :13], after[:, :13], atol=0, rtol=0)
    assert (before[:, 13] - after[:, 13]).abs().max() > 1e-2


def test_with_fixed_gains_the_current_item_does_not_reach_the_output() -> None:
    frequency = branch(adaptive_filter=False)
    u = vectors(1, 20)
    changed = u.clone()
    changed[:, 12] = -u[:, 12]
    before, after = frequency(u), frequency(changed)
    torch.testing.assert_close(before.vector[:, :13], after.vector[:, :13], atol=0, rtol=0)
    assert (before.vector[:, 13] - after.vector[:, 13]).abs().max() > 1e-2


@pytest.mark.parametrize(("band", "period"), list(enumerate(PERIODS)))
def test_a_new_band_is_a_comb_that_ends_one_period_before_the_next_item(band: int, period: int) -> None:
    kernel = new_branch().kernels()[band]
    marks = torch.arange(period - 1, 24, period)
    expected = torch.zeros(24)
    expected[marks] = COMB_DECAY ** torch.arange(len(marks), dtype=torch.float)
    torch.testing.assert_close(kernel, expected / expected.norm(), atol=1e-6, rtol=1e-5)


@pytest.mark.parametrize("scale", [0.001, 4.0, 1e6])
def test_a_new_trend_falls_off_at_its_scale_and_has_unit_energy(scale: float) -> None:
    kernel = new_branch(trend_scales=(scale,)).kernels()[-1]
    torch.testing.assert_close(kernel.norm(), torch.tensor(1.0))
    torch.testing.assert_close(kernel[2] / kernel[1], torch.tensor(-1 / scale).exp(), atol=1e-5, rtol=1e-4)


def test_every_band_has_a_period_and_a_trend_lies_beyond_them_all() -> None:
    frequency = new_branch()
    assert frequency.band_periods == (2.0, 3.0, 5.0, 7.0, math.inf, math.inf)
    assert frequency.bands == len(frequency.kernels()) == 6


# ── what it sees in a history ───────────────────────────────────────────────────────────────────────────────────


def features(frequency: SpectralBranch, u: Tensor) -> tuple[Tensor, Tensor]:
    """Coherence and record of every band after the last item, for kernels of unit energy: (b,), (b,)."""
    coherence = frequency(u[None]).evidence[0, -1, frequency.bands : 2 * frequency.bands]
    q = frequency._identity(u[None])
    return coherence, frequency._record_by_autocorrelation(q, torch.tensor([len(u)]), frequency.kernels())[0]


@pytest.mark.parametrize(("band", "period"), list(enumerate(PERIODS)))
def test_a_rhythm_adds_up_in_its_own_band(band: int, period: int) -> None:
    """`period` items over and over: n cycles inside the filter give energy (Σ w)² / Σ w², noise gives 1."""
    frequency = new_branch()
    rhythm = torch.eye(16)[torch.arange(60) % period]
    coherence, record = features(frequency, rhythm)
    weights = COMB_DECAY ** torch.arange(len(range(period - 1, 24, period)), dtype=torch.float)
    energy = weights.sum().square() / weights.square().sum()
    torch.testing.assert_close(coherence[band], energy.log1p(), atol=1e-3, rtol=0)
    assert coherence[band] == coherence[: len(PERIODS)].max()
    assert record[band] == record[: len(PERIODS)].max()
    assert record[band] > 1  # every cycle after the first was foretold


def test_the_evidence_has_the_declared_width() -> None:
    for changes in ({}, {"periods": ()}, {"trend_scales": ()}):
        frequency = branch(**changes)
        assert frequency(vectors(1, 5)).evidence.shape[-1] == frequency.evidence_width


def test_a_history_without_repeats_has_the_energy_of_noise_and_no_record() -> None:
    coherence, record = features(new_branch(), noise(16))
    assert coherence[: len(PERIODS)].max() <= math.log1p(1.0) + 1e-4
    torch.testing.assert_close(record, torch.zeros_like(record), atol=1e-5, rtol=0)


def test_the_record_is_the_decayed_mean_of_past_agreements() -> None:
    frequency = branch(agreement_scale=5.0)
    u = vectors(1, 9)
    kernels, q = frequency.kernels(), frequency._identity(u)
    filtered = filter_bank(q, kernels)
    agreed = [torch.zeros(frequency.bands)] + [filtered[0, t - 1] @ q[0, t] for t in range(1, 9)]
    weights = [math.exp(-(8 - t) / 5) for t in range(9)]
    expected = sum(w * a for w, a in zip(weights, agreed, strict=True)) / sum(weights)
    record = frequency._record_by_autocorrelation(q, torch.tensor([9]), kernels)[0]
    torch.testing.assert_close(record, expected, atol=1e-5, rtol=1e-4)


@pytest.mark.parametrize("filtering", ["learned", "low-pass"])
@settings(max_examples=15)
@given(lengths=st.lists(st.integers(1, 60), min_size=1, max_size=3), seed=st.integers(0, 9))
def test_all_positions_the_last_one_and_step_by_step_agree(filtering: str, lengths: list[int], seed: int) -> None:
    frequency = branch(seed, filter=filtering)
    u = vectors(len(lengths), max(lengths), seed)
    real = torch.arange(max(lengths)) < torch.tensor(lengths)[:, None]
    u = u * real[..., None]
    rows, end = torch.arange(len(lengths)), torch.tensor(lengths) - 1
    whole, last = frequency(u), frequency.last(u, end + 1)
    for name in ("vector", "gains", "evidence"):
        torch.testing.assert_close(parts_of(last)[name], parts_of(whole)[name][rows, end], atol=1e-4, rtol=1e-4)
    state = frequency.start(len(lengths))
    for t in range(u.shape[1]):
        out, state = frequency.step(u[:, t], state)
        for name in ("vector", "gains", "evidence"):
            torch.testing.assert_close(parts_of(out)[name], parts_of(whole)[name][:, t], atol=1e-4, rtol=1e-4)


def test_the_state_is_as_small_after_many_items_as_after_none() -> None:
    frequency = branch()
    state = frequency.start(1)
    shapes = [part.shape for part in vars(state).values()]
    for u in vectors(1, 40).unbind(1):
        _, state = frequency.step(u, state)
    assert [part.shape for part in vars(state).values()] == shapes


# ── gains ───────────────────────────────────────────────────────────────────────────────────────────────────────


def test_gains_are_never_negative_and_depend_on_the_history() -> None:
    frequency = branch()
    gains = frequency(vectors(8, 30)).detail["gains"][:, -1]
    assert (gains >= 0).all()
    assert gains[:, : len(tiny_config().periods)].std(0).min() > 1e-4


def test_without_adaptation_gains_are_the_same_for_every_history() -> None:
    gains = branch(adaptive_filter=False)(vectors(3, 20)).detail["gains"]
    torch.testing.assert_close(gains, gains[:1, :1].expand_as(gains), atol=1e-6, rtol=0)
    assert gains[0, 0].std() > 1e-3  # though not the same for every band


def test_a_muted_band_passes_nothing_and_leaves_the_others_as_they_were() -> None:
    frequency = branch()
    u = vectors(1, 30)
    keep = torch.tensor([1.0, 0.0, 1.0, 0.0, 1.0, 1.0])
    muted, whole = frequency(u, keep), frequency(u)
    torch.testing.assert_close(muted.detail["gains"], whole.detail["gains"] * keep)
    kernels = frequency.kernels()
    expected = frequency.out(filter_adaptively(u, whole.detail["gains"] * keep, kernels))
    torch.testing.assert_close(muted.vector, expected, atol=1e-5, rtol=1e-4)
    assert (muted.vector - whole.vector).abs().max() > 1e-2


def test_with_every_band_muted_the_branch_is_silent() -> None:
    frequency = branch()
    muted = frequency(vectors(1, 30), torch.zeros(frequency.bands))
    assert (muted.vector == 0).all()
    assert (muted.detail["gains"] == 0).all()
