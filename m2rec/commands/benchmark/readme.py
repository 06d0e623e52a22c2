"""`python -m m2rec benchmark readme`"""

from m2rec import paths
from m2rec.commands.output import say


def readme() -> None:
    """Write the recorded figures into README.md and RESULTS.md, and draw the learning curve."""
    from m2rec.benchmark.report.learning_curve import write_picture
    from m2rec.benchmark.report.readme import write_results

    page = paths.in_checkout("README.md")
    tables = paths.in_checkout("RESULTS.md")
    write_results(page, tables, paths.checkpoints(), paths.benchmarks())
    picture = write_picture(paths.benchmarks())
    if picture:
        say(f"Drew {picture}.")
    say(f"Wrote the results of {paths.checkpoints()} into {page} and {tables}.")
