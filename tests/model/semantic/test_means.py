import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from m2rec.model.constants import SALIENCE_LIMIT
from m2rec.model.semantic.means import MeansBranch
from tests.tiny_world import random_model, tiny_config


def branch(**changes: object) -> MeansBranch:
    return random_model(tiny_config(**changes)).semantic


def means_only(**changes: object) -> MeansBranch:
    """The branch without what follows the means, so that they can be seen."""
    semantic = MeansBranch(tiny_config(**changes))
    semantic.feed = torch.nn.Identity()
    return semantic


@settings(max_examples=20)
@given(lengths=st.lists(st.integers(1, 30), min_size=1, max_size=4), seed=st.integers(0, 9))
def test_all_positions_the_last_one_and_step_by_step_agree(lengths: list[int], seed: int) -> None:
    semantic = branch()
    p = torch.randn(len(lengths), max(lengths), 16, generator=torch.Generator().manual_seed(seed))
    end = torch.tensor(lengths) - 1
    whole = semantic(p)
    torch.testing.assert_close(semantic.last(p, end + 1), whole[torch.arange(len(lengths)), end], atol=1e-4, rtol=1e-4)
    state = semantic.start(len(lengths))
    for t in range(p.shape[1]):
        y, state = semantic.step(p[:, t], state)
        torch.testing.assert_close(y, whole[:, t], atol=1e-4, rtol=1e-4)


def test_a_new_branch_takes_the_decayed_mean_of_the_texts() -> None:
    semantic = means_only(taste_scales=(2.0,))
    p = torch.randn(1, 3, 16)
    older = torch.exp(torch.tensor(-0.5))
    expected = (older**2 * p[0, 0] + older * p[0, 1] + p[0, 2]) / (older**2 + older + 1)
    torch.testing.assert_close(semantic(p)[0, -1], expected)


def test_one_text_over_and_over_is_its_own_mean_at_every_scale() -> None:
    semantic = means_only(taste_scales=(4.0, 16.0))
    p = torch.randn(16)
    torch.testing.assert_close(semantic(p.expand(1, 50, 16))[0, -1], p.repeat(2), atol=1e-5, rtol=1e-4)


def test_what_is_salient_counts_for_more() -> None:
    semantic = means_only(taste_scales=(1e6,))
    loud, quiet = torch.zeros(16), torch.zeros(16)
    loud[0], quiet[1] = 1.0, 1.0
    with torch.no_grad():
        semantic.salience.weight[0, 0] = 1.0
    weight = (SALIENCE_LIMIT * torch.tanh(torch.tensor(1 / SALIENCE_LIMIT))).exp()
    mean = semantic(torch.stack([loud, quiet])[None])[0, -1]
    torch.testing.assert_close(mean[0] / mean[1], weight, rtol=1e-4, atol=0)


def test_no_text_can_dominate_all_others() -> None:
    semantic = means_only(taste_scales=(1e6,))
    with torch.no_grad():
        semantic.salience.weight.fill_(1e6)
    mean = semantic(torch.randn(1, 30, 16))
    assert torch.isfinite(mean).all()


def test_the_order_within_a_long_scale_does_not_matter() -> None:
    semantic = branch(taste_scales=(1e7,))
    with torch.no_grad():
        semantic.log_rate.fill_(-20)
    p = torch.randn(1, 12, 16)
    torch.testing.assert_close(semantic(p)[:, -1], semantic(p.flip(1))[:, -1], atol=1e-4, rtol=1e-4)


def test_items_without_text_have_no_effect() -> None:
    semantic = branch()
    out = semantic(torch.zeros(1, 5, 16))
    assert torch.isfinite(out).all()
    torch.testing.assert_close(out, out[:, :1].expand_as(out))
