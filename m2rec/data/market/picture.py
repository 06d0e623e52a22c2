"""One customer's days as a picture: purchases with their causes, and the fair oracle's forecast of each day."""

from html import escape

import numpy as np

from m2rec.branches import ORDERED
from m2rec.data.market.market import Market
from m2rec.data.market.oracles.oracles import fair
from m2rec.data.market.settings import CAUSES, CHAIN, NOISE, RHYTHM, TASTE

COLOURS = {CAUSES.index(kind.cause): kind.colour for kind in ORDERED if kind.cause} | {NOISE: "#8C8C8C"}
MEANT = {RHYTHM: "its rhythm", CHAIN: "what came before", TASTE: "an interest", NOISE: "no reason"}
DAY, LEFT, ROW, AREA = 11, 268, 26, 96  # pixels: a day's width, the labels' width, a row's and the area's height


def example_customer(market: Market) -> int:
    """The first customer with three rhythms of which one is weekly and none is of the same period as another."""
    periods = market.customers.rhythm_periods
    different = [0 not in row and len(set(row)) == len(row) for row in periods.tolist()]
    return int(np.flatnonzero(np.array(different) & (periods == 7).any(axis=1))[0])


def draw(market: Market, customer: int, days: int = 63) -> str:
    """An SVG of the first `days` days of one customer (an index)."""
    events = market.events_of(np.array([customer]))[:days]
    items, causes = market.sequences.events[events], market.causes[events]
    beliefs = fair(market, np.array([customer])).causes[: len(events)]  # (D, 4)
    titles = market.shop.catalogue.table["title"].to_numpy(dtype=object)
    standing = [int(item) for item in market.customers.rhythm_items[customer] if item]
    periods = market.customers.rhythm_periods[customer].tolist()
    parts, top = [], 34
    for item, period in zip(standing, periods, strict=False):
        bought = np.flatnonzero((items == item) & (causes == RHYTHM))
        parts.append(_label(top, f"{titles[item - 1]}, every {period} days"))
        parts += [_mark(RHYTHM, day, top) for day in bought.tolist()]
        top += ROW
    for cause in (CHAIN, TASTE, NOISE):
        parts.append(_label(top, f"bought for {MEANT[cause]}"))
        parts += [_mark(cause, day, top) for day in np.flatnonzero(causes == cause).tolist()]
        top += ROW
    parts.append(_label(top + AREA // 2, "the fair oracle, each morning"))
    parts += _areas(beliefs, top)
    top += AREA
    parts += [_week(day, top) for day in range(0, len(events), 7)]
    width, height = LEFT + DAY * days + 16, top + 34
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" viewBox="0 0 {width} {height}" '
        f'font-family="system-ui, sans-serif" font-size="13" role="img" '
        f'aria-label="{len(events)} days of one customer: purchases by cause, and what the oracle believed">\n'
        f'<rect width="100%" height="100%" fill="#ffffff"/>\n{_legend()}\n' + "\n".join(parts) + "\n</svg>\n"
    )


def _x(day: float) -> float:
    return LEFT + DAY * (day + 0.5)


def _label(y: int, text: str) -> str:
    short = text if len(text) <= 38 else text[:37] + "…"
    return f'<text x="{LEFT - 12}" y="{y + 4}" text-anchor="end" fill="#222222">{escape(short)}</text>'


def _mark(cause: int, day: float, y: float) -> str:
    """One shape a cause, so that they do not differ by colour alone."""
    x, colour = _x(day), COLOURS[cause]
    if cause == RHYTHM:
        return f'<path class="{CAUSES[cause]}" d="M{x} {y - 6}l5.5 10h-11z" fill="{colour}"/>'
    if cause == CHAIN:
        return f'<circle class="{CAUSES[cause]}" cx="{x}" cy="{y}" r="4.5" fill="{colour}"/>'
    if cause == TASTE:
        return f'<path class="{CAUSES[cause]}" d="M{x} {y - 6}l5 6l-5 6l-5 -6z" fill="{colour}"/>'
    return f'<path class="{CAUSES[cause]}" d="M{x - 4} {y - 4}l8 8m0 -8l-8 8" stroke="{colour}" stroke-width="2"/>'


def _areas(beliefs: np.ndarray, top: int) -> list[str]:
    """P(cause) of each day, stacked: beliefs (D, 4)."""
    order = (RHYTHM, CHAIN, TASTE, NOISE)
    upto = np.cumsum(beliefs[:, order], axis=1)
    rows = []
    for place, cause in enumerate(order):
        low = upto[:, place] - beliefs[:, cause]
        for day, (start, end) in enumerate(zip(low, upto[:, place], strict=True)):
            y, height = top + AREA * (1 - end), AREA * (end - start)
            rows.append(
                f'<rect x="{_x(day) - DAY / 2:.1f}" y="{y:.1f}" width="{DAY - 1}" height="{height:.1f}" '
                f'fill="{COLOURS[cause]}"/>'
            )
    return rows


def _week(day: int, y: int) -> str:
    text = f"day {day + 1}" if day == 0 else str(day + 1)
    return (
        f'<path d="M{_x(day):.1f} {y + 2}v5" stroke="#666666"/>'
        f'<text x="{_x(day):.1f}" y="{y + 20}" text-anchor="middle" fill="#444444">{text}</text>'
    )


def _legend() -> str:
    rows = []
    for place, cause in enumerate(MEANT):
        at = place * 9  # in days, as the marks are
        rows.append(_mark(cause, at, 12))
        rows.append(f'<text x="{_x(at) + 10}" y="16" fill="#222222">{CAUSES[cause]}</text>')
    return "\n".join(rows)
