"""Colours and ticks of the page's charts and a notebook's; those of each branch are in `m2rec/branches.py`."""

# The page has variables of its style sheet in their place, which change between light and dark. A notebook has the
# light theme, the same colours as in m2rec.css.
INK, FAINT, GRID, CARD = "#171c26", "#555e6d", "#e4e7ec", "#ffffff"
CHANCE = "rgba(128,134,145,0.16)"  # the area below which 95 % of shuffled histories stay
PATTERN = {"size": 6, "solidity": 0.22, "fgcolor": "rgba(0,0,0,.55)", "fillmode": "overlay"}  # Plotly's, over a fill
PERIOD_TICKS = (2, 3, 4, 5, 7, 10, 14, 21, 28, 42, 56, 84, 128, 180)
