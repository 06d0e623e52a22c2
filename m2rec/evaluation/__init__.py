"""Ranks in, figures out: metrics, protocol and confidence intervals."""
