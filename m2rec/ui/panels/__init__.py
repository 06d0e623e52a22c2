"""The panels of the page: each is a pure function from a `Scene` to escaped HTML."""
