"""A program that kills itself: `python -m tests.faults.killing FOLDER KILLS [SEED]`.

For each kind of save, a child process saves over and over and is killed outright at a random moment; what is there
afterwards must be whole. Prints, as JSON, how many kills each kind survived and how many of them came amid a save.
"""

import contextlib
import json
import os
import random
import signal
import sys
import time
from pathlib import Path

from tests.faults.saves import KINDS, Saved

LONGEST = 0.03  # seconds until the kill


def kill(saved: Saved, place: Path, chance: random.Random) -> bool:
    """One child, killed. → whether it left something half done beside the place."""
    before = _half_done(place)
    child = os.fork()
    if child == 0:
        version = 0
        with contextlib.suppress(BaseException):
            while True:
                version = 1 - version
                saved.save(place, version)
        os._exit(3)  # it must not end by itself
    time.sleep(chance.uniform(0.001, LONGEST))
    os.kill(child, signal.SIGKILL)
    _, status = os.waitpid(child, 0)
    assert os.WIFSIGNALED(status), f"the save failed before it was killed, status {status}"
    return bool(_half_done(place) - before)


def _half_done(place: Path) -> set[Path]:
    return {path for path in place.parent.rglob("*") if "saving-" in path.name or path.name.endswith("-journal")}


def main() -> None:
    """Every kind in its own folder."""
    folder, kills = Path(sys.argv[1]), int(sys.argv[2])
    chance = random.Random(int(sys.argv[3]) if len(sys.argv) > 3 else 0)
    survived = {}
    for name, make in KINDS.items():
        saved, place = make(), folder / name / "place"
        place.parent.mkdir()
        saved.save(place, 0)
        amid = 0
        for _ in range(kills):
            amid += kill(saved, place, chance)
            assert saved.read(place) in (0, 1), name
        saved.save(place, 1)  # and the next run can save again
        assert saved.read(place) == 1
        survived[name] = {"kills": kills, "amid a save": amid}
    sys.stdout.write(json.dumps(survived) + "\n")


if __name__ == "__main__":
    main()
