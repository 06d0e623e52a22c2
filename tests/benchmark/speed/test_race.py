from m2rec.benchmark.speed.race import NAMES, race
from m2rec.benchmark.speed.shapes import film_shape


def test_each_length_is_reported_in_turn_with_a_time_for_every_model() -> None:
    laps = list(race(film_shape(), lengths=(6, 12), seconds=600))
    assert [lap.length for lap in laps] == [6, 12]
    for lap in laps:
        assert set(lap.milliseconds) == set(NAMES)
        assert all(time > 0 for time in lap.milliseconds.values())


def test_a_race_ends_before_a_length_that_would_take_too_long() -> None:
    assert [lap.length for lap in race(film_shape(), lengths=(6, 600_000), seconds=1.0)] == [6]
