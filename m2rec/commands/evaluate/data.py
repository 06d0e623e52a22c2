"""The data that a checkpoint was trained on."""

from typing import TYPE_CHECKING

from m2rec.commands.places import find_world
from m2rec.data.cache import prepared_folder
from m2rec.errors import CheckpointError

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np

    from m2rec.checkpoint import CheckpointConfig
    from m2rec.data.prepared import Prepared


def data_of(config: "CheckpointConfig") -> "Prepared":
    """The data of a checkpoint: as prepared on this machine, or read again without texts.

    Raises CheckpointError when they are not the data that the checkpoint was trained on.
    """
    import numpy as np

    from m2rec.data.prepared import Prepared
    from m2rec.worlds.prepare import prepare_world

    class NoTexts:
        """Evaluation uses the checkpoint's text vectors, so none are computed."""

        def encode(self, texts: "Sequence[str]") -> "np.ndarray":
            return np.zeros((len(texts), 1), dtype=np.float32)

    folder = prepared_folder(config.world)
    prepared = Prepared.load(folder) if folder.is_dir() else prepare_world(find_world(config.world), NoTexts())
    if prepared.fingerprint != config.data.fingerprint:
        raise CheckpointError(
            f"The checkpoint of {config.world} was trained on other data than those on this machine; prepare the same "
            "tables with the same settings, or train again."
        )
    return prepared
