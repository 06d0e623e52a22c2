"""The terms of the spectral branch for one item: the weight of each past item, band by band.

The branch's score is linear in its input, so it is a sum over bands and over the items of the history:

    match(i) = Σ_b a_b Σ_j k_b(j) · ⟨τ·O û_{t−j}, v_i⟩     gain × impulse response × likeness of the item j back
"""

from dataclasses import dataclass

import numpy as np

from m2rec.inference.frequency.spectral import Spectral
from m2rec.inference.terms.scores import Asked, ScoreTerms, score_terms

LARGE = 0.5  # gain, relative to the largest, from which a band's gain is called large


@dataclass(frozen=True)
class FilterBand:
    """One band: its period (inf for a trend, which began training with a memory of `scale` interactions), how strongly
    the history answers it, its gain, its part of `match`.
    """

    period: float
    coherence: float
    gain: float
    part: float
    large: bool
    scale: float | None


@dataclass(frozen=True)
class FilterTerms:
    """An item's score by similar items. By lag, 0 the newest: `alike` (n,) the similarity of each item to this one,
    `response` (n,) the filter in force. Σ alike·response is the sum of the bands' parts, `score.match`.
    """

    bands: tuple[FilterBand, ...]
    alike: np.ndarray
    response: np.ndarray
    score: ScoreTerms


def filter_terms(branch: Spectral, asked: Asked) -> FilterTerms:
    """Of the item that was asked about, at the end of the history."""
    assert asked.out.evidence is not None
    gains, evidence = asked.out.detail["gains"][0], asked.out.evidence[0]
    newest = asked.given.items[::-1][: branch.taps]
    alike = (branch.unit[newest] @ branch.out * branch.head.scale) @ branch.head.against[asked.target - 1]  # (n,)
    kernels = branch.kernels[:, : len(newest)]
    parts = gains * (kernels @ alike)
    count = len(branch.band_periods)
    coherence = evidence[count : 2 * count]
    largest = float(gains.max(initial=0.0))
    bands = tuple(
        FilterBand(period, strength, gain, part, gain > 0 and gain >= LARGE * largest, scale)
        for period, strength, gain, part, scale in zip(
            branch.band_periods.tolist(), coherence.tolist(), gains.tolist(), parts.tolist(), branch.scales, strict=True
        )
    )
    return FilterTerms(bands, alike, gains @ kernels, score_terms(branch.head, asked))
