"""The numbers of a computation as a person can follow them with a calculator."""

from math import floor, log10

MINUS = "\N{MINUS SIGN}"
PLACES = 4  # decimals of a probability …
SMALLEST = 1e-5  # … and more of a small one, down to this


def decimal(share: float) -> str:
    """A probability or weight with four decimals, or two figures where it is smaller: 0.9213, 0.000025."""
    if 0 < share < SMALLEST:
        return "< 0.00001"
    places = PLACES if share == 0 or share >= 10**-PLACES else 1 - floor(log10(share))
    return f"{share:.{places}f}"


def signed(number: float, places: int = 2) -> str:
    """With its sign, which is a real minus: +1.97, −0.40; 0.00 has none."""
    text = f"{abs(number):.{places}f}"
    if not text.strip("0."):
        return text
    return f"{'+' if number > 0 else MINUS}{text}"


def amount(number: float) -> str:
    """A count or a sum of odds: 0.42, 12.3, 2,985."""
    return f"{number:,.0f}" if number >= 100 else f"{number:.3g}"
