"""The recurrent baseline against the unit's own formula."""

import torch

from m2rec.baselines.gru4rec import Gru4Rec, Gru4RecSettings


def test_it_is_a_gated_recurrent_unit_and_a_projection() -> None:
    model = Gru4Rec(Gru4RecSettings(width=4, hidden=5)).eval()
    for parameter in model.parameters():
        torch.nn.init.normal_(parameter)
    x = torch.randn(2, 6, 4)
    gru = model.gru
    h = torch.zeros(2, 5)
    for t in range(6):
        read = (x[:, t] @ gru.weight_ih_l0.T + gru.bias_ih_l0).chunk(3, dim=-1)
        kept = (h @ gru.weight_hh_l0.T + gru.bias_hh_l0).chunk(3, dim=-1)
        reset, update = torch.sigmoid(read[0] + kept[0]), torch.sigmoid(read[1] + kept[1])
        h = (1 - update) * torch.tanh(read[2] + reset * kept[2]) + update * h
    torch.testing.assert_close(model(x)[:, -1], h @ model.out.weight.T + model.out.bias, atol=1e-5, rtol=1e-4)
