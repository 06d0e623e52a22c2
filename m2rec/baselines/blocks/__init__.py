"""Modules that several baselines use: the position-wise network, the scans, and Mamba."""
