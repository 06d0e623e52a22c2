"""Meaning: what the texts of a history are about, in two variants: themes and means."""
