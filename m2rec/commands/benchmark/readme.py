"""`python -m m2rec benchmark readme`"""

from m2rec import paths
from m2rec.commands.output import say


def readme() -> None:
    """Write the recorded figures of every checkpoint into the README's tables, and draw the learning curve."""
    from m2rec.benchmark.report.learning_curve import write_picture
    from m2rec.benchmark.report.readme import write_results

    page = paths.in_checkout("README.md")
    write_results(page, paths.checkpoints(), paths.benchmarks())
    picture = write_picture(paths.benchmarks())
    if picture:
        say(f"Drew {picture}.")
    say(f"The results in {page} are those of {paths.checkpoints()}.")
