"""The branches that answer, by the table in `m2rec/branches.py`, and the weights that a configuration asks for.

A checkpoint is checked against these, without PyTorch; `M2Rec.state_dict` is the reference, and
tests/inference/test_registry.py compares the two for every variant.
"""

from m2rec.branches import BRANCHES, BranchName, import_name
from m2rec.inference.arrays import Shapes, under
from m2rec.inference.branch import Branch
from m2rec.inference.gate import Gate
from m2rec.inference.softmax import SoftmaxHead
from m2rec.model.config import ModelConfig


def without_answers(config: ModelConfig) -> list[BranchName]:
    """The branches that have no counterpart in NumPy: they can be trained and evaluated, and not answer."""
    return [branch for branch in BRANCHES if config.variant(branch).inference is None]


def branch_classes(config: ModelConfig) -> dict[BranchName, type[Branch]]:
    """The class of each branch, in the order of `BRANCHES`. None may be without answers."""
    return {branch: import_name(str(config.variant(branch).inference)) for branch in BRANCHES}


def expected_shapes(config: ModelConfig) -> Shapes:
    """Every weight by its name in `model.safetensors`. The network is asked where a branch has no counterpart here."""
    if without_answers(config):
        return _of_network(config)
    classes, d = branch_classes(config), config.width
    shapes: Shapes = {
        "ids": (config.warm_items, d),
        "bias": (config.warm_items,),
        "text": (config.items + 1, config.text_width),
        "project.weight": (d, config.text_width),
    }
    for name, branch in classes.items():
        shapes |= under(name, branch.shapes(config))
        if config.gate == "features":
            head = SoftmaxHead.shapes(d if branch.normed else None, branch.newest_bias and config.repeat_bias)
            shapes |= under(f"fusion.heads.{name}", head)
    evidence = sum(branch.evidence_width(config) for branch in classes.values())
    return shapes | under("gate", Gate.shapes(d, evidence))


def _of_network(config: ModelConfig) -> Shapes:
    import torch

    from m2rec.model.m2rec import M2Rec

    with torch.device("meta"):  # shapes alone, no memory
        return {name: tuple(tensor.shape) for name, tensor in M2Rec(config).state_dict().items()}
