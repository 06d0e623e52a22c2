"""A market that is small enough for every test and large enough for frequencies."""

import pytest

from m2rec.data.market.generate import generate
from m2rec.data.market.market import Market
from m2rec.data.market.settings import MarketSettings

SMALL = MarketSettings(customers=600)


@pytest.fixture(scope="session")
def market() -> Market:
    return generate(SMALL)
