"""Rhythm: what recurs after a period, in two variants: periodic (items) and spectral (vectors)."""
