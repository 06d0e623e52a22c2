"""Tables of the page in a browser and under load, from `benchmark ui` and `load`."""

from typing import Any

from m2rec.benchmark.report.markdown import line

PHASES = {"steady": "steady visitors", "rush": "a rush", "in_turn": "one after another"}


def page(found: dict[str, Any]) -> list[str]:
    """The times that `benchmark ui` measured in a browser."""
    about = (
        f"Headless Chromium and the page on one machine: {found['hardware']}, {found['date']}, by `{found['command']}`."
    )
    lines = ["### The page in a browser", "", about, "", line(["", "measured", "goal"]), line(["---"] * 3)]
    for one in found["latency"]:
        digits = 2 if one["unit"] in ("s", "MB") else 0
        goal = f"{'≥' if one['at_least'] else '≤'} {one['goal']:g} {one['unit']}"
        met = "" if one["met"] else ", missed"
        lines.append(line([one["what"], f"{one['value']:.{digits}f} {one['unit']}", f"{goal}{met}"]))
    return [*lines, ""]


def load(found: dict[str, Any]) -> list[str]:
    """A row for each phase of `benchmark load`: steady visitors, a rush, one after another."""
    phases = {name: found[name] for name in PHASES if found[name]}
    rows = []
    for name, phase in phases.items():
        memory = phase["memory"]
        held = "–" if memory is None else f"{memory['first_mib']:,.0f} → {memory['last_mib']:,.0f}"
        times = [_whole(phase["p50_ms"]), _whole(phase["p95_ms"])]
        counts = [f"{phase[key]:,}" for key in ("visitors", "answers", "busy", "errors", "wrong_sessions")]
        rows.append(line([PHASES[name], *counts, *times, held]))
    plan, after = found["plan"], found["recovery_s"]
    phrases = [f"Each visitor clicks every {plan['pace']:g} s for {plan['seconds']:g} s in the steady phase"]
    if "rush" in phases:
        prompt = "not prompt within a minute" if after is None else f"prompt again within {after:g} s"
        phrases.append(f"and for {plan['rush_seconds']:g} s in the rush, after which answers were {prompt}")
    about = (
        f"Page and visitors on the same machine: {found['hardware']}, {found['date']}, by `{found['command']}`. "
        f"{', '.join(phrases)}. A visitor who gets the reply “busy” loses nothing; a wrong session is an answer about "
        f"another visitor's history."
    )
    heads = ("", "visitors", "answers", "busy", "errors", "wrong sessions", "median, ms", "95 % below, ms", "MiB")
    return ["### Under load", "", about, "", line(heads), line(["---"] * len(heads)), *rows, ""]


def _whole(milliseconds: float | None) -> str:
    return "–" if milliseconds is None else f"{milliseconds:,.0f}"
