"""Paths of the repository's files, for tests that read them or start programs with them, and its scripts as modules."""

import importlib.util
from pathlib import Path
from types import ModuleType

ROOT = Path(__file__).parents[1]
CHECKPOINTS = ROOT / "checkpoints"


def script(path: str) -> ModuleType:
    """A script of assets/ as a module."""
    spec = importlib.util.spec_from_file_location(Path(path).stem, ROOT / "assets" / path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
