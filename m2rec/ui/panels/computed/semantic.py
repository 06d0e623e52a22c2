"""Semantic: the belief over named themes and what changed it, or decaying means of the texts."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from m2rec.inference.terms.tastes import REASONS, MeansTerms, ThemeTerms
from m2rec.ui.panels.computed.calculation import Line, of_score
from m2rec.ui.panels.computed.columns import Part, Strip, bars
from m2rec.ui.render.numbers import decimal
from m2rec.ui.render.words import percent

THEMES = 4  # shown by name
LIKE = 3  # most similar items of the history
TINY = 1e-12
LOOKS = ("semantic", "temporal", "frequency", "faint")  # of `REASONS`


@dataclass(frozen=True)
class ThemeRow:
    """A theme: the belief in it before the last item and now, the item's share of it, and the product."""

    look: str
    name: str
    before: str
    now: str
    share: str
    part: str


@dataclass(frozen=True)
class Meaning:
    """The dialog's part on the semantic branch. `themes` is for `semantic = "themes"`, `like` for "means"."""

    lead: str
    strips: list[Strip]
    themes: list[ThemeRow]
    like: list[tuple[str, str]]
    lines: list[Line]


@dataclass(frozen=True)
class _Named:
    """All themes with the same name."""

    name: str
    members: list[int]

    def of(self, values: np.ndarray) -> float:
        """The sum of these themes' values. values (K,) → a number."""
        return float(values[self.members].sum())


def themes(terms: ThemeTerms, names: Sequence[str], newest: str, columns: int) -> Meaning:
    """The part for themes. `names` has each theme's name, not all different; `newest` is the newest item's title."""
    now, before = terms.belief[-1], terms.belief[-2]
    named = _shown(terms, names)
    looks = [f"theme-{place}" for place in range(len(named))]
    why = int(np.argmax(terms.reasons[-1]))
    strips = [
        Strip(
            "semantic",
            "why each was chosen",
            f"last: {REASONS[why]}",
            f"How the model explains each item. The last, {newest}: "
            + ", ".join(f"{reason} {percent(share)}" for reason, share in zip(REASONS, terms.reasons[-1], strict=True)),
            [
                [Part(look, 100 * share) for look, share in zip(LOOKS, row, strict=True)]
                for row in terms.reasons[-columns:].tolist()
            ],
            size="high",
        ),
        Strip(
            "semantic",
            "belief in themes",
            f"most: {named[0].name}",
            "Belief in each theme after each item. Now: "
            + ", ".join(f"{one.name} {percent(one.of(now))}" for one in named),
            [
                [Part(look, 100 * one.of(row)) for look, one in zip(looks, named, strict=True)]
                for row in terms.belief[1:][-columns:]
            ],
            size="high",
        ),
    ]
    rows = []
    for look, one in zip(looks, named, strict=True):
        belief, part = one.of(now), one.of(terms.parts)
        rows.append(
            ThemeRow(
                look,
                one.name,
                percent(one.of(before)),
                percent(belief),
                decimal(part / max(belief, TINY)),
                decimal(part),
            )
        )
    total = float(terms.parts.sum())
    rest = max(total - sum(one.of(terms.parts) for one in named), 0.0)
    moved = float(np.abs(now - before).sum() / 2)
    return Meaning(
        f"{newest} moved {percent(moved)} of the belief: the model puts it down to {REASONS[why]} "
        f"({percent(float(terms.reasons[-1, why]))}).",
        strips,
        rows,
        [],
        [
            Line("all other themes", decimal(rest)),
            Line("all themes together", decimal(total), result=True),
            Line("the same of all items", f"÷ {terms.everything:.4f}"),
            Line("its share", decimal(terms.probability), result=True),
        ],
    )


def _shown(terms: ThemeTerms, names: Sequence[str]) -> list[_Named]:
    """The themes with the most belief and those that contribute most to this item, in turn, sorted by belief."""
    members: dict[str, list[int]] = {}
    for theme, name in enumerate(names):
        members.setdefault(name, []).append(theme)
    every = [_Named(name, found) for name, found in members.items()]
    now = terms.belief[-1]
    believed = sorted(every, key=lambda one: -one.of(now))
    giving = sorted(every, key=lambda one: -one.of(terms.parts))
    in_turn = [one for pair in zip(believed, giving, strict=True) for one in pair]
    chosen = list({one.name: one for one in in_turn}.values())[:THEMES]
    return sorted(chosen, key=lambda one: -one.of(now))


def means(terms: MeansTerms, titles: Sequence[str], columns: int) -> Meaning:
    """The part for means. `titles` are those of the history, oldest first."""
    strips = [
        Strip(
            "semantic",
            f"taste of about {taste.span:.0f}",
            f"last: {percent(float(taste.shares[-1]))}",
            f"Each item's share of the taste of about {taste.span:.0f} interactions.",
            bars(taste.shares[-columns:].tolist(), "semantic"),
        )
        for taste in terms.tastes
    ]
    strips.append(
        Strip(
            "semantic",
            "how alike in meaning",
            "up is alike",
            "The cosine of each item's text with this item's.",
            bars(terms.alike[-columns:].tolist(), "semantic", 1.0),
            signed=True,
            size="high",
        )
    )
    best: dict[str, float] = {}
    for place in np.argsort(-terms.alike, kind="stable").tolist():
        best.setdefault(titles[place], float(terms.alike[place]))
    like = [(title, f"{alike:.2f}") for title, alike in list(best.items())[:LIKE]]
    lead = "What the texts of the history have been about, as means that forget at three speeds."
    return Meaning(lead, strips, [], like, of_score(terms.score))
