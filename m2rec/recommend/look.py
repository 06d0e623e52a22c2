"""One look for each kind of evidence, everywhere: Okabe–Ito colour, pattern, mark and words, never colour alone."""

from dataclasses import dataclass

from m2rec.recommend.answer import MODALITIES, Modality


@dataclass(frozen=True)
class Evidence:
    """`pattern` is Plotly's name of the fill; the style sheet draws the same one on bars."""

    key: Modality
    name: str
    plain: str  # as part of a sentence
    asks: str
    colour: str
    pattern: str
    mark: str


EVIDENCE: dict[Modality, Evidence] = {
    "temporal": Evidence("temporal", "Temporal", "recent order", "what came just before", "#0072B2", "", "●"),
    "frequency": Evidence("frequency", "Frequency", "rhythm", "what keeps coming back", "#E69F00", "/", "▲"),
    "semantic": Evidence("semantic", "Semantic", "meaning", "what the items are about", "#009E73", ".", "◆"),
}
ORDERED: tuple[Evidence, ...] = tuple(EVIDENCE[modality] for modality in MODALITIES)
