"""Damage of every kind, at many places, gives a CheckpointError of one sentence, and never half a world on the page."""

import hashlib
import json
import os
import pickle
import shutil
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors.torch import load_file, save

from m2rec.checkpoint import Checkpoint, Item
from m2rec.errors import CheckpointError
from m2rec.recommend.recommender import Recommender
from m2rec.ui.session.world import World
from m2rec.ui.session.worlds import Worlds
from m2rec.ui.web.service import Service
from tests.fuzz.verdict import sentence
from tests.tiny_world import tiny_checkpoint, tiny_items

FILES = ("config.json", "model.safetensors", "items.csv")


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The tiny shop, never changed."""
    folder = tmp_path_factory.mktemp("whole") / "tiny-shop"
    tiny_checkpoint().save(folder)
    return folder


@pytest.fixture
def world(whole: Path, tmp_path: Path) -> Path:
    """A copy that tests may damage."""
    return Path(shutil.copytree(whole, tmp_path / "tiny-shop"))


def refused(folder: Path) -> str:
    """The error for the world when it is opened, loaded and used."""
    with pytest.raises(CheckpointError) as caught:
        Recommender.from_pretrained(folder)
    message = str(caught.value)
    sentence(message)
    return message


def vouch(folder: Path, name: str, content: bytes) -> None:
    """Change a file and make all hashes fit, as an attacker would."""
    (folder / name).write_bytes(content)
    config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    config["sha256"][name] = hashlib.sha256(content).hexdigest()
    config["sha256"].pop("config.json")
    (folder / "config.json").write_text(json.dumps(config), encoding="utf-8")


def configured(folder: Path, change: Callable[[dict[str, Any]], object]) -> None:
    """Change config.json and remove its own hash."""
    config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    config["sha256"].pop("config.json")
    change(config)
    (folder / "config.json").write_text(json.dumps(config), encoding="utf-8")


def boundaries(name: str, content: bytes) -> Iterator[int]:
    """Boundaries within a file: a tensor's first and last byte, ends of lines, the ends of the header."""
    yield from (0, 1, len(content) - 1)
    if name == "model.safetensors":
        header = int.from_bytes(content[:8], "little")
        yield from (7, 8, 9, 8 + header - 1, 8 + header)
        for about in json.loads(content[8 : 8 + header]).values():
            for edge in about.get("data_offsets", ()):
                yield from (8 + header + edge - 1, 8 + header + edge, 8 + header + edge + 1)
    else:
        yield from (place + step for place, byte in enumerate(content) if byte == 10 for step in (0, 1))


@pytest.mark.parametrize("name", FILES)
def test_a_file_cut_short_anywhere_is_refused(world: Path, name: str) -> None:
    content = (world / name).read_bytes()
    places = {*boundaries(name, content), *range(0, len(content), max(1, len(content) // 150))}
    # what ends within the last line break of config.json is still the same configuration
    meaningful = len(content.rstrip()) if name == "config.json" else len(content)
    cuts = sorted(place for place in places if place < meaningful)
    assert len(cuts) > 150
    for cut in cuts:
        (world / name).write_bytes(content[:cut])
        assert name in refused(world), cut


@pytest.mark.parametrize("name", ["model.safetensors", "items.csv"])
def test_a_file_cut_short_with_its_hash_made_to_fit_is_refused_or_lacks_only_a_text(world: Path, name: str) -> None:
    content = (world / name).read_bytes()
    original = (world / "config.json").read_bytes()
    for cut in sorted({*boundaries(name, content), *range(0, len(content), max(1, len(content) // 60))}):
        if cut >= len(content) - 1:  # without its last line break the catalogue is the same
            continue
        (world / "config.json").write_bytes(original)
        vouch(world, name, content[:cut])
        if name == "items.csv" and content[:cut].count(b",") == content.count(b","):
            assert len(Checkpoint.load(world).items) == len(tiny_items())
        else:
            assert name in refused(world), cut


@pytest.mark.parametrize("name", FILES)
@settings(max_examples=60, deadline=None)
@given(place=st.floats(0, 1, exclude_max=True), bit=st.integers(0, 7))
def test_a_flipped_bit_anywhere_is_refused_or_changes_nothing(whole: Path, name: str, place: float, bit: int) -> None:
    content = bytearray((whole / name).read_bytes())
    content[int(place * len(content))] ^= 1 << bit
    with_flip = whole.parent / f"flipped-{name}"
    shutil.rmtree(with_flip, ignore_errors=True)
    shutil.copytree(whole, with_flip)
    (with_flip / name).write_bytes(content)
    try:
        read = Checkpoint.load(with_flip)
    except CheckpointError as refusal:
        message = str(refusal)
        sentence(message)
    else:  # a blank of config.json that became another blank
        assert name == "config.json"
        assert read.config == Checkpoint.load(whole).config


@settings(max_examples=60, deadline=None)
@given(
    start=st.integers(0, 3000), length=st.integers(1, 300), filling=st.sampled_from([b"", b"\0", b"\xff", b"9", b'"'])
)
def test_a_damaged_header_of_the_weights_is_refused(whole: Path, start: int, length: int, filling: bytes) -> None:
    folder = whole.parent / "holed"
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(whole, folder)
    content = (folder / "model.safetensors").read_bytes()
    holed = content[:start] + filling * length + content[start + length :]
    vouch(folder, "model.safetensors", holed)
    if holed != content and start < 8 + int.from_bytes(content[:8], "little"):
        refused(folder)


@pytest.mark.parametrize("missing", [[name] for name in FILES] + [[*FILES]])
def test_missing_files_are_named(world: Path, missing: list[str]) -> None:
    for name in missing:
        (world / name).unlink()
    assert missing[0] in refused(world)


@pytest.mark.parametrize("name", FILES)
def test_a_folder_instead_of_a_file_is_refused(world: Path, name: str) -> None:
    (world / name).unlink()
    (world / name).mkdir()
    assert name in refused(world)


def test_the_vocabulary_of_another_world_is_refused(world: Path, tmp_path: Path) -> None:
    other = replace(tiny_checkpoint(), items=[Item(f"x{place}", "Thing") for place, _ in enumerate(tiny_items())])
    other.save(tmp_path / "other")
    shutil.copy(tmp_path / "other" / "items.csv", world / "items.csv")
    assert "items.csv is not the file that config.json describes" in refused(world)


def test_the_weights_of_another_world_are_refused(world: Path, tmp_path: Path) -> None:
    tiny_checkpoint(temporal_layers=2).save(tmp_path / "other")
    shutil.copy(tmp_path / "other" / "model.safetensors", world / "model.safetensors")
    assert "model.safetensors is not the file that config.json describes" in refused(world)


def test_the_configuration_of_another_world_is_refused(world: Path, tmp_path: Path) -> None:
    tiny_checkpoint(temporal_layers=2).save(tmp_path / "other")
    shutil.copy(tmp_path / "other" / "config.json", world / "config.json")
    assert "model.safetensors is not the file that config.json describes" in refused(world)


def test_a_configuration_that_was_changed_after_saving_is_refused(world: Path) -> None:
    text = (world / "config.json").read_text(encoding="utf-8")
    (world / "config.json").write_text(text.replace('"max_length": 40', '"max_length": 41'), encoding="utf-8")
    assert "config.json is not as it was saved (its SHA-256 differs)" in refused(world)


def test_an_older_checkpoint_without_a_hash_of_its_configuration_is_read(world: Path) -> None:
    config = Checkpoint.load(world).config
    configured(world, lambda _: None)
    assert Checkpoint.load(world).config.model_copy(update={"sha256": {}}) == config.model_copy(update={"sha256": {}})


def test_a_hash_of_an_unknown_file_is_refused(world: Path) -> None:
    configured(world, lambda config: config["sha256"].update({"../../etc/passwd": "0" * 64}))
    assert "SHA-256 of a file that no checkpoint holds" in refused(world)


@pytest.mark.parametrize(
    "name", ["", "..", ".hidden", "../../etc", "/etc/passwd", "a/b", "a\\b", "x\0y", "a\nb", "\u202eevil", "x" * 101]
)
def test_a_worlds_name_that_leads_elsewhere_is_refused(world: Path, name: str) -> None:
    configured(world, lambda config: config.update(world=name))
    assert "config.json is not a valid configuration: world" in refused(world)


@pytest.mark.parametrize("item_id", ["", "~lamp", "x" * 201])
def test_an_item_that_no_link_could_name_is_refused_when_saved_and_when_read(world: Path, item_id: str) -> None:
    text = (world / "items.csv").read_text(encoding="utf-8")
    vouch(world, "items.csv", text.replace("i01,", f"{item_id},", 1).encode())
    assert "row 3" in refused(world)
    with pytest.raises(CheckpointError, match="row 2"):
        replace(tiny_checkpoint(), items=[Item(item_id), *tiny_items()[1:]]).save(world.parent / "new")
    assert not (world.parent / "new").exists()


@pytest.mark.parametrize("title", ["x" * 140_000, "\ud800"])
def test_a_title_that_could_not_be_read_again_is_refused_before_anything_is_written(world: Path, title: str) -> None:
    before = (world / "items.csv").read_bytes()
    with pytest.raises(CheckpointError, match=r"items\.csv"):
        replace(tiny_checkpoint(), items=[Item("a", title), *tiny_items()[1:]]).save(world)
    assert (world / "items.csv").read_bytes() == before


@pytest.mark.parametrize(
    "change",
    [
        {"items": 10**12},
        {"items": 10**40},
        {"width": 10**7},
        {"state_width": 10**9},
        {"filter_length": 10**12},
        {"temporal_layers": 10**9},
        {"expansion": 10**10},
        {"head_width": 10**9, "heads_per_scale": 10**3},
        {"periods": []},
        {"taste_scales": [1e-300]},
    ],
)
def test_a_configuration_of_excessive_size_is_refused(world: Path, change: dict[str, Any]) -> None:
    configured(world, lambda config: config["model"].update(change))
    refused(world)


@pytest.mark.parametrize("bad", [float("nan"), float("inf"), -float("inf"), 3e38])
@pytest.mark.parametrize("name", ["gate.feed.0.bias", "ids", "text", "temporal.softmax.log_temperature"])
def test_weights_that_give_non_finite_answers_are_refused(world: Path, name: str, bad: float) -> None:
    weights = load_file(world / "model.safetensors")
    weights[name].view(-1)[:] = bad
    vouch(world, "model.safetensors", save(weights))
    try:
        answer = Recommender.from_pretrained(world).recommend(["Honey", "i00"])
    except CheckpointError as refusal:
        message = str(refusal)
        sentence(message)
        assert bad == 3e38 or name in message
    else:
        assert bad == 3e38
        assert all(0 <= item.probability <= 1 for item in answer.items)


@pytest.mark.parametrize("kind", [torch.int64, torch.bool, torch.complex64])
def test_weights_of_another_type_are_refused_by_name(world: Path, kind: torch.dtype) -> None:
    weights = load_file(world / "model.safetensors")
    weights["ids"] = weights["ids"].to(kind)
    vouch(world, "model.safetensors", save(weights))
    assert "ids" in refused(world)


class Attack:
    """Makes a folder when it is unpickled."""

    def __init__(self, target: Path) -> None:
        self.target = target

    def __reduce__(self) -> tuple[Any, ...]:
        """Called by unpickling."""
        return os.mkdir, (str(self.target),)


@pytest.mark.parametrize("disguise", ["pickle", "torch", "zip", "header"])
def test_a_pickle_in_any_disguise_is_refused_and_not_executed(world: Path, tmp_path: Path, disguise: str) -> None:
    target, file = tmp_path / "attacked", tmp_path / "disguised"
    if disguise == "pickle":
        file.write_bytes(pickle.dumps(Attack(target)))
    elif disguise == "torch":
        torch.save(Attack(target), file)
    elif disguise == "zip":
        with zipfile.ZipFile(file, "w") as packed:
            packed.writestr("archive/data.pkl", pickle.dumps(Attack(target)))
    else:
        body = pickle.dumps(Attack(target))
        file.write_bytes(len(body).to_bytes(8, "little") + body)
    vouch(world, "model.safetensors", file.read_bytes())
    assert "not a readable safetensors file" in refused(world)
    for name in ("pytorch_model.bin", "model.pt", "model.pkl"):  # nor is it looked for under the usual names
        shutil.copy(file, world / name)
    (world / "model.safetensors").unlink()
    assert "model.safetensors is missing" in refused(world)
    assert not target.exists()


# ── the page ────────────────────────────────────────────────────────────────────────────────────────────────────


def test_the_page_starts_with_the_intact_worlds_and_explains_the_others(whole: Path, tmp_path: Path) -> None:
    damages: dict[str, Callable[[Path], object]] = {
        "a-cut": lambda folder: os.truncate(folder / "model.safetensors", 5000),
        "b-missing": lambda folder: (folder / "items.csv").unlink(),
        "c-config": lambda folder: (folder / "config.json").write_text("{"),
        "d-elsewhere": lambda folder: configured(folder, lambda config: config.update(world="../x")),
        "e-empty": lambda folder: [(folder / name).write_bytes(b"") for name in FILES],
    }
    for name, damage in damages.items():
        damage(Path(shutil.copytree(whole, tmp_path / name)))
    shutil.copytree(whole, tmp_path / "z-whole")
    (tmp_path / ".z-whole.half" / "new").mkdir(parents=True)  # what a kill while saving leaves behind
    worlds = Worlds.find(tmp_path)
    assert Service(worlds).first()["session"]["state"]["world"] == "z-whole"
    errors = {world["name"]: world["error"] for world in worlds.describe()}
    assert errors.pop("z-whole") is None
    assert errors.keys() == damages.keys()
    for error in errors.values():
        sentence(error)
    refusal = Service(worlds).search({"world": "a-cut", "query": ""})
    assert "model.safetensors is not the file" in refusal["error"]


def test_an_unexpected_error_in_a_world_does_not_affect_the_others(whole: Path) -> None:
    def failing() -> Recommender:
        raise ZeroDivisionError("division by zero")

    made = Recommender.from_pretrained(whole)
    worlds = Worlds({"a-failing": World("a-failing", failing), "tiny-shop": World("tiny-shop", lambda: made)})
    assert worlds.default.name == "tiny-shop"
    assert "“division by zero”" in worlds.describe()[0]["error"]


def test_a_world_copied_under_another_name_explains_its_answers(whole: Path, tmp_path: Path) -> None:
    shutil.copytree(whole, tmp_path / "copy")
    service = Service(Worlds.find(tmp_path))
    first = service.first()
    details = service.ask({"session": first["session"], "what": "details", "text": first["ranking"][0]})
    assert "html" in details
