"""Peak memory of work whose needs are known."""

import torch

from m2rec.benchmark.memory import peak_mib

CPU = torch.device("cpu")
MIB = 2**18  # float32 numbers


def test_what_is_released_makes_room_for_what_comes() -> None:
    def work() -> None:
        first = torch.empty(4 * MIB)
        second = torch.empty(4 * MIB)
        del first
        third = torch.empty(2 * MIB)
        del second, third

    assert peak_mib(work, CPU) == 8.0


def test_what_was_there_before_is_not_counted() -> None:
    held = torch.ones(4 * MIB)
    assert peak_mib(lambda: held.sum(), CPU) < 0.1
