"""Which parameters have weight decay."""

from m2rec.training.optimizer import make_optimizer
from m2rec.training.settings import TrainingSettings
from tests.training.small import small_model


def test_matrices_decay_and_time_constants_biases_and_norms_do_not() -> None:
    model = small_model(repeat_bias=False)
    decayed, still = make_optimizer(model, TrainingSettings(weight_decay=0.3)).param_groups
    assert (decayed["weight_decay"], still["weight_decay"]) == (0.3, 0.0)
    names = {id(parameter): name for name, parameter in model.named_parameters()}
    rest = {names[id(parameter)] for parameter in still["params"]}
    assert {"bias", "temporal.layers.0.dt_bias", "temporal.layers.0.A_log", "gate.norms.0.weight"} <= rest
    assert "temporal.softmax.log_temperature" in rest
    assert "ids" in {names[id(parameter)] for parameter in decayed["params"]}
    trained = {name for name, parameter in model.named_parameters() if parameter.requires_grad}
    assert rest | {names[id(parameter)] for parameter in decayed["params"]} == trained
    assert "temporal.softmax.repeat_bias" not in trained
