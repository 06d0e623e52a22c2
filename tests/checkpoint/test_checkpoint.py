"""A world on disk: it is read as it was written, and damage is refused with a sentence that names the file."""

import hashlib
import json
import os
import pickle
import re
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors.torch import load_file, save

from m2rec.branches import BRANCHES, GATE_LABELS
from m2rec.checkpoint import Checkpoint, CheckpointConfig, Item
from m2rec.errors import CheckpointError, InputError
from tests.tiny_world import tiny_checkpoint, tiny_items


@pytest.fixture
def world(tiny_world: Path, tmp_path: Path) -> Path:
    """A copy of the tiny shop that tests may damage."""
    return Path(shutil.copytree(tiny_world, tmp_path / "world"))


def rewrite_config(world: Path, change: Callable[[dict[str, Any]], object]) -> None:
    """Change config.json as a program would."""
    path = world / "config.json"
    config = json.loads(path.read_text(encoding="utf-8"))
    change(config)
    config["sha256"].pop("config.json", None)
    path.write_text(json.dumps(config), encoding="utf-8")


def rewrite(world: Path, name: str, content: bytes) -> None:
    """Change a file and its hash in config.json, as damage that no checksum shows."""
    (world / name).write_bytes(content)
    rewrite_config(world, lambda config: config["sha256"].update({name: hashlib.sha256(content).hexdigest()}))


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


# ── what is written is read back ────────────────────────────────────────────────────────────────────────────────


def test_a_checkpoint_is_read_as_it_was_written(tmp_path: Path) -> None:
    saved = tiny_checkpoint()
    saved.save(tmp_path / "world")
    loaded = Checkpoint.load(tmp_path / "world")
    assert loaded.config.model_copy(update={"sha256": {}}) == saved.config
    assert loaded.items == saved.items == tiny_items()
    assert loaded.card == saved.card
    assert loaded.weights.keys() == saved.weights.keys()
    assert all(np.array_equal(loaded.weights[name], tensor) for name, tensor in saved.weights.items())


def test_the_folder_has_the_promised_files_and_no_pickle(world: Path) -> None:
    assert {path.name for path in world.iterdir()} == {"config.json", "model.safetensors", "items.csv", "README.md"}
    assert (world / "items.csv").read_text(encoding="utf-8").startswith("item,title,text,group\ni00,Ground coffee,")
    assert list(load_file(world / "model.safetensors"))


def test_saving_again_writes_the_same_bytes(world: Path, tmp_path: Path) -> None:
    Checkpoint.load(world).save(tmp_path / "again")
    assert contents(tmp_path / "again") == contents(world)


def test_every_gate_weight_has_a_label() -> None:
    assert tuple(GATE_LABELS) == BRANCHES
    assert tiny_checkpoint().config.gate_labels == GATE_LABELS


def test_titles_that_may_not_be_shipped_are_not_written(tmp_path: Path) -> None:
    checkpoint = tiny_checkpoint()
    local = replace(checkpoint, config=checkpoint.config.model_copy(update={"titles": "local"}))
    local.save(tmp_path / "world")
    written = b"".join(contents(tmp_path / "world").values()).decode("utf-8", "replace")
    assert not [item.title for item in tiny_items() if item.title in written]
    assert (tmp_path / "world" / "items.csv").read_text(encoding="utf-8").splitlines()[:2] == ["item", "i00"]
    assert Checkpoint.load(tmp_path / "world").items == [Item(item.item_id) for item in tiny_items()]


@settings(max_examples=25)
@given(
    texts=st.lists(
        st.tuples(*[st.text(st.characters(exclude_categories=["Cs"]), max_size=20)] * 3), min_size=30, max_size=30
    )
)
def test_any_title_survives_whatever_is_in_it(
    tmp_path_factory: pytest.TempPathFactory, texts: list[tuple[str, str, str]]
) -> None:
    items = [Item(f"i{place}", *row) for place, row in enumerate(texts)]
    folder = tmp_path_factory.mktemp("titles") / "world"
    replace(tiny_checkpoint(), items=items).save(folder)
    assert Checkpoint.load(folder).items == items


def test_tensors_that_are_views_are_saved_completely(tmp_path: Path) -> None:
    checkpoint = tiny_checkpoint()
    turned = {
        name: np.asfortranarray(tensor) if tensor.ndim == 2 else tensor for name, tensor in checkpoint.weights.items()
    }
    replace(checkpoint, weights=turned).save(tmp_path / "world")
    loaded = Checkpoint.load(tmp_path / "world").weights
    assert all(np.array_equal(loaded[name], tensor) for name, tensor in checkpoint.weights.items())


# ── saving is all or nothing ────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("fails_at", ["items.csv", "config.json", "README.md", "the last move"])
def test_a_full_disk_leaves_the_old_world_unchanged(
    world: Path, fails_at: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = contents(world)
    full = OSError(28, "No space left on device")

    def check(path: Path) -> None:
        if path.name == fails_at:
            raise full

    write_bytes, write_text, move = Path.write_bytes, Path.write_text, os.replace
    monkeypatch.setattr(Path, "write_bytes", lambda path, *args, **kw: (check(path), write_bytes(path, *args, **kw))[1])
    monkeypatch.setattr(Path, "write_text", lambda path, *args, **kw: (check(path), write_text(path, *args, **kw))[1])

    def replace_or_fail(source: Path, target: Path) -> None:
        if fails_at == "the last move" and target == world and source.name == "new":
            raise full
        move(source, target)

    monkeypatch.setattr("m2rec.atomic._exchange", lambda *_: False)
    monkeypatch.setattr(os, "replace", replace_or_fail)
    changed = replace(tiny_checkpoint(), card="another card")
    with pytest.raises(
        CheckpointError, match=r"could not be saved .*No space left on device.* the old one is unchanged"
    ):
        changed.save(world)
    monkeypatch.undo()
    assert contents(world) == before
    assert [path.name for path in world.parent.iterdir()] == ["world"]


def test_a_save_replaces_the_old_world_with_its_figures(world: Path) -> None:
    (world / "metrics.json").write_text("{}")
    replace(tiny_checkpoint(), card="another card").save(world)
    assert not (world / "metrics.json").exists()
    assert Checkpoint.load(world).card == "another card"


def test_a_save_keeps_what_it_did_not_write(world: Path) -> None:
    (world / ".git").mkdir()
    for name in (".git/HEAD", ".gitattributes", "notes.txt"):
        (world / name).write_text("mine")
    (world / "ranks.npz").write_text("of the older weights")
    replace(tiny_checkpoint(), card="another card").save(world)
    assert Checkpoint.load(world).card == "another card"
    assert [(world / name).read_text() for name in (".git/HEAD", ".gitattributes", "notes.txt")] == ["mine"] * 3
    assert not (world / "ranks.npz").exists()


@pytest.mark.parametrize("config", [None, "not JSON", "[]", '{"architectures": ["Bert"], "format": 1}'])
def test_a_folder_that_is_no_checkpoint_is_refused_and_unchanged(tmp_path: Path, config: str | None) -> None:
    (tmp_path / "thesis.txt").write_text("mine")
    if config:
        (tmp_path / "config.json").write_text(config)
    before = contents(tmp_path)
    with pytest.raises(InputError, match="is not empty and not a checkpoint"):
        tiny_checkpoint().save(tmp_path)
    assert contents(tmp_path) == before


def test_a_checkpoint_of_another_version_is_replaced(world: Path) -> None:
    rewrite_config(world, lambda config: config["model"].update(setting_of_another_version=1))
    with pytest.raises(CheckpointError):
        Checkpoint.load(world)
    tiny_checkpoint().save(world)
    assert Checkpoint.load(world).items == tiny_items()


def test_a_checkpoint_without_its_configuration_is_replaced_as_the_hub_needs(world: Path) -> None:
    (world / "config.json").unlink()
    tiny_checkpoint().save(world)
    assert Checkpoint.load(world).items == tiny_items()


# ── what is damaged is refused ──────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("name", ["config.json", "model.safetensors", "items.csv"])
def test_a_missing_file_is_named(world: Path, name: str) -> None:
    (world / name).unlink()
    with pytest.raises(CheckpointError, match=f"{name} is missing"):
        Checkpoint.load(world)


def test_a_folder_that_is_not_there_is_a_missing_file(tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match=r"config\.json is missing"):
        Checkpoint.load(tmp_path / "nowhere")


def test_a_file_instead_of_the_folder_is_refused(tmp_path: Path) -> None:
    (tmp_path / "world").write_text("not a folder")
    with pytest.raises(CheckpointError, match="cannot be read"):
        Checkpoint.load(tmp_path / "world")


def test_a_world_without_a_card_or_with_a_broken_one_still_answers(world: Path) -> None:
    (world / "README.md").write_bytes(b"caf\xe9")
    assert Checkpoint.load(world).card == "caf�"
    (world / "README.md").unlink()
    assert Checkpoint.load(world).card == ""


@pytest.mark.parametrize("name", ["model.safetensors", "items.csv"])
@settings(max_examples=15)
@given(place=st.floats(0, 1, exclude_max=True), bit=st.integers(0, 7))
def test_one_flipped_bit_anywhere_is_detected(
    tmp_path_factory: pytest.TempPathFactory, tiny_world: Path, name: str, place: float, bit: int
) -> None:
    world = Path(shutil.copytree(tiny_world, tmp_path_factory.mktemp("flipped") / "world"))
    content = bytearray((world / name).read_bytes())
    content[int(place * len(content))] ^= 1 << bit
    (world / name).write_bytes(content)
    with pytest.raises(CheckpointError, match=re.escape(name) + r" is not the file that config\.json describes"):
        Checkpoint.load(world)


@pytest.mark.parametrize("name", ["config.json", "model.safetensors", "items.csv"])
@pytest.mark.parametrize("share", [0.0, 0.001, 0.1, 0.5, 0.9, 0.999])
def test_a_file_cut_short_is_refused_wherever_it_was_cut(world: Path, name: str, share: float) -> None:
    content = (world / name).read_bytes()
    (world / name).write_bytes(content[: int(share * len(content))])
    with pytest.raises(CheckpointError, match=name):
        Checkpoint.load(world)


@pytest.mark.parametrize("cut", [0, 4, 8, 100, 2000, -4000, -1])
def test_truncated_weights_are_refused_even_with_a_matching_checksum(world: Path, cut: int) -> None:
    rewrite(world, "model.safetensors", (world / "model.safetensors").read_bytes()[:cut])
    with pytest.raises(CheckpointError, match=r"model\.safetensors is not a readable safetensors file"):
        Checkpoint.load(world)


def test_a_disguised_pickle_is_refused_and_not_executed(world: Path, tmp_path: Path) -> None:
    class Attack:
        def __reduce__(self) -> tuple[Any, ...]:
            return os.mkdir, (str(tmp_path / "attacked"),)

    rewrite(world, "model.safetensors", pickle.dumps(Attack()))
    with pytest.raises(CheckpointError, match="not a readable safetensors file"):
        Checkpoint.load(world)
    assert not (tmp_path / "attacked").exists()


@pytest.mark.parametrize("bad", [float("nan"), float("inf")])
def test_non_finite_weights_are_refused_by_name(world: Path, bad: float) -> None:
    weights = load_file(world / "model.safetensors")
    weights["gate.feed.0.bias"][3] = bad
    rewrite(world, "model.safetensors", save(weights))
    with pytest.raises(CheckpointError, match=r"not finite, in gate\.feed\.0\.bias"):
        Checkpoint.load(world)


def test_a_missing_weight_is_named(world: Path) -> None:
    weights = load_file(world / "model.safetensors")
    del weights["gate.feed.0.bias"]
    rewrite(world, "model.safetensors", save(weights))
    with pytest.raises(CheckpointError, match=r"weights of tiny-shop do not fit .*gate\.feed\.0\.bias"):
        Checkpoint.load(world).model()


def test_an_additional_weight_is_named(world: Path) -> None:
    weights = load_file(world / "model.safetensors") | {"surprise": torch.zeros(2)}
    rewrite(world, "model.safetensors", save(weights))
    with pytest.raises(CheckpointError, match=r"do not fit .*surprise"):
        Checkpoint.load(world).model()


@pytest.mark.parametrize("change", [{"width": 32}, {"temporal_layers": 2}, {"periods": [2, 3]}, {"text_width": 12}])
def test_weights_of_another_shape_are_refused(world: Path, change: dict[str, Any]) -> None:
    rewrite_config(world, lambda config: config["model"].update(change))
    with pytest.raises(CheckpointError, match="The weights of tiny-shop do not fit its configuration"):
        Checkpoint.load(world).model()


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda config: config.update(surprise=1), "surprise: Extra inputs are not permitted"),
        (lambda config: config["model"].update(widht=64), r"model\.widht: Extra inputs are not permitted"),
        (lambda config: config["training"].update(gpu="x"), r"training\.gpu: Extra inputs are not permitted"),
        (lambda config: config.pop("world"), "world: Field required"),
        (lambda config: config.update(format=2), "format: Input should be 1"),
        (lambda config: config["model"].update(width="wide"), r"model\.width: Input should be a valid integer"),
        (lambda config: config["model"].update(warm_items=31), r"warm_items \(31\) cannot exceed items \(30\)"),
        (lambda config: config.update(titles="secret"), "titles: Input should be 'shipped' or 'local'"),
    ],
)
def test_a_configuration_with_a_mistake_is_refused_with_the_place(
    world: Path, change: Callable[[dict[str, Any]], object], says: str
) -> None:
    rewrite_config(world, change)
    with pytest.raises(CheckpointError, match=r"config\.json is not a valid configuration: .*" + says):
        Checkpoint.load(world)


@pytest.mark.parametrize("content", [b"", b"{", b"caf\xe9", b"[]", b"null", b"[" * 100_000])
def test_an_invalid_configuration_is_refused(world: Path, content: bytes) -> None:
    (world / "config.json").write_bytes(content)
    with pytest.raises(CheckpointError, match=r"config\.json is not"):
        Checkpoint.load(world)


def test_without_a_checksum_a_file_is_not_trusted(world: Path) -> None:
    rewrite_config(world, lambda config: config["sha256"].pop("items.csv"))
    with pytest.raises(CheckpointError, match=r"items\.csv is not the file that config\.json describes"):
        Checkpoint.load(world)


def test_a_number_of_items_that_differs_from_the_weights_is_refused(world: Path) -> None:
    lines = (world / "items.csv").read_bytes().splitlines(keepends=True)
    rewrite(world, "items.csv", b"".join(lines[:-1]))
    with pytest.raises(CheckpointError, match="has 29 items, the weights were trained for 30"):
        Checkpoint.load(world)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda text: text.replace("i01,", "i00,", 1), "names an item twice"),
        (lambda text: text.replace("item,title,text,group", "id,title,text,group", 1), "must start with the columns"),
        (lambda text: text.replace("i01,Oat milk,", "i01,", 1), "rows of different lengths"),
        (lambda text: "", "must start with the columns"),
        (lambda text: text + '"open', "rows of different lengths"),
    ],
)
def test_a_catalogue_with_a_mistake_is_refused(world: Path, change: Callable[[str], str], says: str) -> None:
    rewrite(world, "items.csv", change((world / "items.csv").read_text(encoding="utf-8")).encode())
    with pytest.raises(CheckpointError, match=rf"items\.csv.* {says}"):
        Checkpoint.load(world)


def test_a_catalogue_in_another_encoding_is_refused(world: Path) -> None:
    rewrite(world, "items.csv", (world / "items.csv").read_text(encoding="utf-8").encode("latin-1"))
    with pytest.raises(CheckpointError, match="not readable CSV in UTF-8"):
        Checkpoint.load(world)


def test_every_refusal_is_one_sentence(world: Path) -> None:
    (world / "model.safetensors").write_bytes(b"\x00")
    with pytest.raises(CheckpointError) as error:
        Checkpoint.load(world)
    assert "\n" not in str(error.value)
    assert str(error.value).endswith(".")


def test_a_configuration_names_where_it_was_trained(world: Path) -> None:
    config = CheckpointConfig.model_validate_json((world / "config.json").read_text(encoding="utf-8"))
    assert config.trained_on == "nothing: the weights are random"
