"""Names and shapes of all weights that a configuration asks for, without PyTorch: what a checkpoint is checked against.

`M2Rec.state_dict` is the reference; tests/model/test_shapes.py compares the two for every variant.
"""

from m2rec.branches import BRANCHES
from m2rec.model.config import ModelConfig

Shapes = dict[str, tuple[int, ...]]

GAIN_INPUTS, GAIN_HIDDEN = 2, 16  # of what sets the gain of each spectral band


def expected_shapes(config: ModelConfig) -> Shapes:
    """Every weight by its name in `model.safetensors`."""
    d = config.width
    evidence, frequency = (_periodic if config.frequency == "periodic" else _spectral)(config)
    return {
        "ids": (config.warm_items, d),
        "bias": (config.warm_items,),
        "text": (config.items + 1, config.text_width),
        "project.weight": (d, config.text_width),
        **_under("temporal", _temporal(config)),
        **_under("frequency", frequency),
        **_under("semantic", _themes(config) if config.semantic == "themes" else _means(config)),
        **{f"gate.norms.{place}.weight": (d,) for place in range(len(BRANCHES))},
        **_under("gate", _feed(0, len(BRANCHES) * d + evidence, d, len(BRANCHES), 3)),
        **(_fusion(config) if config.gate == "features" else {}),
    }


def not_normed(config: ModelConfig) -> set[str]:
    """Branches whose output is not normed in `FeatureFusion`, because its length is part of the evidence."""
    return {"frequency", "semantic"} if config.semantic == "themes" else {"frequency"}


def _temporal(config: ModelConfig) -> Shapes:
    d = config.width
    heads = len(config.time_scales) * config.heads_per_scale
    inner = heads * config.head_width
    mixed = inner + 2 * config.state_width
    shapes: Shapes = {}
    for layer in range(config.temporal_layers):
        shapes[f"norms.{layer}.weight"] = (d,)
        shapes |= _under(
            f"layers.{layer}",
            {
                "A_log": (heads,),
                "D": (heads,),
                "dt_bias": (heads,),
                "in_proj.weight": (inner + mixed + heads, d),
                "conv.weight": (mixed, 1, config.conv_width),
                "conv.bias": (mixed,),
                "norm.weight": (inner,),
                "out_proj.weight": (d, inner),
            },
        )
    feed = _feed(1, d, config.expansion * d, d, 4)
    return {**shapes, "feed.0.weight": (d,), **feed, **_softmax(d)}


def _periodic(config: ModelConfig) -> tuple[int, Shapes]:
    """The width of the evidence for the gate, and the branch's weights."""
    bands, d = len(config.periods), config.width
    by_band = dict.fromkeys(("min_hit_rate", "band_bias", "late", "early"), (bands,))
    query = {name.replace("feed", "transition_query"): shape for name, shape in _feed(0, d, 2 * d, d, 2).items()}
    return bands + 3, {
        "transfer": (bands, config.filter_length + 1, 2),
        **by_band,
        **dict.fromkeys(("explaining_away", "log_odds_scale", "surprise_bias"), ()),
        "habit.weight": (1, d + 1),
        "habit.bias": (1,),
        **query,
    }


def _spectral(config: ModelConfig) -> tuple[int, Shapes]:
    """The same of the other variant."""
    learned, d = config.filter == "learned", config.width
    bands = len(config.periods) + len(config.trend_scales) if learned else 1
    return 2 * bands + 1, {
        **({"transfer": (bands, config.filter_length + 1, 2)} if learned else {}),
        "gain_in": (bands, GAIN_INPUTS, GAIN_HIDDEN),
        "gain_in_bias": (bands, GAIN_HIDDEN),
        "gain_out": (bands, GAIN_HIDDEN),
        "gain_out_bias": (bands,),
        "identity.weight": (config.identity_width, d),
        "out.weight": (d, d),
        **_softmax(),
    }


def _means(config: ModelConfig) -> Shapes:
    scales, d = len(config.taste_scales), config.width
    return {"log_rate": (scales,), "salience.weight": (1, d), **_feed(0, scales * d, 2 * d, d, 3), **_softmax(d)}


def _themes(config: ModelConfig) -> Shapes:
    scalars = dict.fromkeys(("first_weight", "shift_rate", "popularity"), ())
    return {"queries": (config.theme_count, config.width), "explanation_bias": (3,), **scalars}


def _fusion(config: ModelConfig) -> Shapes:
    shapes: Shapes = {}
    for branch in BRANCHES:
        head = _softmax(None if branch in not_normed(config) else config.width)
        shapes |= {name.replace("softmax", f"fusion.heads.{branch}"): shape for name, shape in head.items()}
    return shapes


def _softmax(norm: int | None = None) -> Shapes:
    """A branch's own softmax; `norm` is the width of its norm, None where its output is not normed."""
    shapes: Shapes = dict.fromkeys(("softmax.log_temperature", "softmax.popularity", "softmax.repeat_bias"), ())
    return shapes if norm is None else {**shapes, "softmax.norm.weight": (norm,)}


def _feed(first: int, inputs: int, hidden: int, outputs: int, second: int) -> Shapes:
    """Two linear layers, at places `first` and `second` of a sequence."""
    return {
        f"feed.{first}.weight": (hidden, inputs),
        f"feed.{first}.bias": (hidden,),
        f"feed.{second}.weight": (outputs, hidden),
        f"feed.{second}.bias": (outputs,),
    }


def _under(prefix: str, shapes: Shapes) -> Shapes:
    return {f"{prefix}.{name}": shape for name, shape in shapes.items()}
