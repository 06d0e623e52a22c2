import numpy as np
import pytest

from m2rec.branches import BRANCHES
from m2rec.data.market.generate import generate, market_dataset
from m2rec.data.market.settings import CAUSES, MarketSettings
from m2rec.data.prepare import prepare
from m2rec.data.settings import DataSettings
from m2rec.data.sources.registry import split_rule
from m2rec.errors import DataError
from m2rec.evaluation import market as graded
from m2rec.evaluation.market import grade
from m2rec.evaluation.protocol import evaluate
from tests.tiny_world import random_model, tiny_config


class NoTexts:
    def encode(self, texts):
        return np.zeros((len(texts), 12), dtype=np.float32)


def prepared_from(market, **changes):
    rule = split_rule(DataSettings(source="rhythm-market", split="by-user", **changes))
    return prepare(market_dataset(market), rule, NoTexts())


@pytest.fixture(scope="module", autouse=True)
def cache(tmp_path_factory):
    """The oracle's answers are kept in a folder of this file's own."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("M2REC_CACHE", str(tmp_path_factory.mktemp("cache")))
        yield


@pytest.fixture(scope="module")
def market():
    return generate(MarketSettings(customers=80))


@pytest.fixture(scope="module")
def prepared(market):
    return prepared_from(market)


@pytest.fixture(scope="module")
def model(prepared):
    return random_model(tiny_config(items=prepared.item_count, warm_items=prepared.warm_items))


@pytest.fixture(scope="module")
def found(market, prepared, model):
    return grade(model, prepared, market, "test", 40, ranks_of(model, prepared, "test"))


def ranks_of(model, prepared, part):
    return evaluate(model, prepared, part, 40).ranks["unmasked"]


def test_every_held_out_purchase_is_graded_by_its_recorded_cause(market, prepared, found):
    users, positions = prepared.split.targets("test")
    causes = np.array(CAUSES)[market.causes[market.sequences.offsets[users] + positions]]
    counts = {name: row.targets for name, row in found.gates.gates.items()}
    assert counts == {
        "temporal": (causes == "chain").sum(),
        "frequency": (causes == "rhythm").sum(),
        "semantic": (causes == "taste").sum(),
    }
    assert sum(row.targets for row in found.gates.by_period.values()) == counts["frequency"]
    assert sum(row.targets for row in found.gates.by_cycles.values()) == counts["frequency"]


def test_the_oracle_tells_causes_apart_where_random_weights_cannot(found):
    for row in found.gates.gates.values():
        assert row.oracle > 0.7
        assert abs(row.auc - 0.5) < 0.2
    assert 0.5 < found.oracle["HR@10"] < 1


def test_the_oracle_says_the_same_from_the_cache_and_asked_anew(market, prepared, model, found, monkeypatch):
    def refuse(*_):
        raise AssertionError("asked again, though it was asked before")

    asked = graded.measure(market, np.unique(prepared.split.targets("test")[0]), graded.fair)
    monkeypatch.setattr(graded, "measure", refuse)
    assert grade(model, prepared, market, "test", 40, ranks_of(model, prepared, "test")) == found
    events, ranks, causes = graded._oracle(market, np.array([]), "test")
    assert np.array_equal(events, asked.events)
    assert np.array_equal(ranks, asked.ranks)
    assert np.allclose(causes, asked.causes)


def test_a_gate_that_knew_the_causes_would_be_perfect(market, prepared, model, monkeypatch):
    users, positions = prepared.split.targets("validation")
    causes = np.array(CAUSES)[market.causes[market.sequences.offsets[users] + positions]]
    stands_for = {"temporal": "chain", "frequency": "rhythm", "semantic": "taste"}
    knows = np.stack([causes == stands_for[branch] for branch in BRANCHES], axis=1).astype(float)
    monkeypatch.setattr(graded, "gate_weights", lambda *_: knows)
    found = grade(model, prepared, market, "validation", 40, ranks_of(model, prepared, "validation"))
    assert [row.auc for row in found.gates.gates.values()] == [1, 1, 1]


def test_data_from_another_market_is_refused(market, model):
    other = prepared_from(generate(MarketSettings(customers=80, seed=1)))
    with pytest.raises(DataError, match="another market"):
        grade(model, other, market, "test", 40, np.ones(1))


def test_another_split_of_the_same_market_is_refused(market, model):
    with pytest.raises(DataError, match="not the market's own"):
        grade(model, prepared_from(market, first_target=50), market, "test", 40, np.ones(1))


def test_hits_are_counted_by_cause_and_for_arrivals_beside_the_oracle(market, prepared, model, found):
    users, positions = prepared.split.targets("test")
    events = prepared.sequences.offsets[users] + positions
    hit = ranks_of(model, prepared, "test") <= 10
    assert set(found.hits) == {*CAUSES, "arrivals"}
    for code, name in enumerate(CAUSES):
        rows = market.causes[events] == code
        assert found.hits[name].targets == rows.sum()
        assert found.hits[name].model == pytest.approx(hit[rows].mean())
    new = prepared.sequences.events[events] > prepared.warm_items
    assert found.hits["arrivals"].targets == new.sum() > 0
    assert found.hits["arrivals"].model == pytest.approx(hit[new].mean())
    assert found.hits["rhythm"].oracle > 0.9
    assert found.hits["rhythm"].random == 10 / prepared.item_count
