"""What a training run gives back, at its end and after each better epoch."""

from dataclasses import dataclass
from datetime import UTC, datetime

from torch import nn

from m2rec.checkpoint import TrainingRecord
from m2rec.training.resume import Progress
from m2rec.training.settings import TrainingSettings


@dataclass(frozen=True)
class Trained:
    """A model with its best weights so far, and how it was trained."""

    model: nn.Module
    progress: Progress
    device: str  # or devices, on which it was trained
    lead: bool  # whether this process is the one that writes
    revision: str  # of the code when the run began or resumed

    def record(self, settings: TrainingSettings, command: str, before: TrainingRecord | None = None) -> TrainingRecord:
        """How the weights were trained, as checkpoints and results keep it. `before` is the record of the weights that
        the run started from. The date is today's.
        """
        epochs, best_epoch = self.progress.epochs, self.progress.best_epoch
        return TrainingRecord(
            settings=settings.model_dump(),
            command=command,
            epochs=len(epochs),
            best_epoch=best_epoch,
            seconds=round(self.progress.seconds, 1),
            peak_memory_mib=round(self.progress.peak_memory_mib, 1),
            git_revision=self.revision,
            date=datetime.now(UTC).date().isoformat(),
            validation=epochs[best_epoch - 1].validation if epochs else None,
            before=before,
        )
