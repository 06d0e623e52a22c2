"""Learning the weights: the loop, early stopping and resuming."""
