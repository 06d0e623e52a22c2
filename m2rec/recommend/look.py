"""One look for each kind of evidence, everywhere: Okabe–Ito colour, pattern, mark and words, never colour alone."""

from dataclasses import dataclass

from m2rec.recommend.parts import MODALITIES, Modality


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

# What both the page's charts and those of a notebook are drawn with. Where the page switches between light and dark it
# names a variable of its style sheet; outside of it there is the light theme, the same colours as in m2rec.css.
INK, FAINT, GRID, CARD = "#171c26", "#555e6d", "#e4e7ec", "#ffffff"
CHANCE = "rgba(128,134,145,0.16)"  # the area below which 95 % of shuffled histories stay
PATTERN = {"size": 6, "solidity": 0.22, "fgcolor": "rgba(0,0,0,.55)", "fillmode": "overlay"}  # Plotly's, over a fill
PERIOD_TICKS = (2, 3, 4, 5, 7, 10, 14, 21, 28, 42, 56, 84, 128, 180)
