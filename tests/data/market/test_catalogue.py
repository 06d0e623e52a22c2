"""The shipped catalogue is what a reader and the process need it to be."""

import re

import numpy as np
import pytest

from m2rec.data.market.shop.catalogue import Catalogue, load_catalogue


@pytest.fixture(scope="module")
def catalogue() -> Catalogue:
    return load_catalogue()


def test_ids_and_titles_name_one_item_each(catalogue: Catalogue) -> None:
    table = catalogue.table
    assert table["item"].is_unique
    assert table["title"].str.lower().is_unique
    assert table["text"].is_unique
    assert all(re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", item) for item in table["item"])
    assert {"Ground coffee", "Oat milk"} <= set(table["title"])


def test_no_cell_is_empty_or_padded(catalogue: Catalogue) -> None:
    for column in catalogue.table:
        assert (catalogue.table[column] == catalogue.table[column].str.strip()).all()
        assert (catalogue.table[column] != "").all()


def test_a_theme_crosses_departments_and_can_still_be_bought_before_the_arrivals(catalogue: Catalogue) -> None:
    assert len(catalogue.themes) == 14
    for members in catalogue.in_theme:
        assert (members & ~catalogue.arrival).sum() >= 20
        assert catalogue.table["group"][members].nunique() >= 3


def test_every_arrival_belongs_to_a_theme_since_only_taste_can_find_it(catalogue: Catalogue) -> None:
    assert catalogue.in_theme[:, catalogue.arrival].any(axis=0).all()
    assert 0.03 < catalogue.arrival.mean() < 0.06


def test_every_kind_has_one_to_four_followers_other_than_itself(catalogue: Catalogue) -> None:
    followers = (catalogue.follow_ups > 0).sum(axis=1)
    assert followers.min() >= 1
    assert followers.max() <= 4
    assert np.diag(catalogue.follow_ups).sum() == 0


def test_a_kind_either_calls_for_a_follow_up_or_hardly_ever_does(catalogue: Catalogue) -> None:
    called = catalogue.follow_ups.sum(axis=1)
    assert ((called <= 0.1) | (called >= 0.85)).all()
    assert called.max() < 1
    assert catalogue.sales.min() >= 1
    assert catalogue.sales.max() <= 10
