"""The one sentence that reads an answer: why the first card is first, and where its probability comes from.

It claims a rhythm only where the item came back at a steady distance that chance does not give: the spectrum stands out
of shuffled copies at that very period, or the item's own places are steadier than those of shuffled copies.
"""

from dataclasses import dataclass

from m2rec.branches import BRANCHES, EVIDENCE, BranchName
from m2rec.recommend.answer import Answer, RankedItem
from m2rec.ui.render.recurrence import Recurrence, beyond_chance, recurrences
from m2rec.ui.render.words import Wording, counted, ordinal, percent

EVEN = 0.5  # probability from which an item is said to come next, and not only to be the likeliest


@dataclass(frozen=True)
class Span:
    """A piece of a sentence; `kind` names the evidence its number comes from."""

    text: str
    kind: BranchName | None = None


def reading(
    answer: Answer, titles: dict[str, str], wording: Wording, overridden: bool = False, unseen_only: bool = False
) -> list[Span]:
    """Why the first card is first, as spans of one short paragraph, and nothing about any other item.

    `titles` maps the history's item ids; `unseen_only` says that what is in the history is left out of the list.
    """
    if not answer.items:
        return [Span("Nothing is left to recommend: every item is already in the history. Let seen items in again.")]
    first = answer.items[0]
    if not answer.history:
        return [
            Span(f"No history yet, so this is what the model expects of anybody: {first.title} first, "),
            Span(f"at {percent(first.probability)}. Add an item and watch the answer take shape."),
        ]
    lead = max(BRANCHES, key=lambda branch: first.contributions[branch])
    share = first.contributions[lead] / first.probability if first.probability else 0.0
    if overridden:
        return [
            Span(f"You set the gate by hand: {first.title} comes first with "),
            Span(percent(first.probability), lead),
            Span(", and "),
            Span(percent(share), lead),
            Span(f" of that comes from {EVIDENCE[lead].plain}."),
        ]
    why, source = _why(lead, first, answer, titles, wording)
    among = "Of what is not in the history yet, " if unseen_only else ""
    certainly = first.probability >= EVEN
    comes = f"{first.title} comes {'first' if unseen_only else 'next'} with "
    return [
        Span(among + (comes if certainly or unseen_only else f"Likeliest next: {first.title}, with ")),
        Span(percent(first.probability), lead),
        Span(f". {why}: "),
        Span(percent(share), lead),
        Span(f" of that comes from {source}."),
        *_disagreement(lead, first, answer, unseen_only),
    ]


def _why(
    lead: BranchName, first: RankedItem, answer: Answer, titles: dict[str, str], wording: Wording
) -> tuple[str, str]:
    """The reason for the first card, from its largest contribution, and the name of that evidence."""
    if lead == "temporal":
        newest = titles.get(answer.history[-1], answer.history[-1])
        return f"It follows from the order of what this {wording.who} {wording.past}, up to {newest}", EVIDENCE[
            lead
        ].plain
    if lead == "semantic":
        return f"It fits what the things that this {wording.who} {wording.present} are about", EVIDENCE[lead].plain
    kind = EVIDENCE[lead]
    if kind.key != "frequency":  # one that has no sentence of its own
        return f"The {kind.name.lower()} branch expects it", kind.plain
    steady = next((one for one in recurrences(answer.history) if one.item_id == first.item_id), None)
    if steady and _certain(steady, answer):
        every = f"every {ordinal(steady.period)} {wording.unit}"
        return f"This {wording.who} {wording.present} it {every} and it {_due(steady, wording)}", "rhythm"
    if steady:
        every = f"about every {ordinal(steady.period)} {wording.unit}"
        return f"It came back {every}, which chance could do too", "the frequency branch"
    places = [at for at, item_id in enumerate(answer.history) if item_id == first.item_id]
    if places:
        return _irregular(places, wording), "the frequency branch"
    return "It is like what keeps coming up in this history", "the frequency branch"


def _irregular(places: list[int], wording: Wording) -> str:
    """What is said of an item whose places are too few or too uneven for a rhythm."""
    if len(places) == 1:
        return "It came up once before"
    if len(places) == 2:
        return f"It came up twice, {counted(places[1] - places[0], wording.unit)} apart"
    return "It came up before, at no steady distance"


def _due(one: Recurrence, wording: Wording) -> str:
    if one.due == 0:
        return "is due tomorrow" if wording.unit == "day" else "is due now"
    if one.due < 0:
        return f"is overdue by {counted(-one.due, wording.unit)}"
    return f"is due in {counted(one.due + 1, wording.unit)}"


def _disagreement(lead: BranchName, first: RankedItem, answer: Answer, unseen_only: bool) -> list[Span]:
    """Said where the gate trusts another kind of evidence most than the one that the first card has most of."""
    favourite = max(BRANCHES, key=lambda branch: answer.gates[branch])
    if favourite == lead or first.contributions[favourite] >= answer.gates[favourite] / 2:
        return []
    others = "other items, those of the history included" if unseen_only else "other items"
    return [
        Span(f" The gate trusts {EVIDENCE[favourite].plain} most ("),
        Span(percent(answer.gates[favourite]), favourite),
        Span(f"), but most of that is for {others}."),
    ]


def _certain(one: Recurrence, answer: Answer) -> bool:
    """Whether chance is no explanation of this rhythm: by the spectrum at its period, or by the item's own places."""
    peaks = answer.spectrum.significant if answer.spectrum else []
    return any(abs(peak - one.period) < 0.5 for peak in peaks) or beyond_chance(answer.history, one)
