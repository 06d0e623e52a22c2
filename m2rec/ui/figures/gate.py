"""The gate along the history."""

from m2rec.branches import ORDERED
from m2rec.recommend.answer import Answer
from m2rec.recommend.display.style import PATTERN
from m2rec.ui.figures.frame import Figure, axis, layout
from m2rec.ui.render.words import percent


def gate_figure(answer: Answer, titles: dict[str, str]) -> Figure:
    """The three weights after every interaction, as stacked columns, oldest left."""
    count = len(answer.gate_history)
    names = [titles.get(item_id, item_id) for item_id in answer.history]
    data = [
        {
            "type": "bar",
            "name": kind.name,
            "x": list(range(1, count + 1)),
            "y": [row[kind.key] for row in answer.gate_history],
            "text": [
                f"{name}: {kind.name.lower()} {percent(row[kind.key])}"
                for name, row in zip(names, answer.gate_history, strict=False)
            ],
            "hovertemplate": "after %{x}, %{text}<extra></extra>",
            "textposition": "none",
            "marker": {
                "color": kind.colour,
                "line": {"width": 0},
                "pattern": {"shape": kind.pattern, **PATTERN},
            },
        }
        for kind in ORDERED
    ]
    return {
        "data": data,
        "layout": layout(
            barmode="stack",
            bargap=0.12 if count < 80 else 0,
            hovermode="closest",
            dragmode=False,
            xaxis=axis(
                range=[0.4, max(count, 8) + 0.6],
                showgrid=False,
                nticks=12,
                tickformat="d",
                title={"text": "after interaction"},
            ),
            margin={"l": 50, "r": 8, "t": 12, "b": 36},
            yaxis=axis(range=[0, 1], tickvals=[0, 0.5, 1], ticktext=["0", "50 %", "100 %"]),
        ),
    }
