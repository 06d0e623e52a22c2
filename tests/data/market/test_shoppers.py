"""The customers whose causes come with the package: what they are, and that the market still makes them."""

import io

import numpy as np
import pandas as pd
import pytest

from m2rec.data.market.generate import generate
from m2rec.data.market.settings import CAUSES
from m2rec.data.market.shoppers import FILE, MOST_DAYS, SHOWN, causes_of, shipped_shoppers, shoppers_of


def test_the_shipped_shoppers_are_whole() -> None:
    shoppers = shipped_shoppers()
    assert [one.key for one in shoppers] == list(SHOWN)
    assert len({one.title for one in shoppers}) == len(shoppers)
    for one in shoppers:
        days = len(one.item_ids)
        assert days == len(one.causes) == len(one.periods) == len(one.oracle) <= MOST_DAYS
        assert set(one.causes) <= set(CAUSES)
        assert all((period > 0) == (cause == "rhythm") for period, cause in zip(one.periods, one.causes, strict=True))
        np.testing.assert_allclose(one.oracle.sum(1), 1, atol=5e-4)


def test_each_of_three_buys_most_by_the_cause_in_its_key() -> None:
    shares = {
        one.key: {cause: one.causes.count(cause) / len(one.causes) for cause in CAUSES} for one in shipped_shoppers()
    }
    for cause in ("rhythm", "chain", "taste"):
        assert max(shares, key=lambda key: shares[key][cause]) == f"shopper-{cause}"
        assert shares[f"shopper-{cause}"][cause] > 0.5, "mostly, as the description says"


def test_a_history_has_causes_where_it_is_a_shoppers_from_the_first_day_on() -> None:
    one = shipped_shoppers()[1]
    assert causes_of(one.item_ids) is one
    assert causes_of(one.item_ids[:40]) is one
    assert causes_of(one.item_ids[1:]) is None
    assert causes_of([*one.item_ids[:40], one.item_ids[0]]) is None
    assert causes_of([]) is None


@pytest.mark.slow
def test_the_market_still_makes_them() -> None:
    made = io.StringIO()
    shoppers_of(generate()).to_csv(made, index=False)
    made.seek(0)
    pd.testing.assert_frame_equal(pd.read_csv(made), pd.read_csv(FILE), atol=2e-4)
