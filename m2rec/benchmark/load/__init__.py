"""How the page holds when many people use it at once: real clients over HTTP, against a server on this machine."""
