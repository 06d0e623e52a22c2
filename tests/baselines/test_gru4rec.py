"""GRU4Rec's recurrence stays in float32 when the rest of a run is in bf16."""

import torch

from m2rec.baselines.gru4rec import Gru4Rec, Gru4RecSettings


def test_under_autocast_the_recurrence_is_as_exact() -> None:
    torch.manual_seed(0)
    model = Gru4Rec(Gru4RecSettings(width=8, hidden=12, dropout=0.0)).eval()
    states: list[torch.Tensor] = []
    model.gru.register_forward_hook(lambda module, given, made: states.append(made[0].detach()))
    x = torch.randn(2, 30, 8)
    plain = model(x)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        low = model(x)
    assert states[1].dtype == torch.float32
    assert torch.equal(states[0], states[1])
    assert low.dtype == torch.bfloat16
    torch.testing.assert_close(low.float(), plain, atol=0.03, rtol=0.03)
