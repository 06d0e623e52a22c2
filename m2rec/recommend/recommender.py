"""A checkpoint that answers, and how it is loaded and saved: from a folder or the hub, to a folder or the hub."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Self, cast

from huggingface_hub import ModelHubMixin

from m2rec.checkpoint import Checkpoint, Item
from m2rec.checkpoint_folder import fetched, nearest_folder
from m2rec.data.settings import Source
from m2rec.errors import CheckpointError
from m2rec.recommend.engine import Engine
from m2rec.recommend.history import GivenHistory, as_list
from m2rec.recommend.live import Live


class Recommender(
    Engine,
    ModelHubMixin,
    library_name="m2rec",
    tags=["sequential-recommendation", "mamba", "explainable"],
    repo_url="https://arxiv.org/abs/2505.04445",
):
    """One loaded checkpoint: `Recommender.from_pretrained(folder).recommend(history)`."""

    def __new__(cls, *_: Any, **__: Any) -> Self:
        """Not the mixin's, which takes the checkpoint for a configuration and keeps a copy of all weights."""
        return object.__new__(cls)

    def __init__(self, checkpoint: Checkpoint, catalogue: Sequence[Item] | None = None) -> None:
        """`catalogue` replaces the checkpoint's items where titles live on the user's machine; same ids, same order."""
        super().__init__(checkpoint, catalogue)

    @classmethod
    def _from_pretrained(cls, *, model_id: str, **options: Any) -> Self:
        """`model_id` is a folder or a hub id; only the four files of a checkpoint are fetched, never a pickle."""
        folder = Path(model_id)
        if not folder.is_dir():
            # "checkpoints/rythm-market" is a mistyped folder, and not the id of somebody's model, where checkpoints/ is
            meant = nearest_folder(folder)
            if meant or (folder.parent != Path() and folder.parent.is_dir()) or model_id.count("/") != 1:
                hint = f"; did you mean {meant}?" if meant else "; give a folder, or a model's id on the hub."
                raise CheckpointError(f"There is no checkpoint folder {model_id}{hint}")
            folder = fetched(model_id, **options)
        return cls(Checkpoint.load(folder))

    @classmethod
    def from_pretrained(cls, pretrained_model_name_or_path: str | Path, **options: Any) -> Self:
        """Load a checkpoint folder, or a hub id. Raises CheckpointError with what is wrong."""
        # the mixin would read config.json itself, and leniently; only `Checkpoint` reads it
        return cls._from_pretrained(model_id=str(pretrained_model_name_or_path), **options)

    def save_pretrained(self, save_directory: str | Path, **options: Any) -> str | None:
        """Write the checkpoint folder whole, or leave what was there; `push_to_hub` and its options as in the mixin."""
        # the mixin deletes config.json before anything new is written, which a full disk would turn into a loss
        self.checkpoint.save(Path(save_directory))
        return super().save_pretrained(save_directory, **options) if options.get("push_to_hub") else None

    def _save_pretrained(self, save_directory: Path) -> None:
        self.checkpoint.save(save_directory)

    def with_titles(self) -> "Recommender":
        """The same model with the titles of the data on this machine, where they may not be shipped with it; itself
        where they are shipped or not on this machine. Raises DataError for a damaged file.
        """
        if self.config.titles == "shipped":
            return self
        from m2rec.data.sources.registry import titles_for  # imported late: it needs pandas

        table = titles_for(cast(Source, self.config.data.source), [item.item_id for item in self.items])
        if table is None:
            return self
        found = zip(table["item"], table["title"], table["text"], table["group"], strict=True)
        return Recommender(self.checkpoint, [Item(*row) for row in found])

    def start(self, history: GivenHistory = ()) -> Live:
        """A cached state: the cost of one more item does not depend on the length of the history."""
        live = Live(self)
        for item in as_list(history):
            live.take(item)
        return live
