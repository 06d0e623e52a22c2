from m2rec.inference.recent import Recent


def test_what_was_used_last_stays_within_the_bytes() -> None:
    cache: Recent[str] = Recent(10)
    cache.keep("a", "first", 4)
    cache.keep("b", "second", 4)
    assert cache.get("a") == "first"
    cache.keep("c", "third", 4)
    assert [cache.get(key) for key in "abc"] == ["first", None, "third"]
    assert (len(cache), cache.nbytes) == (2, 8)


def test_a_value_of_the_same_key_takes_the_place_of_the_one_before() -> None:
    cache: Recent[str] = Recent(10)
    cache.keep("a", "first", 4)
    cache.keep("a", "second", 6)
    assert (cache.get("a"), cache.nbytes) == ("second", 6)


def test_what_is_larger_than_the_cache_is_not_kept_and_evicts_nothing() -> None:
    cache: Recent[str] = Recent(10)
    cache.keep("a", "first", 4)
    cache.keep("b", "large", 11)
    assert (cache.get("a"), cache.get("b")) == ("first", None)


def test_nothing_is_left_of_what_is_cleared() -> None:
    cache: Recent[str] = Recent(10)
    cache.keep("a", "first", 4)
    cache.clear()
    assert (cache.get("a"), len(cache), cache.nbytes) == (None, 0, 0)
    cache.keep("b", "second", 10)
    assert cache.get("b") == "second"
