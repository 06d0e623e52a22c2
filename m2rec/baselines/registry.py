"""All baselines, by name."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError
from torch import Tensor, nn

from m2rec.baselines.bsarec import BsaRec, BsaRecSettings
from m2rec.baselines.gru4rec import Gru4Rec, Gru4RecSettings
from m2rec.baselines.lrurec import LruRec, LruRecSettings
from m2rec.baselines.mamba2 import Mamba2, Mamba2Settings
from m2rec.baselines.mamba4rec import Mamba4Rec, Mamba4RecSettings
from m2rec.baselines.popularity import Popularity
from m2rec.baselines.repeats import MostFrequent, MostRecent
from m2rec.baselines.sasrec import SasRec, SasRecSettings, SasRecTextSettings
from m2rec.baselines.sequential import Encoder, SequentialBaseline
from m2rec.baselines.settings import BaselineSettings
from m2rec.baselines.vectors import ItemVectors
from m2rec.baselines.wearec import WeaRec, WeaRecSettings
from m2rec.errors import InputError


@dataclass(frozen=True)
class Kind:
    """A sequential baseline: its settings and its encoder."""

    settings: type[BaselineSettings]
    encoder: Callable[[Any], Encoder]


# made from counts of training events, with nothing to train
COUNTING: Mapping[str, Callable[[Tensor], nn.Module]] = {
    "popularity": Popularity,
    "repeat-most-frequent": MostFrequent,
    "repeat-most-recent": MostRecent,
}
SEQUENTIAL: Mapping[str, Kind] = {
    "gru4rec": Kind(Gru4RecSettings, Gru4Rec),
    "sasrec": Kind(SasRecSettings, SasRec),
    "sasrec-text": Kind(SasRecTextSettings, SasRec),
    "mamba2": Kind(Mamba2Settings, Mamba2),
    "mamba4rec": Kind(Mamba4RecSettings, Mamba4Rec),
    "lrurec": Kind(LruRecSettings, LruRec),
    "bsarec": Kind(BsaRecSettings, BsaRec),
    "wearec": Kind(WeaRecSettings, WeaRec),
}
BASELINES = (*COUNTING, *SEQUENTIAL)


def make_baseline(
    name: str,
    items: int,
    warm_items: int,
    text_vectors: Tensor | None = None,
    settings: Mapping[str, Any] | None = None,
    train_counts: Tensor | None = None,
    repeat_bias: float = 0.0,
) -> nn.Module:
    """An untrained model for a catalogue of `items`, of which 1…`warm_items` occur in training.

    Only "sasrec-text" uses `text_vectors` (V+1, text width), and only models of `COUNTING` use `train_counts` (V,).
    `repeat_bias` is the initial repeat bias of models with that setting. Raises InputError for an unknown name or
    setting.
    """
    if name in COUNTING:
        if train_counts is None or settings:
            raise InputError(f"{name} needs the counts of training events, and takes no settings.")
        return COUNTING[name](train_counts)
    chosen = checked_settings(name, settings or {})
    reads_text = isinstance(chosen, SasRecTextSettings)
    if reads_text and text_vectors is None:
        raise InputError(f"{name} reads the items' text vectors; prepare the world with its texts.")
    vectors = ItemVectors(
        items,
        warm_items,
        chosen.width,
        text_vectors if reads_text else None,
        chosen.id_dropout if isinstance(chosen, SasRecTextSettings) else 0.0,
    )
    start = repeat_bias if chosen.repeat_bias else None
    return SequentialBaseline(SEQUENTIAL[name].encoder(chosen), vectors, start)


def checked_settings(name: str, settings: Mapping[str, Any]) -> BaselineSettings:
    """All settings of a sequential baseline. Raises InputError for the first mistake."""
    if name not in SEQUENTIAL:
        raise InputError(f"There is no baseline {name!r}; choose one of {', '.join(BASELINES)}.")
    try:
        return SEQUENTIAL[name].settings(**settings)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"])) or "its settings"
        raise InputError(f"{name} has a mistake at {where}: {first['msg']}.") from error
