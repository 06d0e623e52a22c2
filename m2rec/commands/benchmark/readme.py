"""`python -m m2rec benchmark readme`"""

from pathlib import Path

from m2rec.commands.output import say
from m2rec.commands.places import CHECKPOINTS

README = Path(__file__).parents[3] / "README.md"


def readme() -> None:
    """Write the recorded figures of every checkpoint into the README's tables."""
    from m2rec.benchmark.readme import write_results

    write_results(README, CHECKPOINTS)
    say(f"The results in {README} are those of {CHECKPOINTS}.")
