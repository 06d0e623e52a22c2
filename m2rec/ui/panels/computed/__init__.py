"""How one recommendation was computed: the view from the sentence down to the arithmetic, day by day."""
