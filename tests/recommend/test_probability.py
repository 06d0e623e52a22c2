from typing import Any

import pytest

from m2rec.errors import InputError
from m2rec.recommend.recommender import Recommender

HISTORIES = [[], ["i03"], ["i00", "i03", "i05", "i03", "i00", "i03"], [f"i{at:02}" for at in range(9)] * 3]
ASKED: list[dict[str, Any]] = [
    {},
    {"exclude_seen": True},
    {"gate_override": {"temporal": 0.2, "frequency": 0.7, "semantic": 0.1}},
    {"band_mask": [(2.0, 8.0)]},
]


@pytest.mark.parametrize("asked", ASKED, ids=str)
@pytest.mark.parametrize("history", HISTORIES, ids=len)
def test_it_is_the_one_in_the_list_of_fifty(shop: Recommender, history: list[str], asked: dict[str, Any]) -> None:
    listed = {item.item_id: item.probability for item in shop.recommend(history, k=50, **asked).items}
    for item in shop.items:
        found = shop.probability(history, item.item_id, **asked)
        if item.item_id in listed:
            assert found == pytest.approx(listed[item.item_id], rel=1e-4)
        else:
            assert found is None


def test_an_unknown_item_and_impossible_weights_are_refused(shop: Recommender) -> None:
    with pytest.raises(InputError, match="not in this world"):
        shop.probability(["i00"], "zzzz")
    with pytest.raises(InputError, match="gate_override"):
        shop.probability(["i00"], "i01", gate_override={"temporal": -1.0})
