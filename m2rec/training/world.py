"""From a world's settings and its prepared data to a checkpoint folder."""

import logging
from collections.abc import Callable
from pathlib import Path

import torch

from m2rec.checkpoint import CHECKPOINT_FOLDER, Checkpoint, CheckpointConfig, DataRecord, Item, TrainingRecord
from m2rec.data.cache import cache_dir
from m2rec.data.prepared import Prepared
from m2rec.data.repeats import repeat_log_odds
from m2rec.model.config import ModelConfig
from m2rec.model.m2rec import M2Rec
from m2rec.training.card import model_card
from m2rec.training.resume import EpochReport
from m2rec.training.run import train
from m2rec.training.start import Start, load_start
from m2rec.training.trained import Trained
from m2rec.worlds.settings import WorldSettings

log = logging.getLogger(__name__)


def state_file(world: str, seed: int, start: Start | None = None) -> Path:
    """The file from which a killed run resumes. Runs that start from different weights have different files."""
    origin = f"-from-{start.origin}" if start else ""
    return cache_dir() / "runs" / f"{world}-{seed}{origin}.safetensors"


def new_model(world: WorldSettings, prepared: Prepared) -> M2Rec:
    """An untrained model for a world, the same for the same seed."""
    torch.manual_seed(world.training.seed)
    config = ModelConfig(
        **world.model.model_dump(),
        items=prepared.item_count,
        warm_items=prepared.warm_items,
        text_width=prepared.text_vectors.shape[1],
    )
    return M2Rec(config, torch.from_numpy(prepared.text_vectors), repeat_log_odds(prepared))


def train_world(
    world: WorldSettings,
    prepared: Prepared,
    out: Path,
    *,
    command: str,
    cpu: bool = False,
    start_from: Path | None = None,
    restart: bool = False,
    finish: bool = False,
    show: bool = True,
    on_epoch: Callable[[EpochReport], None] | None = None,
) -> Trained:
    """Train a world's model and write its checkpoint to `out`. Resumes a killed run, unless `restart`.

    `start_from` is a path of weights to start from (`m2rec.training.start`). With `finish` nothing more is trained and
    the best epoch so far is saved. Of several processes only the first writes. Raises CheckpointError as `train` and
    `load_start` do, and InputError at once if `out` holds something else than a checkpoint.
    """
    CHECKPOINT_FOLDER.refuse_others(out)
    model = new_model(world, prepared)
    start = load_start(start_from, model, prepared) if start_from else None
    if start:
        model.load_state_dict(start.weights)
    trained = train(
        model,
        prepared,
        world.training,
        world.model.max_length,
        state_file(world.name, world.training.seed, start),
        cpu=cpu,
        restart=restart,
        finish=finish,
        show=show,
        on_epoch=on_epoch,
    )
    if trained.lead:
        as_checkpoint(world, prepared, trained, command, start.record if start else None).save(out)
        log.info("Saved %s.", out)
    return trained


def as_checkpoint(
    world: WorldSettings,
    prepared: Prepared,
    trained: Trained,
    command: str,
    before: TrainingRecord | None = None,
) -> Checkpoint:
    """The checkpoint of a run. Its world's settings say whether titles may be shipped with it."""
    model = trained.model
    config = CheckpointConfig(
        world=world.name,
        trained_on=trained.device,
        titles="shipped" if world.data.titles_may_ship else "local",
        model=model.config,
        data=DataRecord(
            source=world.data.source,
            split=world.data.split,
            fingerprint=prepared.fingerprint,
            users=len(prepared.user_ids),
            events=len(prepared.sequences.events),
        ),
        training=trained.record(world.training, command, before),
    )
    catalogue = zip(prepared.item_ids, prepared.titles, prepared.texts, prepared.groups, strict=True)
    weights = {name: tensor.detach().cpu().numpy() for name, tensor in model.state_dict().items()}
    return Checkpoint(config, weights, [Item(*row) for row in catalogue], model_card(config, world.description))
