"""The dialog that shows how one recommendation was computed, from a sentence down to the arithmetic, day by day."""
