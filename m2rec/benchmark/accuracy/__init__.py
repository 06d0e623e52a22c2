"""Accuracy side by side: which models a plan trains, their runs, and the table these make."""
