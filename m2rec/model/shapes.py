"""Names and shapes of all weights that a configuration asks for: what a checkpoint is checked against.

`M2Rec.state_dict` is the reference. The shapes of the branches that answer in NumPy are written down here, so that no
PyTorch is needed to check them; tests/model/test_shapes.py compares the two for every variant.
"""

from collections.abc import Callable

from m2rec.branches import BRANCHES, BranchName
from m2rec.model.config import ModelConfig

Shapes = dict[str, tuple[int, ...]]

GAIN_INPUTS, GAIN_HIDDEN = 2, 16  # of what sets the gain of each spectral band


def expected_shapes(config: ModelConfig) -> Shapes:
    """Every weight by its name in `model.safetensors`. The network is asked where a branch is not written down here."""
    if not_in_numpy(config):
        return _of_network(config)
    d = config.width
    branches = {branch: WRITTEN[config.variant(branch)](config) for branch in BRANCHES}
    evidence = sum(width for width, _ in branches.values())
    return {
        "ids": (config.warm_items, d),
        "bias": (config.warm_items,),
        "text": (config.items + 1, config.text_width),
        "project.weight": (d, config.text_width),
        **{f"{branch}.{name}": shape for branch, (_, own) in branches.items() for name, shape in own.items()},
        **{f"gate.norms.{place}.weight": (d,) for place in range(len(BRANCHES))},
        **_under("gate", _feed(0, len(BRANCHES) * d + evidence, d, len(BRANCHES), 3)),
        **(_fusion(config) if config.gate == "features" else {}),
    }


def not_in_numpy(config: ModelConfig) -> list[BranchName]:
    """The branches that have no counterpart in `m2rec.inference`: they can be trained and evaluated, and not answer."""
    return [branch for branch in BRANCHES if config.variant(branch) not in WRITTEN]


def not_normed(config: ModelConfig) -> set[str]:
    """Branches whose output is not normed in `FeatureFusion`, because its length is part of the evidence."""
    return {"frequency", "semantic"} if config.semantic == "themes" else {"frequency"}


def _of_network(config: ModelConfig) -> Shapes:
    import torch

    from m2rec.model.m2rec import M2Rec

    with torch.device("meta"):  # shapes alone, no memory
        return {name: tuple(tensor.shape) for name, tensor in M2Rec(config).state_dict().items()}


def _temporal(config: ModelConfig) -> tuple[int, Shapes]:
    """The width of the evidence for the gate, and the branch's weights."""
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
    return 0, {**shapes, "feed.0.weight": (d,), **feed, **_softmax(d)}


def _periodic(config: ModelConfig) -> tuple[int, Shapes]:
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


def _means(config: ModelConfig) -> tuple[int, Shapes]:
    scales, d = len(config.taste_scales), config.width
    return 0, {"log_rate": (scales,), "salience.weight": (1, d), **_feed(0, scales * d, 2 * d, d, 3), **_softmax(d)}


def _themes(config: ModelConfig) -> tuple[int, Shapes]:
    scalars = dict.fromkeys(("first_weight", "shift_rate", "popularity"), ())
    return 0, {"queries": (config.theme_count, config.width), "explanation_bias": (3,), **scalars}


# by the names of the variants: the width of the evidence for the gate, and the branch's weights
WRITTEN: dict[str, Callable[[ModelConfig], tuple[int, Shapes]]] = {
    "mamba": _temporal,
    "periodic": _periodic,
    "spectral": _spectral,
    "means": _means,
    "themes": _themes,
}


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
