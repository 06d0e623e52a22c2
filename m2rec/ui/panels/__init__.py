"""The panels of the page: each is a pure function from a `PageContext` to escaped HTML."""
