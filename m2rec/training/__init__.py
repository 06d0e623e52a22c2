"""Training: the loop, early stopping and resuming."""
