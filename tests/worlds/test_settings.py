import numpy as np
import pytest
from pydantic import ValidationError

from m2rec.data.cache import prepared_folder
from m2rec.data.prepared import Prepared
from m2rec.errors import DataError
from m2rec.worlds.prepare import prepare_world
from m2rec.worlds.settings import changed, known_worlds, load_world

OWN = """
[data]
source = "tables"
interactions = "log.csv"
items = "items.csv"
min_count = 0

[model]
width = 32
"""


@pytest.fixture
def own(tmp_path):
    def write(text: str):
        path = tmp_path / "my-shop.toml"
        path.write_text(text, encoding="utf-8")
        return path

    return write


@pytest.mark.parametrize("name", known_worlds())
def test_every_shipped_world_is_valid_and_described(name):
    world = load_world(name)
    assert world.name == name
    assert world.description


def test_the_worlds_of_the_readme_are_there():
    assert {"rhythm-market", "gift-shop", "ml-1m", "amazon-beauty"} <= set(known_worlds())


def test_a_file_of_ones_own_names_its_tables_beside_itself(own, tmp_path):
    world = load_world(own(OWN))
    assert world.name == "my-shop"
    assert world.data.interactions == tmp_path / "log.csv"
    assert world.data.items == tmp_path / "items.csv"
    assert world.model.width == 32


def test_settings_cannot_be_changed_afterwards(own):
    with pytest.raises(ValidationError, match="frozen"):
        load_world("ml-1m").name = "other"


def test_an_unknown_world_is_an_error_with_the_nearest_name():
    with pytest.raises(DataError, match=r"no world 'ml1m' \(known: amazon-beauty, .*\); did you mean ml-1m\?"):
        load_world("ml1m")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[data", "is not a valid TOML file"),
        ("", "has a mistake at data: Field required"),
        ('[data]\nsource = "ml-2m"', "has a mistake at data.source: Input should be 'rhythm-market', 'ml-1m'"),
        ('[data]\nsource = "ml-1m"\nminimum = 5', "has a mistake at data.minimum: Extra inputs are not permitted"),
        (
            '[data]\nsource = "ml-1m"\n[training]\nepochs = 0',
            "has a mistake at training.epochs: Input should be greater",
        ),
        ('[data]\nsource = "ml-1m"\nmin_count = -1', "has a mistake at data.min_count"),
        (
            '[data]\nsource = "ml-1m"\ntest_share = 0.5',
            "has a mistake at data.test_share: Input should be less than 0.5",
        ),
    ],
)
def test_settings_that_do_not_fit_are_named_in_one_sentence(own, text, message):
    with pytest.raises(DataError, match=message) as caught:
        load_world(own(text))
    assert "\n" not in str(caught.value)


def test_a_setting_is_changed_by_a_toml_value_or_a_single_word():
    """A shell takes the quotes of model.filter="low-pass" away."""
    changes = ["model.filter=low-pass", 'training.precision="fp32"', "model.repeat_bias=false", "model.dropout=0.1"]
    found = changed(load_world("ml-1m"), changes)
    assert (found.model.filter, found.training.precision) == ("low-pass", "fp32")
    assert (found.model.repeat_bias, found.model.dropout) == (False, 0.1)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ("model.semantic=guesses", "do not fit at model.semantic: Input should be 'means' or 'themes'"),
        ("model.semantic=", "is not a change of settings"),
        ("model.semantic=two words", "is not a change of settings"),
        ("dropout=0.1", "is not a change of settings"),
        ("data.min_count=3", "is a choice of `prepare`"),
    ],
)
def test_a_change_that_does_not_fit_is_refused_in_one_sentence(change, message):
    with pytest.raises(DataError, match=message) as caught:
        changed(load_world("ml-1m"), [change])
    assert "\n" not in str(caught.value)


def test_a_missing_file_is_an_error(tmp_path):
    with pytest.raises(DataError, match=r"nothing\.toml cannot be read \(No such file or directory\)"):
        load_world(tmp_path / "nothing.toml")


class NoEncoder:
    def encode(self, texts):
        return np.zeros((len(texts), 2), dtype=np.float32)


def test_ones_own_tables_go_all_the_way_to_a_prepared_folder(own, tmp_path):
    (tmp_path / "log.csv").write_text(
        "user,item,timestamp\n" + "".join(f"x,{item},{n}\n" for n, item in enumerate("abca"))
    )
    (tmp_path / "items.csv").write_text("item,title\na,Apple\nb,Bread\nc,Cheese\nd,Dates\n")
    prepare_world(load_world(own(OWN)), NoEncoder()).save(prepared_folder("my-shop"))
    prepared = Prepared.load(prepared_folder("my-shop"))
    assert prepared.name == "my-shop"
    assert prepared.item_ids == ["a", "b", "c", "d"]
    assert prepared.warm_items == 2  # c is only a validation target, d was never chosen


def test_movielens_1m_prepares_to_the_published_counts(real_data, monkeypatch):
    monkeypatch.setenv("M2REC_DATA", str(real_data))
    prepared = prepare_world(load_world("ml-1m"), NoEncoder())
    assert len(prepared.sequences) == 6_040
    assert len(prepared.sequences.events) == 999_611
    assert prepared.item_count == 3_416
    assert len(prepared.split.targets("test")[0]) == len(prepared.split.targets("validation")[0]) == 6_040
    assert prepared.train_counts.sum() == 999_611 - 2 * 6_040
    assert prepared.train_counts[0] == prepared.train_counts.max() > 3_000


@pytest.mark.parametrize("stem", ["x" * 101, ".hidden"])
def test_a_name_that_no_checkpoint_could_bear_is_refused_before_any_work(tmp_path, stem):
    path = tmp_path / f"{stem}.toml"
    path.write_text('[data]\nsource = "rhythm-market"\n', encoding="utf-8")
    with pytest.raises(DataError, match="at name"):
        load_world(path)
