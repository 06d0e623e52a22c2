"""Where the repository's own files are, for tests that read them or start programs on them."""

from pathlib import Path

ROOT = Path(__file__).parents[1]
CHECKPOINTS = ROOT / "checkpoints"
