"""Paths of the repository's files, for tests that read them or start programs with them."""

from pathlib import Path

ROOT = Path(__file__).parents[1]
CHECKPOINTS = ROOT / "checkpoints"
