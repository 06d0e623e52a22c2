"""The data sets that a world may name: where each comes from and how its files become a `Dataset`."""
