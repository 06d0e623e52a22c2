"""Comparisons of accuracy: plans of models, their runs, and the table of results."""
