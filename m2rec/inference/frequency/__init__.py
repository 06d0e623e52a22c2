"""The frequency branch in NumPy, in its two variants: periodic and spectral."""
