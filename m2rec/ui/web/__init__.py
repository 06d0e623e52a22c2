"""The server: routes, checks of requests, limits, compression and headers."""
