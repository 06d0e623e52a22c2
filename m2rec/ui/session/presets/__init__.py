"""Histories to start from, made from the loaded catalogue: the same catalogue always gives the same ones."""

from m2rec.ui.session.presets.make import make
from m2rec.ui.session.presets.preset import Preset

__all__ = ["Preset", "make"]
