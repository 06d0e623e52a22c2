"""One run of a plan: make the model, train it, rank every target, save ranks and figures."""

import hashlib
import json
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any, cast

import torch
from pydantic import ValidationError
from safetensors import SafetensorError
from torch import nn

from m2rec.atomic import atomic_file
from m2rec.baselines.registry import BASELINES, COUNTING, checked_settings, make_baseline
from m2rec.benchmark.accuracy.ablated_data import ablated
from m2rec.benchmark.accuracy.fewer_users import fewer_users
from m2rec.benchmark.accuracy.plan import Entry, Plan
from m2rec.benchmark.accuracy.result import Figures, Result
from m2rec.checkpoint import TrainingRecord
from m2rec.data.cache import cache_dir
from m2rec.data.prepared import Prepared
from m2rec.data.repeats import repeat_log_odds
from m2rec.errors import DataError, InputError
from m2rec.evaluation.protocol import Evaluation, Scorer, evaluate
from m2rec.evaluation.ranks import save_ranks
from m2rec.model.config import ModelConfig, ModelSettings
from m2rec.model.m2rec import M2Rec
from m2rec.training.machine import device_name, git_revision
from m2rec.training.resume import EpochReport, Progress
from m2rec.training.run import train
from m2rec.training.settings import TrainingSettings
from m2rec.training.start import TEMPORAL_ALONE, FinishedRun, Start, load_start, save_finished
from m2rec.training.trained import Trained
from m2rec.worlds.settings import WorldSettings

M2REC = "m2rec"
KINDS = (M2REC, *BASELINES)


class OutOfTimeError(Exception):
    """Raised after an epoch when another one would end after the deadline. The finished epochs are saved."""


class Job:
    """One entry of a plan with one seed, and the paths of its files."""

    def __init__(self, plan: Plan, entry: Entry, seed: int, world: WorldSettings, fingerprint: str, runs: Path) -> None:
        """`before` is the run whose weights this one starts from, if the entry names one.

        Raises DataError when the entry's settings do not fit its model, or it cannot start from that entry.
        """
        self.plan, self.entry, self.seed, self.world, self.fingerprint = plan, entry, seed, world, fingerprint
        self.settings = _settings(plan, entry, world)
        self.training = _training(plan, entry, world, seed, biased=bool(self.settings.get("repeat_bias")))
        self.before: Job | None = (
            Job(plan, _start_of(plan, entry), seed, world, fingerprint, runs) if entry.starts_from else None
        )
        parts = [entry.kind, self.settings, self.training.model_dump(), entry.treatment, plan.test, fingerprint]
        if entry.train_users or plan.held_out_users:
            parts += [entry.train_users, plan.held_out_users]
        if self.before:
            parts += ["starts from", self.before.key]
        self.key: str = hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()
        self.name = f"{entry.name}-{seed}"
        self.label = f"{plan.name}/{self.name}"
        self.result_file = runs / plan.name / f"{self.name}.json"
        self.ranks_file = self.result_file.with_suffix(".npz")
        self.state_file = cache_dir() / "runs" / plan.name / f"{self.name}-{self.key[:12]}.safetensors"
        self.weights_file = self.state_file.with_suffix(".best.safetensors")  # of the finished run
        self.log_file = self.state_file.with_suffix(".log")

    @property
    def trains_checkpoint(self) -> bool:
        """Whether this run's model can be the world's checkpoint: it has the world's own settings and, unless it starts
        from another run, the world's own training.
        """
        whole = self.entry.kind == M2REC and self.on_all_data
        same = self.settings == self.world.model.model_dump(mode="json")
        if self.before:
            trained = self.entry.name == self.plan.reference and self.seed == self.world.training.seed
        else:
            trained = self.training == self.world.training
        return whole and same and trained

    @property
    def on_all_data(self) -> bool:
        """Whether the run uses the data of all users without an ablation."""
        return self.entry.treatment == "none" and not self.entry.train_users and not self.plan.held_out_users

    def data(self, prepared: Prepared) -> Prepared:
        """The data of this run: with fewer users or an ablation, if the entry says so."""
        some = fewer_users(prepared, self.entry.train_users, self.plan.held_out_users)
        return ablated(some, self.entry.treatment, self.seed)

    def result(self) -> Result | None:
        """The saved result, or None as long as no run with these settings and data is finished.

        Raises DataError when the file is damaged.
        """
        try:
            found = Result.model_validate_json(self.result_file.read_bytes())
        except FileNotFoundError:
            return None
        except (OSError, ValidationError) as error:
            raise DataError(f"{self.result_file} is not a readable result; delete it to run it again.") from error
        return found if found.key == self.key and self.ranks_file.is_file() else None

    def run(
        self,
        prepared: Prepared,
        *,
        command: str,
        cpu: bool = False,
        show: bool = False,
        finish: bool = False,
        deadline: float | None = None,
        on_epoch: Callable[[EpochReport], None] | None = None,
        on_better: Callable[[Trained], None] | None = None,
        keep: Callable[[Trained], None] = lambda trained: None,
    ) -> Result:
        """Train, resuming from the last saved epoch if there is one, then rank every target and save the result.

        With `finish` nothing more is trained: the best epoch so far is ranked, and the run can still be resumed once
        its result is deleted. `deadline` is in seconds of `time.monotonic`. `on_epoch` and `on_better` are as in
        `train`. `keep` is called once, with the trained model, or with the best model so far when time runs out.

        Raises OutOfTimeError when another epoch would end after the deadline, CheckpointError as `train` does and when
        the weights to start from are not here, and DataError when the results cannot be saved.
        """
        data = self.data(prepared)
        model = self.make_model(data)
        start = self._start(model, data)
        device = torch.device("cuda" if torch.cuda.is_available() and not cpu else "cpu")
        trained = Trained(model, Progress(key=self.key), device_name(device), lead=True, revision=git_revision())

        def watch(report: EpochReport) -> None:
            if on_epoch:
                on_epoch(report)
            another = report.epoch < self.training.epochs
            if another and deadline is not None and time.monotonic() + report.seconds > deadline:
                raise OutOfTimeError

        if self.entry.kind not in COUNTING:
            fit = partial(
                train, model, data, self.training, self.settings["max_length"], self.state_file, cpu=cpu, show=show
            )
            try:
                trained = fit(finish=finish, on_epoch=watch, on_better=on_better)
            except OutOfTimeError:
                keep(fit(finish=True))
                raise
            keep(trained)
        record = trained.record(self.training, command, start.record if start else None)
        result = self.measure(trained.model.to(device), data, record, trained.device)
        if self.entry.kind not in COUNTING:
            self._keep(trained.model, record)
        if not finish:
            self.state_file.unlink(missing_ok=True)
        return result

    def measure(self, model: nn.Module, data: Prepared, record: TrainingRecord, hardware: str) -> Result:
        """Rank every target with a model trained on `hardware`, save ranks and figures, and return the figures."""
        longest = self.settings.get("max_length", self.world.model.max_length)
        validation = evaluate(cast(Scorer, model), data, "validation", longest)
        test = evaluate(cast(Scorer, model), data, "test", longest) if self.plan.test else None
        result = Result(
            model=self.entry.name,
            world=self.world.name,
            seed=self.seed,
            key=self.key,
            kind=self.entry.kind,
            settings=self.settings,
            training=record.settings,
            treatment=self.entry.treatment,
            train_users=self.entry.train_users,
            parameters=sum(parameter.numel() for parameter in model.parameters() if parameter.requires_grad),
            validation=_by_name(validation),
            test=_by_name(test) if test else None,
            targets=len((test or validation).users),
            epochs=record.epochs,
            best_epoch=record.best_epoch,
            seconds=record.seconds,
            peak_memory_mib=record.peak_memory_mib,
            hardware=hardware,
            date=record.date,
            command=record.command,
            revision=record.git_revision,
        )
        self._save(result, test or validation)
        return result

    def make_model(self, data: Prepared) -> nn.Module:
        """The untrained model. The same seed gives the same weights."""
        torch.manual_seed(self.seed)
        text = torch.from_numpy(data.text_vectors)
        if self.entry.kind == M2REC:
            config = ModelConfig(
                **self.settings, items=data.item_count, warm_items=data.warm_items, text_width=text.shape[1]
            )
            return M2Rec(config, text, repeat_log_odds(data))
        if self.entry.kind in COUNTING:
            counts = torch.from_numpy(data.train_counts)
            return make_baseline(self.entry.kind, data.item_count, data.warm_items, train_counts=counts)
        return make_baseline(
            self.entry.kind,
            data.item_count,
            data.warm_items,
            text,
            self.settings,
            repeat_bias=repeat_log_odds(data),
        )

    def _start(self, model: nn.Module, data: Prepared) -> Start | None:
        """Give `model` the weights of the run `before`, if there is one."""
        if self.before is None:
            return None
        start = load_start(self.before.weights_file, cast(M2Rec, model), data)
        model.load_state_dict(start.weights)
        return start

    def _keep(self, model: nn.Module, record: TrainingRecord) -> None:
        """Save the best weights, to measure them again or to start M2Rec from them without another training run."""
        try:
            run = FinishedRun(kind=self.entry.kind, fingerprint=self.fingerprint, record=record)
            save_finished(self.weights_file, model, run)
        except (OSError, SafetensorError) as error:
            raise DataError(
                f"{self.weights_file} could not be saved ({error}); free some space and run it again."
            ) from error

    def _save(self, result: Result, ranked: Evaluation) -> None:
        """Save ranks, then figures: `result` ignores figures without ranks, so a kill in between does no harm."""
        try:
            save_ranks(self.ranks_file, ranked, self.key)
            with atomic_file(self.result_file) as temporary:
                temporary.write_text(result.model_dump_json(indent=2) + "\n", encoding="utf-8")
        except OSError as error:
            raise DataError(
                f"{self.result_file} could not be saved ({error}); free some space and run it again."
            ) from error


def _settings(plan: Plan, entry: Entry, world: WorldSettings) -> dict[str, Any]:
    """All settings of the model, from the world, the plan and the entry; later ones win."""
    if entry.kind not in KINDS:
        raise DataError(
            f"The plan {plan.name} asks for a model {entry.kind!r} ({entry.name}); choose one of {', '.join(KINDS)}."
        )
    try:
        if entry.kind == M2REC:
            own = {name: value for name, value in plan.settings.items() if name in ModelSettings.model_fields}
            return ModelSettings.model_validate(world.model.model_dump() | own | entry.settings).model_dump(mode="json")
        if entry.kind in COUNTING:
            if entry.settings:
                raise DataError(f"In the plan {plan.name}, {entry.name} has settings, but {entry.kind} takes none.")
            return {}
        known = type(checked_settings(entry.kind, {})).model_fields
        shared = world.model.model_dump() | plan.settings
        shared = {name: shared[name] for name in ("width", "max_length", "dropout", *plan.settings) if name in known}
        return checked_settings(entry.kind, shared | entry.settings).model_dump(mode="json")
    except InputError as error:
        raise DataError(f"In the plan {plan.name}, {entry.name} cannot be made: {error}") from error
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"])) or "its settings"
        raise DataError(f"In the plan {plan.name}, {entry.name} has a mistake at {where}: {first['msg']}.") from error


def _training(plan: Plan, entry: Entry, world: WorldSettings, seed: int, *, biased: bool) -> TrainingSettings:
    """The training settings, from the world, the plan and the entry; later ones win. `biased`: it has a repeat bias."""
    chosen = world.training.model_dump() | plan.training | entry.training | {"seed": seed}
    if not biased:
        chosen.pop("repeat_bias_rate", None)  # it changes nothing there, so it is no part of the key
    try:
        return TrainingSettings.model_validate(chosen)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"]))
        raise DataError(
            f"In the plan {plan.name}, the training of {entry.name} has a mistake at {where}: {first['msg']}."
        ) from error


def _start_of(plan: Plan, entry: Entry) -> Entry:
    """The entry that `entry` starts from. Raises DataError when that is impossible."""
    found = next((one for one in plan.entries if one.name == entry.starts_from), None)
    if found is None or found.kind != TEMPORAL_ALONE or entry.kind != M2REC:
        raise DataError(
            f"In the plan {plan.name}, {entry.name} cannot start from {entry.starts_from}: only {M2REC} can start from "
            f"another entry, which must be a {TEMPORAL_ALONE}."
        )
    return found


def _by_name(found: Evaluation) -> dict[str, Figures]:
    return {seen: dict(figures) for seen, figures in found.figures.items()}
