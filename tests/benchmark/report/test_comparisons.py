"""Which Mamba is the best, and what is written when figures are missing."""

from typing import Any

from m2rec.benchmark.accuracy.plan import Plan
from m2rec.benchmark.report.comparisons import leads, parts

PLAN = Plan.model_validate(
    {
        "name": "trial",
        "world": "small",
        "seeds": [0],
        "model": [
            {"name": "m2rec", "kind": "m2rec"},
            {"name": "sasrec", "kind": "sasrec"},
            {"name": "mamba2", "kind": "mamba2"},
            {"name": "mamba2-repeat-bias", "kind": "mamba2"},
            {"name": "mamba4rec", "kind": "mamba4rec"},
            {"name": "m2rec-no-gate", "kind": "m2rec", "ablates": "the gate"},
        ],
    }
)


def row(kind: str, left_in: float, taken_out: float) -> dict[str, Any]:
    """A trained model with its validation figures."""
    figures = {"HR@10": 0.25}
    intervals = {f"{seen}_interval": {"HR@10": [0.2, 0.3]} for seen in ("unmasked", "masked")}
    validation = {"validation": {"NDCG@10": left_in}, "validation_masked": {"NDCG@10": taken_out}}
    return {"kind": kind, "seeds": [0], "unmasked": figures, "masked": figures} | intervals | validation


def against(name: str) -> list[dict[str, Any]]:
    shared = {"against": name, "metric": "HR@10", "difference": 0.01, "low": -0.002, "high": 0.02, "relative": 0.04}
    return [shared | {"seen": "unmasked", "p": 0.0001}, shared | {"seen": "masked", "p": 0.2}]


def test_the_best_mamba_is_chosen_on_validation_separately_for_left_in_and_taken_out() -> None:
    rows = {
        "m2rec": row("m2rec", 0.9, 0.9),
        "sasrec": row("sasrec", 0.8, 0.8),
        "mamba2": row("mamba2", 0.1, 0.3),
        "mamba2-repeat-bias": row("mamba2", 0.4, 0.2),
    }
    table = leads(rows, {"comparisons": [*against("sasrec"), *against("mamba2"), *against("mamba2-repeat-bias")]}, PLAN)
    left, out = "+0.0100 (-0.0020 to +0.0200), +4.0 %, p < 0.001", "+0.0100 (-0.0020 to +0.0200), +4.0 %, p = 0.200"
    assert f"| sasrec | {left} | {out} |" in table
    assert f"| mamba2 | {left} | {out} (the best Mamba) |" in table
    assert f"| mamba2-repeat-bias | {left} (the best Mamba) | {out} |" in table


def test_without_repeats_the_models_without_a_repeat_bias_are_named() -> None:
    rows = {"m2rec": row("m2rec", 0.9, 0.9), "sasrec": row("sasrec", 0.8, 0.8), "mamba2": row("mamba2", 0.1, 0.1)}
    rows["mamba2"]["settings"] = {"repeat_bias": True}
    table = {"comparisons": [*against("sasrec"), *against("mamba2")], "targets": 40, "new_targets": 40}
    assert "which these models cannot do: sasrec. With them taken out" in "\n".join(leads(rows, table, PLAN))
    assert "repeat bias" not in "\n".join(leads(rows, table | {"new_targets": 39}, PLAN))


def test_an_interval_bound_of_zero_has_no_minus() -> None:
    rows = {"m2rec": row("m2rec", 0.9, 0.9), "sasrec": row("sasrec", 0.8, 0.8)}
    table = {"comparisons": [one | {"low": -0.00001} for one in against("sasrec")]}
    assert "(+0.0000 to +0.0200)" in "\n".join(leads(rows, table, PLAN))


def test_without_a_mamba_no_row_is_marked_as_the_best() -> None:
    rows = {"m2rec": row("m2rec", 0.9, 0.9), "sasrec": row("sasrec", 0.8, 0.8)}
    assert "Mamba" not in "\n".join(leads(rows, {"comparisons": against("sasrec")}, PLAN))


def test_there_is_no_comparison_before_m2rec_is_trained() -> None:
    rows = {"sasrec": row("sasrec", 0.8, 0.8), "m2rec-no-gate": row("m2rec", 0.8, 0.8)}
    assert leads(rows, {"comparisons": []}, PLAN) == []
    assert parts({"sasrec": rows["sasrec"]}, [], PLAN) == []
    assert "| the gate | 0.2500 (0.200–0.300) | – | 0.2500 (0.200–0.300) | – |" in parts(rows, [], PLAN)
