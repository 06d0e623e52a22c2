"""Which parameters have weight decay, and which a learning rate of their own."""

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


def test_repeat_biases_have_a_learning_rate_of_their_own() -> None:
    model = small_model()
    names = {id(parameter): name for name, parameter in model.named_parameters()}
    settings = TrainingSettings(learning_rate=0.02, repeat_bias_rate=10.0)
    *usual, fast = make_optimizer(model, settings).param_groups
    assert [group["initial_lr"] for group in usual] == [0.02, 0.02]
    assert (fast["initial_lr"], fast["weight_decay"]) == (0.2, 0.0)
    biases = {names[id(parameter)] for parameter in fast["params"]}
    assert biases == {name for name in names.values() if "repeat_bias" in name or "newest_bias" in name}
    assert biases >= {"temporal.softmax.repeat_bias", "temporal.softmax.newest_bias"}
    assert sum(len(group["params"]) for group in (*usual, fast)) == len([*model.parameters()])


def test_without_a_rate_of_their_own_repeat_biases_learn_like_the_rest() -> None:
    model = small_model()
    assert len(make_optimizer(model, TrainingSettings()).param_groups) == 2
    assert "repeat_bias_rate" not in TrainingSettings().model_dump()  # the keys of older runs stay valid
