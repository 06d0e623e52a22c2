"""The panels of the page: pure functions from a `PageContext` to escaped HTML."""
