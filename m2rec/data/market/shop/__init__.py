"""What the market sells: the catalogue as shipped, and the shop that a seed makes of it."""
