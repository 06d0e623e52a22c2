import pytest

from m2rec.checkpoint import Item
from m2rec.errors import InputError
from m2rec.recommend.catalogue import Catalogue, CatalogueItem
from tests.tiny_world import tiny_items


@pytest.fixture(scope="module")
def shop() -> Catalogue:
    return Catalogue(tiny_items())


def titles(found: list[CatalogueItem]) -> list[str]:
    return [item.title for item in found]


# ── looking up ──────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("name", ["i00", "Ground coffee", "ground COFFEE", "  Ground coffee ", " i00"])
def test_an_item_is_found_by_id_or_by_title_in_any_case(shop: Catalogue, name: str) -> None:
    assert shop.index(name) == 1
    assert shop[1] == CatalogueItem("i00", "Ground coffee", "Coffee & tea")


def test_accents_and_markup_are_letters_like_any_others(shop: Catalogue) -> None:
    assert shop[shop.index("CRÈME FRAÎCHE")].item_id == "i17"
    assert shop[shop.index('<b>Bold</b> & "loud" nuts')].item_id == "i26"


def test_a_numeric_id_may_be_given_as_a_number(shop: Catalogue) -> None:
    assert shop.index(7) == shop.index("7") == 30


def test_a_title_that_two_items_share_means_the_more_popular_one(shop: Catalogue) -> None:
    assert shop[shop.index("oat milk")].item_id == "i01"
    assert shop[shop.index("i23")].title == "Oat milk"


def test_an_id_goes_before_a_title_that_reads_the_same() -> None:
    catalogue = Catalogue([Item("a", "b"), Item("b", "c")])
    assert catalogue.index("b") == 2
    assert catalogue.index("c") == 2


def test_items_whose_titles_are_not_here_are_called_by_their_ids() -> None:
    catalogue = Catalogue([Item("17"), Item("4")])
    assert titles(catalogue.items) == ["Item 17", "Item 4"]
    assert catalogue.index("item 4") == catalogue.index(4) == 2


LOOK_ALIKES = [
    "Ame\u0301lie",
    "Am\u00e9lie\u200b",
    "\ufeffAm\u00e9lie",
    "AME\u0301LIE",
    "Am\u00e9\u00adlie",
    "Am\u00e9lie\u00a0",
]


@pytest.mark.parametrize("name", LOOK_ALIKES, ids=ascii)
@pytest.mark.parametrize("title", ["Ame\u0301lie", "Am\u00e9lie\u200b"], ids=ascii)
def test_a_title_is_found_however_its_accents_are_composed_and_whatever_it_hides(title: str, name: str) -> None:
    catalogue = Catalogue([Item("b1", title), Item("caf\u00e9", "Coffee")])
    assert catalogue.index(name) == 1
    assert titles(catalogue.search(name))[0] == "Am\u00e9lie"
    assert catalogue.index("cafe\u0301\u200b") == 2


def test_an_id_is_found_as_it_is_written_before_one_that_only_looks_like_it() -> None:
    catalogue = Catalogue([Item("caf\u00e9"), Item("cafe\u0301"), Item("b\u200b")])
    assert (catalogue.index("caf\u00e9"), catalogue.index("cafe\u0301"), catalogue.index("b")) == (1, 2, 3)


def test_a_title_in_which_nothing_can_be_seen_is_none() -> None:
    assert titles(Catalogue([Item("7", "\u200d\ufe0f\u3164")]).items) == ["Item 7"]


def test_an_unknown_title_is_refused_with_the_nearest_ones(shop: Catalogue) -> None:
    with pytest.raises(InputError, match=r"^“Grund cofee” is not in this world; did you mean “Ground coffee”") as error:
        shop.index("Grund cofee")
    assert str(error.value).count("“") <= 4  # the name itself and at most three suggestions


def test_a_title_like_nothing_here_points_to_the_search(shop: Catalogue) -> None:
    with pytest.raises(InputError, match=r"search the catalogue for what it does have\.$"):
        shop.index("zzzzzz")


@pytest.mark.parametrize("blank", ["", "   ", "!?…", "~~"])
def test_nothing_is_not_taken_for_a_misspelling_of_what_is_popular(shop: Catalogue, blank: str) -> None:
    with pytest.raises(InputError, match=r"is not in this world; search the catalogue"):
        shop.index(blank)


def test_a_very_long_name_is_cut_short_in_the_sentence(shop: Catalogue) -> None:
    with pytest.raises(InputError) as error:
        shop.index("coffee " * 10_000)
    assert len(str(error.value)) < 300


@pytest.mark.parametrize("name", [None, 1.5, True, ["i00"], {}, b"i00"])
def test_what_is_no_name_is_refused_with_what_it_is(shop: Catalogue, name: object) -> None:
    with pytest.raises(InputError, match=f"by its title or id, not by {type(name).__name__}"):
        shop.index(name)


# ── searching ───────────────────────────────────────────────────────────────────────────────────────────────────


def test_titles_that_begin_with_the_query_come_first_then_words_that_do_then_the_rest() -> None:
    catalogue = Catalogue([Item(str(i), title) for i, title in enumerate(["Scoffed", "Black coffee", "Coffee beans"])])
    assert titles(catalogue.search("coffe"))[:3] == ["Coffee beans", "Black coffee", "Scoffed"]


def test_equally_good_hits_stand_in_order_of_popularity(shop: Catalogue) -> None:
    assert [item.item_id for item in shop.search("oat milk")][:2] == ["i01", "i23"]


def test_a_slip_of_the_finger_is_forgiven(shop: Catalogue) -> None:
    assert titles(shop.search("chocolade"))[0] == "Dark chocolate"
    assert titles(shop.search("sourdugh laof"))[0] == "Sourdough loaf"


def test_case_and_punctuation_do_not_matter(shop: Catalogue) -> None:
    assert shop.search("DARK, chocolate!") == shop.search("dark chocolate")


@pytest.mark.parametrize("query", ["", "  ", "!!", "<>"])
def test_an_empty_query_gives_the_most_popular(shop: Catalogue, query: str) -> None:
    assert shop.search(query, limit=3) == shop.items[:3]


def test_no_more_than_the_limit_is_given(shop: Catalogue) -> None:
    assert len(shop.search("", limit=4)) == 4
    assert len(shop.search("o", limit=2)) == 2
    assert len(shop.search("")) == len(shop) == 30


def test_nothing_alike_gives_nothing(shop: Catalogue) -> None:
    assert shop.search("qqqqqqq") == []


def test_a_very_long_query_is_answered_too(shop: Catalogue) -> None:
    assert shop.search("coffee " * 50_000, limit=5) is not None


def ranked(made_up: list[str], query: str) -> list[str]:
    return titles(Catalogue([Item(str(i), title) for i, title in enumerate(made_up)]).search(query))


def test_a_kind_of_thing_goes_before_what_is_made_for_it_and_before_longer_words() -> None:
    goods = ["Stoneware teapot", "Breaded fish bites", "Tea towel", "Bread knife", "Mint tea", "Dark rye bread", "Tea"]
    assert ranked(goods, "tea")[:4] == ["Tea", "Mint tea", "Tea towel", "Stoneware teapot"]
    assert ranked(goods, "bread")[:3] == ["Dark rye bread", "Bread knife", "Breaded fish bites"]
    assert ranked(["Whole milk", "Milk float", "Oat milk"], "milk")[:2] == ["Whole milk", "Oat milk"]
    assert ranked(["Egg whites", "Six eggs", "Eggplant"], "egg") == ["Six eggs", "Egg whites", "Eggplant"]
    assert ranked(["Apples tree", "Bramley apple"], "apples") == ["Bramley apple", "Apples tree"]


def test_what_is_only_spelt_alike_is_left_out_where_enough_is_found() -> None:
    teas = [f"{name} tea" for name in "abcdefgh"]
    assert ranked([*teas, "Tee"], "tea") == teas
    assert ranked([*teas[1:], "Tee"], "tea") == [*teas[1:], "Tee"]


@pytest.mark.parametrize(
    ("query", "first"),
    [
        ("the lantern", "Lantern, The (1999)"),
        ("lantern", "Lantern, The (1999)"),
        ("The Lantern (1999)", "Lantern, The (1999)"),
        ("lantern returns", "Lantern Returns, The (2003)"),
        ("les oubliés", "Oubliés, Les (1987)"),
        ("oublies", "Oubliés, Les (1987)"),
        ("a winter", "Winter, A (1950)"),
        ("sailors keeper", "Sailor's Keeper"),
    ],
)
def test_a_title_is_the_first_hit_of_itself_however_its_article_is_put(query: str, first: str) -> None:
    films = [
        "The Lantern Bearers (1959)",
        "Lantern Returns, The (2003)",
        "Winter in the Lantern House (1971)",
        "A Winter's Keep (1988)",
        "Sailor's Keeper",
        "Oubliés, Les (1987)",
        "Winter, A (1950)",
        "Lantern, The (1999)",
    ]
    assert ranked(films, query)[0] == first


def test_words_may_come_in_any_order_and_the_last_may_be_unfinished() -> None:
    goods = ["Coffee ice cream", "Iced coffee", "Ground coffee, iced", "Coffin nails"]
    assert ranked(goods, "coffee iced")[:2] == ["Ground coffee, iced", "Iced coffee"]
    assert ranked(goods, "ice cof")[:3] == ["Coffee ice cream", "Iced coffee", "Ground coffee, iced"]


def test_accents_need_not_be_typed(shop: Catalogue) -> None:
    assert titles(shop.search("creme fraiche"))[0] == "Crème fraîche"
