import pytest
import torch

from m2rec.branches import BRANCHES
from m2rec.model.gate import Gate
from tests.tiny_world import tiny_config

EVIDENCE = 5


def evidence(batch: int = 7) -> tuple[tuple[torch.Tensor, ...], torch.Tensor]:
    torch.manual_seed(0)
    return tuple(torch.randn(batch, 16) for _ in BRANCHES), torch.randn(batch, EVIDENCE)


def test_weights_are_a_distribution_that_follows_the_evidence() -> None:
    gate = Gate(tiny_config(), EVIDENCE).eval()
    weights = gate(*evidence()).exp()
    torch.testing.assert_close(weights.sum(-1), torch.ones(7))
    assert (weights > 0).all()
    assert weights.std(0).min() > 1e-3


@pytest.mark.parametrize("off", BRANCHES)
def test_a_branch_that_is_off_weighs_nothing_and_the_others_share_its_weight(off: str) -> None:
    torch.manual_seed(0)
    both = Gate(tiny_config(), EVIDENCE).eval()
    some = Gate(tiny_config(branches=[name for name in BRANCHES if name != off]), EVIDENCE).eval()
    some.load_state_dict(both.state_dict())
    place = BRANCHES.index(off)
    whole = both(*evidence()).exp()
    whole[:, place] = 0
    torch.testing.assert_close(some(*evidence()).exp(), whole / whole.sum(-1, keepdim=True))


def test_equal_weights_do_not_look_at_anything() -> None:
    gate = Gate(tiny_config(gate="equal", branches=("temporal", "semantic")), EVIDENCE)
    torch.testing.assert_close(gate(*evidence()).exp(), torch.tensor([0.5, 0.0, 0.5]).expand(7, 3))


def test_one_branch_alone_has_all_the_weight() -> None:
    gate = Gate(tiny_config(branches=("frequency",)), EVIDENCE).eval()
    torch.testing.assert_close(gate(*evidence()).exp(), torch.tensor([0.0, 1.0, 0.0]).expand(7, 3))


def test_a_branch_that_is_off_gives_no_gradient_that_is_not_a_number() -> None:
    gate = Gate(tiny_config(branches=("temporal", "semantic")), EVIDENCE)
    branches, found = evidence()
    log_gate = gate(branches, found)
    torch.logsumexp(log_gate + torch.randn(7, 3), dim=-1).sum().backward()
    assert all(torch.isfinite(parameter.grad).all() for parameter in gate.parameters())


def test_the_scale_of_a_branch_does_not_change_its_weight() -> None:
    """Branch outputs are normed before they are judged, so their size alone moves nothing."""
    gate = Gate(tiny_config(), EVIDENCE).eval()
    (temporal, frequency, semantic), found = evidence()
    torch.testing.assert_close(
        gate((temporal * 1000, frequency, semantic), found),
        gate((temporal, frequency, semantic), found),
        atol=1e-4,
        rtol=1e-4,
    )
