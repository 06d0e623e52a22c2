"""The same run on Ray Data: workers answer parts, on this machine or on a cluster whose machines share the folders."""

import time

import numpy as np

from m2rec.errors import InputError
from m2rec.paths import how_to_install
from m2rec.scoring.run import Run, Scored, users_left
from m2rec.scoring.scorer import Scorer

HERE = "local"  # the address that starts a cluster on this machine


class PartScorer:
    """A worker: answers parts by their numbers, and counts their users and unknown entries."""

    def __init__(self, run: Run) -> None:
        self.run = run
        self.scorer = Scorer(run.checkpoint, run.k, run.exclude_seen)

    def __call__(self, batch: dict[str, np.ndarray]) -> dict[str, list[int]]:
        """{"part": numbers} → their users, and the entries that no item is known for."""
        users, unknown = [], []
        for number in batch["part"].tolist():
            before = self.scorer.unknown
            users.append(self.run.answer(number, self.scorer))
            unknown.append(self.scorer.unknown - before)
        return {"users": users, "unknown": unknown}


def score_on_ray(run: Run, address: str = HERE, workers: int | None = None) -> Scored:
    """Answer every part by `workers` workers, by default one a processor of the cluster.

    Raises InputError where Ray is not installed or no cluster answers at the address.
    """
    try:
        import ray
    except ImportError as error:
        raise InputError(f"--ray needs the package ray; install it with {how_to_install('scale')}.") from error
    began = time.monotonic()
    started = not ray.is_initialized()
    if started:
        try:
            ray.init(address=None if address == HERE else address, include_dashboard=False, log_to_driver=False)
        except (ConnectionError, ValueError, RuntimeError) as error:
            raise InputError(f"No Ray cluster answers at {address} ({error}); give its address, or none.") from error
    try:
        with run.claimed() as parts:
            left = run.left(parts)
            unknown = 0
            if left:
                count = min(workers or int(ray.cluster_resources().get("CPU", 1)), len(left))
                # one block a part, made here: a task that makes blocks would wait for a processor that the workers hold
                numbers = ray.data.from_items([{"part": number} for number in left], override_num_blocks=len(left))
                answered = numbers.map_batches(
                    PartScorer, fn_constructor_args=[run], batch_size=1, concurrency=count, num_cpus=1
                )
                with users_left(run, left) as (_, advance):
                    for row in answered.iter_rows():
                        unknown += int(row["unknown"])
                        advance(int(row["users"]))
            return run.end(parts, parts - len(left), unknown, began)
    finally:
        if started:
            ray.shutdown()
