"""Worlds: one settings file for each data set with its model and training."""
