"""What several baselines are built of: the position-wise network, the scans, and Mamba."""
