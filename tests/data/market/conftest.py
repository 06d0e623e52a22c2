"""Markets that are small enough for every test and large enough for frequencies."""

import pytest

from m2rec.data.market.generate import generate
from m2rec.data.market.market import Market
from m2rec.data.market.settings import MarketSettings

SMALL = MarketSettings(customers=600)
BRIEF = MarketSettings(customers=120, shortest=40, longest=50, arrivals_from=35)  # for what takes long for every day


@pytest.fixture(scope="session")
def market() -> Market:
    return generate(SMALL)


@pytest.fixture(scope="session")
def brief() -> Market:
    return generate(BRIEF)
