"""Rhythm: what comes back after a period, in two variants: periodic (items) and spectral (vectors)."""
