"""The charts as Plotly figures in plain JSON: pure functions of an answer."""
