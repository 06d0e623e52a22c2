"""The lines of a calculation: what is added, how much, and the result."""

from dataclasses import dataclass

from m2rec.inference.terms.scores import ScoreTerms
from m2rec.ui.render.numbers import decimal, signed


@dataclass(frozen=True)
class Line:
    """One line. `result` marks the sum of the lines above; `hint` explains the line."""

    what: str
    number: str
    result: bool = False
    hint: str = ""


def of_score(score: ScoreTerms) -> list[Line]:
    """From match, popularity and repeat biases to a probability."""
    lines = [
        Line("how well it fits", signed(score.match), hint="the branch's output against the item's vector"),
        Line("how much it is chosen anyway", signed(score.popularity)),
    ]
    if score.seen:
        lines.append(Line("it was chosen before", signed(score.seen)))
    if score.newest:
        lines.append(Line("it was chosen last", signed(score.newest)))
    return [
        *lines,
        Line("its score", signed(score.score), result=True),
        Line("all scores together", signed(-score.log_total), hint="minus the logarithm of the sum of e to each score"),
        Line(f"e to the {signed(score.score - score.log_total)}", decimal(score.probability), result=True),
    ]
