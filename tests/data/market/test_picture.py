import xml.etree.ElementTree as ET

import numpy as np
import pytest

from m2rec.data.market.generate import generate
from m2rec.data.market.picture import draw, example_customer
from m2rec.data.market.settings import CAUSES, MarketSettings


@pytest.fixture(scope="module")
def market():
    return generate(MarketSettings(customers=300))


def test_every_purchase_is_drawn_once_as_its_cause(market):
    customer = example_customer(market)
    root = ET.fromstring(draw(market, customer, days=50))
    kinds = [element.get("class") for element in root.iter() if element.get("class")]
    causes = market.causes[market.events_of(np.array([customer]))[:50]]
    for code, name in enumerate(CAUSES):
        assert kinds.count(name) - 1 == (causes == code).sum()  # one of them is the legend's


def test_the_example_has_three_rhythms_one_of_them_weekly(market):
    periods = market.customers.rhythm_periods[example_customer(market)].tolist()
    assert 7 in periods
    assert len(set(periods)) == 3
    assert 0 not in periods


def test_beliefs_fill_their_bar_from_bottom_to_top(market):
    root = ET.fromstring(draw(market, example_customer(market), days=20))
    bars = [element for element in root.iter() if element.tag.endswith("rect") and element.get("x")]
    heights = {}
    for bar in bars:
        heights[bar.get("x")] = heights.get(bar.get("x"), 0) + float(bar.get("height"))
    assert len(heights) == 20
    assert all(abs(height - 96) < 0.5 for height in heights.values())
