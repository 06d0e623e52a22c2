"""The semantic branch in NumPy, in its two variants: means and themes."""
