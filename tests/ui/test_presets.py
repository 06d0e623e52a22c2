from m2rec.ui.presets import presets
from m2rec.ui.rhythm import recurrences
from m2rec.ui.worlds import Worlds


def test_presets_are_the_same_every_time_and_hold_known_items(worlds: Worlds) -> None:
    world = worlds.get("toy-shop")
    made = presets(world)
    assert made == presets(world)
    for preset in made:
        assert set(preset.history) <= set(world.titles)
        assert 1 <= len(preset.history) <= world.recommender.max_history


def test_the_first_preset_is_a_weekly_rhythm_that_is_due(worlds: Worlds) -> None:
    rhythm = recurrences(presets(worlds.get("toy-shop"))[0].history)[0]
    assert (rhythm.period, rhythm.due) == (7, 0)


def test_the_longest_history_fills_what_the_model_reads(worlds: Worlds) -> None:
    longest = {preset.key: preset for preset in presets(worlds.get("toy-shop"))}["longest"]
    assert len(longest.history) == 200
