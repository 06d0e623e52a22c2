"""The small arithmetic that NumPy does quicker than PyTorch, one vector at a time."""

import math
from typing import cast

import numpy as np
import torch
from scipy.special import erf
from torch import Tensor, nn

HORIZON = 16.0  # in memories: what is older has e⁻¹⁶ of the weight, less than float32 can tell from nothing
_HALF_ROOT = np.float32(math.sqrt(0.5))


def unit_power(x: np.ndarray, epsilon: float) -> np.ndarray:
    """RMSNorm without its scale. x (d,) → the same with a mean square of one."""
    return x * (1 / math.sqrt(float(x @ x) / len(x) + epsilon))


def gelu(x: np.ndarray) -> np.ndarray:
    """GELU by the error function, as PyTorch has it. x of any shape."""
    return x * (0.5 + 0.5 * erf(x * _HALF_ROOT))


def epsilon_of(norm: nn.Module) -> float:
    """What an RMSNorm adds to the mean square."""
    epsilon = cast(nn.RMSNorm, norm).eps
    return float(torch.finfo(torch.float32).eps) if epsilon is None else epsilon


def weights_of(tensor: Tensor) -> np.ndarray:
    """An array of its own, row after row in memory."""
    return np.array(tensor.detach().numpy(), dtype=np.float32, order="C")
