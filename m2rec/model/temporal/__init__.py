"""Order and recency: multi-scale Mamba."""
