"""Time and memory of an answer, measured for several models on one machine."""
