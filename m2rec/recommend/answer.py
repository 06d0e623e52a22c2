"""The answer of a recommender, which the page, the endpoints, the exports and the tests read."""

from typing import TYPE_CHECKING

from pydantic import BaseModel, ConfigDict

from m2rec.errors import InputError
from m2rec.recommend.parts import Invention, PerBranch, RankedItem, Spectrum, Theme
from m2rec.text_safety import quoted

if TYPE_CHECKING:
    import pandas as pd
    import plotly.graph_objects as go

__all__ = ["Answer", "Invention", "PerBranch", "RankedItem", "Spectrum", "Theme"]


class Answer(BaseModel):
    """One answer: what comes next, why, and what the history looks like.

    `history` holds the item ids that the model read, oldest first: the newest, where more were given than it reads.
    Older items count as already chosen.
    `gates` are the gate weights after the last item (they sum to 1); `gate_history` has those after each item.
    `themes` are what the history seems to be about, the strongest first; none where the model has no themes.
    `inventions` name the items that the history's invented ones are like. `notes` are sentences for the reader, such as
    that a long history was cut.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    world: str
    history: list[str]
    items: list[RankedItem]
    gates: PerBranch
    gate_history: list[PerBranch]
    spectrum: Spectrum | None
    themes: list[Theme] = []
    inventions: list[Invention] = []
    notes: list[str] = []

    def to_frame(self) -> "pd.DataFrame":
        """The items as a table of pandas: rank, item_id, title, group, probability and the three contributions."""
        from m2rec.recommend.display.notebook import frame  # pandas takes half a second to import

        return frame(self.items)

    def figure(self, chart: str) -> "go.Figure":
        """A Plotly figure: "spectrum", "gate" or "mixture". Raises InputError where there is nothing to draw."""
        from m2rec.recommend.display import charts  # Plotly takes a moment to import

        match chart:
            case "spectrum":
                return charts.spectrum(self.spectrum, self.world)
            case "gate":
                return charts.gate(self.gate_history, self.history, self.world)
            case "mixture":
                return charts.mixture(self.items, self.world)
        raise InputError(f"figure must be spectrum, gate or mixture, not {quoted(chart)}.")

    def _repr_html_(self) -> str:
        """HTML for a notebook."""
        from m2rec.recommend.display.notebook import html

        return html(self.items, self.gates, self.notes, self.world)
