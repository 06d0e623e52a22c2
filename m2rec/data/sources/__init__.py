"""The data sets that a world may name: where to get each, and how its files become a `Dataset`."""
