"""Paths of files that belong to the repository and not to the package: checkpoints, recorded figures, pictures.

In a clone, and so on a Space, they are beside the package. An installed package has none; then the working folder is
used instead of the clone: `m2rec train` writes to `checkpoints/` there, and `m2rec recommend` looks there.
"""

from pathlib import Path

from m2rec.errors import InputError

PACKAGE = Path(__file__).resolve().parent
BENCHMARKS = Path("assets") / "benchmarks"


def checkout() -> Path | None:
    """The clone that this package is run from, or None where it was installed."""
    beside = PACKAGE.parent
    return beside if all((beside / name).is_file() for name in ("app.py", "pyproject.toml")) else None


def home() -> Path:
    """The clone, or else the working folder."""
    return checkout() or Path.cwd()


def checkpoints() -> Path:
    """The folder with one checkpoint folder a world; it need not be there yet."""
    return home() / "checkpoints"


def pictures() -> Path:
    """The folder of the README's pictures; it need not be there."""
    return home() / "assets"


def benchmarks() -> Path:
    """The folder of recorded benchmark figures; it need not be there yet."""
    return home() / BENCHMARKS


def benchmarks_of(checkpoint: Path) -> Path:
    """The same folder in the repository that a checkpoint's folder belongs to."""
    return checkpoint.parent.parent / BENCHMARKS


def in_checkout(name: str) -> Path:
    """A file of the clone, such as `app.py`. Raises InputError where the package was installed without it."""
    found = checkout()
    if found is None:
        raise InputError(
            f"{name} is part of M2Rec's repository and not of the installed package; clone the repository and run this "
            "command there."
        )
    return found / name


def how_to_install(extra: str = "") -> str:
    """The command that installs what M2Rec needs, or what one of its extras (train, gpu, dev) needs besides."""
    if checkout() is not None:
        return f"pip install -r requirements{f'-{extra}' if extra else ''}.txt"
    return f"pip install 'm2rec[{extra}]'" if extra else "pip install m2rec"
