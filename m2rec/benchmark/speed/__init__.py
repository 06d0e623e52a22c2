"""Time and memory for an answer, side by side, on the machine at hand."""
