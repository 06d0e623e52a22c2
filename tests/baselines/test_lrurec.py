"""The complex recurrence, compared with its formula."""

import torch

from m2rec.baselines.lrurec import LruRec, LruRecSettings, Unit


def test_the_unit_follows_its_formula() -> None:
    unit = Unit(6)
    x = torch.randn(2, 9, 6)
    W_in = torch.complex(unit.read.weight[:12], unit.read.weight[12:])
    b_in = torch.complex(unit.read.bias[:12], unit.read.bias[12:])
    W_out = torch.complex(unit.out.weight[:, :12], -unit.out.weight[:, 12:])
    decay = torch.exp(torch.complex(-unit.nu.exp(), unit.theta.exp()))
    h, rows = torch.zeros(2, 12, dtype=torch.complex64), []
    for t in range(9):
        h = decay * h + unit.gamma.exp() * (x[:, t].to(torch.complex64) @ W_in.T + b_in)
        rows.append((h @ W_out.T).real + unit.out.bias)
    torch.testing.assert_close(unit(x), torch.stack(rows, dim=1), atol=1e-5, rtol=1e-4)


def test_decays_start_in_the_ring_and_scale_the_inputs() -> None:
    unit = Unit(500)
    radius = unit.log_decay.exp().abs()
    assert 0.8 <= radius.min() < 0.81
    assert 0.98 < radius.max() <= 0.991
    torch.testing.assert_close(unit.gamma.exp(), (1 - radius**2).sqrt(), atol=1e-4, rtol=1e-3)
    turn = unit.theta.exp()
    assert 0 < turn.min() < 0.1
    assert 6.2 < turn.max() < 6.2832


def test_no_decay_exceeds_one() -> None:
    unit = Unit(4)
    with torch.no_grad():
        unit.nu.copy_(torch.tensor([-20.0, -3, 0, 5, 20, -8, 1, 2]))
    assert (unit.log_decay.exp().abs() <= 1).all()


def test_its_weights_are_real_numbers() -> None:
    assert not any(tensor.is_complex() for tensor in LruRec(LruRecSettings()).state_dict().values())
