"""What the page's charts and a notebook's are drawn with; `m2rec/branches.py` has the look of each kind of evidence."""

from m2rec.branches import EVIDENCE, ORDERED, Evidence

__all__ = ["CARD", "CHANCE", "EVIDENCE", "FAINT", "GRID", "INK", "ORDERED", "PATTERN", "PERIOD_TICKS", "Evidence"]

# What both the page's charts and those of a notebook are drawn with. Where the page switches between light and dark it
# names a variable of its style sheet; outside of it there is the light theme, the same colours as in m2rec.css.
INK, FAINT, GRID, CARD = "#171c26", "#555e6d", "#e4e7ec", "#ffffff"
CHANCE = "rgba(128,134,145,0.16)"  # the area below which 95 % of shuffled histories stay
PATTERN = {"size": 6, "solidity": 0.22, "fgcolor": "rgba(0,0,0,.55)", "fillmode": "overlay"}  # Plotly's, over a fill
PERIOD_TICKS = (2, 3, 4, 5, 7, 10, 14, 21, 28, 42, 56, 84, 128, 180)
