"""The README's results, written from the published files."""
