"""The scan, compared with its plain twin, that of `mamba_ssm`, and a step computed by hand."""

import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st

from m2rec.baselines.blocks import selective_scan as module
from m2rec.baselines.blocks.selective_scan import (
    scan_through,
    selective_scan,
    selective_scan_last,
    selective_scan_plain,
)
from tests.model.conftest import MambaSsm

Inputs = tuple[torch.Tensor, ...]


def inputs(length: int = 21, dtype: torch.dtype = torch.float32) -> Inputs:
    """x, Δ, A, B, C with three rows, D = 6 and N = 4."""
    x, dt = torch.randn(2, 3, length, 6, dtype=dtype)
    B, C = torch.randn(2, 3, length, 4, dtype=dtype)
    return x, F.softplus(dt), -torch.rand(6, 4, dtype=dtype) * 4, B, C


def gradients(scan, parts: Inputs) -> Inputs:
    leaves = [part.clone().requires_grad_() for part in parts]
    y = scan(*leaves)
    return torch.autograd.grad((y * torch.linspace(-1, 2, y.numel(), dtype=y.dtype).view_as(y)).sum(), leaves)


def test_a_step_computed_by_hand() -> None:
    x, dt = torch.tensor([2.0, 3.0]).view(1, 2, 1), torch.tensor([1.0, 0.5]).view(1, 2, 1)
    A = torch.tensor([[-2.0]])
    B, C = torch.tensor([1.0, 4.0]).view(1, 2, 1), torch.tensor([1.0, 10.0]).view(1, 2, 1)
    # h₁ = 1·1·2 = 2;  h₂ = e^(−0.5·2)·2 + 0.5·4·3 = 2/e + 6
    expected = torch.tensor([2.0, 10 * (2 / torch.e + 6)])
    torch.testing.assert_close(selective_scan(x, dt, A, B, C).flatten(), expected)


def test_the_scan_equals_that_of_mamba_ssm(mamba_ssm: MambaSsm) -> None:
    x, dt, A, B, C = inputs()
    by_reference = scan_through(mamba_ssm.scan.selective_scan_ref, x, dt, A, B, C)
    torch.testing.assert_close(selective_scan(x, dt, A, B, C), by_reference, atol=1e-5, rtol=1e-4)


@settings(max_examples=30)
@given(length=st.integers(1, 60), seed=st.integers(0, 99))
def test_values_and_gradients_are_those_of_single_steps(length: int, seed: int) -> None:
    torch.manual_seed(seed)
    parts = inputs(length, torch.float64)
    torch.testing.assert_close(selective_scan(*parts), selective_scan_plain(*parts))
    torch.testing.assert_close(gradients(selective_scan, parts), gradients(selective_scan_plain, parts))


def test_gradients_equal_numerical_ones() -> None:
    leaves = [part.requires_grad_() for part in inputs(7, torch.float64)]
    assert torch.autograd.gradcheck(selective_scan, leaves)


@pytest.mark.parametrize("at_once", [1, 50, 10**9])
def test_the_number_of_rows_at_once_changes_nothing(at_once: int, monkeypatch: pytest.MonkeyPatch) -> None:
    parts = inputs()
    x, dt, A, B, C = parts
    whole, last, back = (
        selective_scan(*parts),
        selective_scan_last(x, dt, A, B, C[:, -1]),
        gradients(selective_scan, parts),
    )
    monkeypatch.setattr(module, "ELEMENTS_AT_ONCE", {"cpu": at_once})
    torch.testing.assert_close(selective_scan(*parts), whole)
    torch.testing.assert_close(gradients(selective_scan, parts), back)
    torch.testing.assert_close(selective_scan_last(x, dt, A, B, C[:, -1]), last)
    torch.testing.assert_close(last, whole[:, -1], atol=1e-5, rtol=1e-4)


def test_autocast_around_it_changes_nothing() -> None:
    parts = inputs()
    expected, back = selective_scan(*parts), gradients(selective_scan, parts)
    with torch.autocast("cpu", torch.bfloat16):
        assert torch.equal(selective_scan(*parts), expected)
        assert all(torch.equal(a, b) for a, b in zip(gradients(selective_scan, parts), back, strict=True))


def test_a_long_history_neither_overflows_nor_underflows() -> None:
    ones = torch.ones(1, 3000, 1)
    A = torch.tensor([[-1e-4, -80.0]])
    y = selective_scan(ones, ones, A, torch.ones(1, 3000, 2), torch.tensor([1.0, 0.0]).expand(1, 3000, 2))
    assert float(y[0, -1]) == pytest.approx((1 - 2.718281828**-0.3) / (1 - 2.718281828**-1e-4), rel=1e-3)
    fast = selective_scan(ones, ones, A, torch.ones(1, 3000, 2), torch.tensor([0.0, 1.0]).expand(1, 3000, 2))
    assert float(fast[0, -1]) == pytest.approx(1.0)
