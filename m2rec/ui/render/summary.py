"""The one sentence that reads an answer: what is going on, and where the answer comes from.

It claims a rhythm only where two things hold: an item came back at a steady distance, and the spectrum stands out of
shuffled copies at that very period.
"""

from dataclasses import dataclass

from m2rec.recommend.answer import MODALITIES, Answer, Modality
from m2rec.recommend.look import EVIDENCE
from m2rec.ui.render.recurrence import Recurrence, recurrences
from m2rec.ui.render.words import Voice, counted, ordinal, percent, plain_period


@dataclass(frozen=True)
class Span:
    """A piece of a sentence; `kind` names the evidence its number comes from."""

    text: str
    kind: Modality | None = None


def reading(answer: Answer, titles: dict[str, str], voice: Voice, overridden: bool = False) -> list[Span]:
    """What is going on, as spans of one short paragraph. `titles` maps the history's item ids."""
    if not answer.items:
        return [Span("Nothing is left to recommend: every item is already in the history. Let seen items in again.")]
    first = answer.items[0]
    if not answer.history:
        return [
            Span(f"No history yet, so this is what the model expects of anybody: {first.title} first, "),
            Span(f"at {percent(first.probability)}. Add an item and watch the answer take shape."),
        ]
    lead = max(MODALITIES, key=lambda modality: answer.gates[modality])
    source = EVIDENCE[lead].plain
    if overridden:
        told = "You set the gate by hand: "
    elif lead == "frequency":
        told, source = _frequency_leads(answer, titles, voice)
    else:
        told = _another_leads(lead, answer, titles, voice)
    strongest = max(MODALITIES, key=lambda modality: first.contributions[modality])
    return [
        Span(told),
        Span(percent(answer.gates[lead]), lead),
        Span(f" of this answer comes from {source}. First: {first.title}, "),
        Span(percent(first.probability), strongest),
        Span("."),
    ]


def certain(answer: Answer) -> list[Recurrence]:
    """The steady items at whose period the spectrum stands out of chance."""
    peaks = answer.spectrum.significant if answer.spectrum else []
    return [one for one in recurrences(answer.history) if any(abs(peak - one.period) < 0.5 for peak in peaks)]


def _frequency_leads(answer: Answer, titles: dict[str, str], voice: Voice) -> tuple[str, str]:
    """How the sentence begins, and what the answer is then said to come from."""
    rhythm = _telling(certain(answer), answer)
    if rhythm:
        return f"{_rhythm(rhythm, titles, voice)}, so ", EVIDENCE["frequency"].plain
    if answer.spectrum and answer.spectrum.significant:
        period = plain_period(answer.spectrum.significant[0])
        return f"Period {period} stands out from chance, so ", EVIDENCE["frequency"].plain
    steady = _telling(recurrences(answer.history), answer)
    if steady:
        title, every = titles.get(steady.item_id, steady.item_id), ordinal(steady.period)
        opening = f"{title} came back about every {every} {voice.unit}, which chance could do too; still, "
    else:
        opening = "No period stands out from chance here; still, "
    return f"{opening}what came up before speaks loudest: ", "the frequency branch"


def _another_leads(lead: Modality, answer: Answer, titles: dict[str, str], voice: Voice) -> str:
    rhythm = _telling(certain(answer), answer)
    waiting = _rhythm(rhythm, titles, voice) if rhythm and rhythm.due > 0 else ""  # a reason against rhythm now
    if lead == "temporal":
        newest = titles.get(answer.history[-1], answer.history[-1])
        opening = f"{waiting}, but you" if waiting else "You"
        return f"{opening} just {_past(voice.verb)} {newest}, and what follows from that speaks loudest: "
    opening = f"{waiting}, yet what" if waiting else "What"
    return f"{opening} these items are about speaks loudest: "


def _telling(steady: list[Recurrence], answer: Answer) -> Recurrence | None:
    """The one that the frequency branch makes most of, then the one that is due soonest."""
    promoted = {item.item_id: item.contributions["frequency"] for item in answer.items}

    def telling(one: Recurrence) -> tuple[float, int, int]:
        return promoted.get(one.item_id, 0.0), -abs(one.due), len(one.positions)

    return max(steady, key=telling, default=None)


def _rhythm(one: Recurrence, titles: dict[str, str], voice: Voice) -> str:
    if one.due == 0:
        when = "due tomorrow" if voice.unit == "day" else "due now"
    elif one.due < 0:
        when = f"overdue by {counted(-one.due, voice.unit)}"
    else:
        when = f"due in {counted(one.due + 1, voice.unit)}"
    title = titles.get(one.item_id, one.item_id)
    return f"You {voice.verb} {title} every {ordinal(one.period)} {voice.unit}; the next one is {when}"


def _past(verb: str) -> str:
    return {"buy": "bought", "watch": "watched", "choose": "chose"}.get(verb, f"{verb}ed")
