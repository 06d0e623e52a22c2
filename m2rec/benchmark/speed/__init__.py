"""Time and memory of an answer, compared on this machine."""
