"""The tiny shop's network, and `mamba_ssm`'s own reference functions as an outside witness."""

import importlib
import sys
import types
from collections.abc import Iterator
from dataclasses import dataclass
from types import ModuleType

import pytest
import torch

from m2rec.model.m2rec import M2Rec
from tests.tiny_world import random_model, tiny_config


@pytest.fixture(scope="session")
def model() -> M2Rec:
    """The default settings in small, all parameters random, in evaluation mode. Not to be changed by a test."""
    return random_model(tiny_config())


@dataclass(frozen=True)
class MambaSsm:
    """The modules of `mamba_ssm` that hold plain PyTorch references."""

    scan: ModuleType
    ssd: ModuleType
    combined: ModuleType
    gated_norm: ModuleType


@pytest.fixture(scope="session")
def mamba_ssm() -> Iterator[MambaSsm]:
    """`mamba_ssm` without its CUDA extension, which its import asks for and its references do not use."""
    pytest.importorskip("einops", reason="needs einops and mamba-ssm (see requirements-gpu.txt)")
    stub = "selective_scan_cuda"
    with pytest.MonkeyPatch.context() as patch:
        if stub not in sys.modules and importlib.util.find_spec(stub) is None:
            patch.setitem(sys.modules, stub, types.ModuleType(stub))
        pytest.importorskip("mamba_ssm", reason="needs mamba-ssm's reference functions (see requirements-gpu.txt)")
        yield MambaSsm(
            scan=importlib.import_module("mamba_ssm.ops.selective_scan_interface"),
            ssd=importlib.import_module("mamba_ssm.modules.ssd_minimal"),
            combined=importlib.import_module("mamba_ssm.ops.triton.ssd_combined"),
            gated_norm=importlib.import_module("mamba_ssm.ops.triton.layernorm_gated"),
        )


@pytest.fixture(autouse=True)
def same_dice() -> None:
    """Whatever a test draws from torch's global generator, it draws the same every time."""
    torch.manual_seed(0)
