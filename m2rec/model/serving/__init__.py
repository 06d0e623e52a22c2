"""One history, one answer, on a CPU: the same weights arranged for the visitor who waits."""
