"""What must be the same for a killed run to resume."""

import hashlib
import json

from torch import nn

from m2rec.data.prepared import Prepared
from m2rec.training.settings import TrainingSettings


def run_key(model: nn.Module, prepared: Prepared, settings: TrainingSettings, max_length: int) -> str:
    """A hash of what must be the same for a run to resume: data, training settings and the shape of every weight.

    `made_from` covers the rest. It is kept apart so that the keys of unfinished older runs stay valid.
    """
    shapes = {name: list(tensor.shape) for name, tensor in model.state_dict().items()}
    parts = [type(model).__name__, shapes, prepared.fingerprint, settings.model_dump(), max_length]
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()


def made_from(model: nn.Module) -> str:
    """A hash of the model's settings and its frozen tensors: dropout, time scales or text vectors can change without
    changing the shape of any weight.
    """
    settings = getattr(model, "config", None)
    digest = hashlib.sha256(settings.model_dump_json().encode() if settings else b"")
    trained = {name for name, parameter in model.named_parameters() if parameter.requires_grad}
    for name, tensor in sorted(model.state_dict().items()):
        if name not in trained:
            digest.update(name.encode())
            digest.update(tensor.detach().cpu().contiguous().numpy().tobytes())
    return digest.hexdigest()
