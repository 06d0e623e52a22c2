"""All campaigns at full size: `python -m tests.fuzz [TIMES [SEED]]`; prints how many inputs were tried."""

import logging
import sys
import time
import traceback
from collections.abc import Callable
from functools import partial

from tests.fuzz import http
from tests.fuzz.campaigns import IN_PROCESS, OVER_HTTP
from tests.fuzz.verdict import Tally

FULL = 12


def main() -> int:
    """→ 0, or 1 when an input was not survived."""
    times = int(sys.argv[1]) if len(sys.argv) > 1 else FULL
    seed = int(sys.argv[2]) if len(sys.argv) > 2 else 1
    logging.disable(logging.CRITICAL)  # Gradio logs what it refuses
    tried, failed = 0, False
    with http.running() as client:
        campaigns: dict[str, tuple[Callable[[int, int], Tally], int]] = dict(IN_PROCESS)
        campaigns |= {name: (partial(run, client), rounds) for name, (run, rounds) in OVER_HTTP.items()}
        for name, (run, rounds) in campaigns.items():
            began = time.monotonic()
            try:
                tally = run(rounds * times, seed)
            except Exception:
                failed = True
                sys.stdout.write(f"{name}: NOT SURVIVED, seed {seed}\n{ascii(traceback.format_exc())[-3000:]}\n")
                continue
            tried += tally.tried
            ends = ", ".join(f"{count:,} {end}" for end, count in sorted(tally.items()))
            sys.stdout.write(f"{name}: {tally.tried:,} tried ({ends}), {time.monotonic() - began:.0f} s\n")
            sys.stdout.flush()
    sys.stdout.write(f"{tried:,} inputs tried, seed {seed}\n")
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
