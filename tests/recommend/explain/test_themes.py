import numpy as np
import pytest

from m2rec.recommend.explain.themes import LEAST_SHARE, strongest, typical_items
from m2rec.recommend.recommender import Recommender
from tests.tiny_world import tiny_checkpoint


def test_typical_is_what_one_theme_often_brings_and_others_do_not() -> None:
    emissions = np.array([[0.5, 0.5], [0.4, 0.01], [0.1, 0.0], [0.0, 0.3], [0.0, 0.19]]) + 1e-9
    assert typical_items(emissions)[0][0] == 2  # item 1 is brought oftener, but by either
    assert typical_items(emissions)[1][:2] == [4, 1]


def test_the_strongest_themes_come_first_and_faint_ones_not_at_all() -> None:
    assert strongest(np.array([0.05, 0.7, 0.25])) == [(1, pytest.approx(0.7)), (2, pytest.approx(0.25))]
    assert strongest(np.full(24, 1 / 24)) == []


def test_only_worlds_with_themes_list_themes() -> None:
    believing = Recommender(tiny_checkpoint(semantic="themes", theme_count=4))
    history = [item.item_id for item in believing.items[:6]]
    themes = believing.recommend(history).themes
    titles = {item.title for item in believing.items}
    assert themes
    assert all(theme.share >= LEAST_SHARE and len(theme.items) == 3 and set(theme.items) <= titles for theme in themes)
    assert sum(theme.share for theme in themes) <= 1 + 1e-6
    one_by_one = believing.start(history).answer().themes
    assert [theme.items for theme in one_by_one] == [theme.items for theme in themes]
    assert Recommender(tiny_checkpoint()).recommend(history).themes == []
