from m2rec.benchmark.speed import measure as speed
from m2rec.benchmark.speed.measure import Workload

TINY = Workload(
    lengths=(4, 7),
    live_lengths=(4,),
    batch_lengths=(5,),
    threads=(1,),
    rounds=1,
    burst=1,
    catalogue=20,
    training_steps=0,
)


def test_the_figures_name_the_ratios_and_where_they_were_measured(run, monkeypatch):
    assert {200, 1000, 4000} <= set(speed.THOROUGH.lengths)
    assert {200, 1000, 4000} <= set(speed.QUICK.lengths)
    monkeypatch.setattr(speed, "THOROUGH", TINY)
    found = run("benchmark", "speed", "--json", "-").json
    assert set(found["ratio_to_sasrec"]) == {"4", "7"}
    assert found["weights"] == "random"
    assert found["threads"] == [1]
    assert {"hardware", "torch", "date", "command", "revision", "growth", "rows", "peaks"} <= set(found)


def test_quick_figures_are_shown_in_three_tables(run, monkeypatch):
    monkeypatch.setattr(speed, "QUICK", TINY)
    result = run("benchmark", "speed", "--quick")
    assert result.code == 0
    for heading in ("One answer", "Growth with the history", "SASRec's time ÷ M2Rec's"):
        assert heading in result.out
    assert "mamba4rec, 2 layers" in result.out
    assert "one added item after 4" in result.err
