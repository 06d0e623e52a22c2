import json

import plotly.graph_objects as go
import pytest

from m2rec.benchmark.speed.race import LENGTHS, Lap
from m2rec.ui.render.race import shown, words

# M2Rec grows as the history, SASRec as its square, Mamba4Rec as the history but slower
LAPS = [
    Lap(length, {"m2rec": length / 500, "sasrec": (length / 500) ** 2, "mamba4rec": length / 100}, "a card")
    for length in LENGTHS
]


def test_what_the_race_says_is_what_was_timed() -> None:
    assert words(LAPS, running=False) == (
        "One answer to 4,000 items took M2Rec 8.00 ms, SASRec 64.0 ms (×8.0) and Mamba4Rec 40.0 ms (×5.0)."
        " From 1,000 to 4,000 items the time grew: M2Rec ×4.0, SASRec ×16.0, Mamba4Rec ×4.0;"
        " linear growth would be ×4, quadratic ×16. Measured on a card."
    )


def test_a_race_under_way_says_what_comes_and_one_cut_short_says_so() -> None:
    assert words(LAPS[:2], running=True) == "Answering histories of 200 items …"
    assert words(LAPS[:5], running=False).endswith("The time was up before 4,000 items.")
    assert words([], running=False) == "No lap was finished in the time there is."


@pytest.mark.parametrize("finished", [0, 1, 4, 7])
def test_the_curves_hold_every_lap_so_far(finished: int) -> None:
    shown_race = shown(LAPS[:finished], running=finished < 7)
    go.Figure(json.loads(json.dumps(shown_race["figure"], allow_nan=False)))
    curves = {trace["name"]: trace for trace in shown_race["figure"]["data"]}
    assert curves["SASRec"]["x"] == list(LENGTHS[:finished])
    assert curves["SASRec"]["y"] == [lap.milliseconds["sasrec"] for lap in LAPS[:finished]]
    assert shown_race["html"].count("<tr>") == (finished + 1 if finished else 0)
