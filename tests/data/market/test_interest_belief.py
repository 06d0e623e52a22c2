"""The filter over interests, against numbers worked out by hand."""

from dataclasses import replace

import numpy as np
import pytest

from m2rec.data.market.oracles.interest_belief import InterestBelief
from m2rec.data.market.settings import DEFAULT


def test_a_purchase_tells_of_its_theme() -> None:
    """Three themes, first interest .7, second .3; the purchase is of theme 0 with .5 and never of the others."""
    belief = InterestBelief(replace(DEFAULT, interest_shift=0.0), customers=1, themes=3)
    assert belief.shares()[0] == pytest.approx([1 / 3, 1 / 3, 1 / 3])
    belief.observe(np.array([[0.5, 0, 0]]), np.array([0.1]))
    # of the six pairs two have theme 0 first (.1 + .35), two second (.1 + .15), two not at all (.1)
    weights = np.array([0.45, 0.25, 0.1]) / (2 * 0.8)
    first, second, absent = weights
    assert belief.shares()[0, 0] == pytest.approx(0.7 * 2 * first + 0.3 * 2 * second)
    assert belief.shares()[0, 1] == pytest.approx(0.7 * (second + absent) + 0.3 * (first + absent))


def test_over_night_the_first_interest_may_become_the_second() -> None:
    shifting = replace(DEFAULT, interest_shift=1.0)
    belief = InterestBelief(shifting, customers=1, themes=3)
    belief.observe(np.array([[1.0, 0, 0]]), np.array([0.0]))  # theme 0 is first with .7, else second
    # then it is second with .7; and where it was second it is gone, or anew the first with 1/2
    assert belief.shares()[0, 0] == pytest.approx(0.3 * 0.7 + 0.7 * 0.3 / 2)


def test_a_purchase_with_another_cause_does_not_change_the_belief() -> None:
    belief = InterestBelief(DEFAULT, customers=2, themes=14)
    belief.observe(np.zeros((2, 14)), np.array([0.2, 1.0]))
    assert belief.shares() == pytest.approx(np.full((2, 14), 1 / 14))
