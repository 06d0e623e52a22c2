"""The few functions that NumPy lacks, in float32, and the weights of a checkpoint by name."""

from collections.abc import Mapping

import numpy as np

Weights = Mapping[str, np.ndarray]
Shapes = dict[str, tuple[int, ...]]  # of weights, by name

FLOAT32_EPSILON = float(np.finfo(np.float32).eps)  # what PyTorch's RMSNorm adds to the mean square
HORIZON = 16.0  # time constants: older items have a weight below e⁻¹⁶, which float32 loses in a sum
# Abramowitz and Stegun 7.1.26; its error is below 1.5e-7
_ERF = (0.254829592, -0.284496736, 1.421413741, -1.453152027, 1.061405429)
_ERF_SCALE = np.float32(0.3275911)
_HALF_ROOT = np.float32(0.5**0.5)


def below(weights: Weights, prefix: str) -> dict[str, np.ndarray]:
    """The weights whose names start with `prefix` and a dot, without it, as float32 row after row."""
    start = prefix + "."
    return {
        name.removeprefix(start): np.ascontiguousarray(array, dtype=np.float32).reshape(array.shape)
        for name, array in weights.items()
        if name.startswith(start)
    }


def under(prefix: str, shapes: Shapes) -> Shapes:
    """The names with `prefix` and a dot before each: what `below` takes away."""
    return {f"{prefix}.{name}": shape for name, shape in shapes.items()}


def feed_shapes(first: int, inputs: int, hidden: int, outputs: int, second: int, name: str = "feed") -> Shapes:
    """Of two linear layers, at places `first` and `second` of a sequence."""
    return {
        f"{name}.{first}.weight": (hidden, inputs),
        f"{name}.{first}.bias": (hidden,),
        f"{name}.{second}.weight": (outputs, hidden),
        f"{name}.{second}.bias": (outputs,),
    }


def sigmoid(x: np.ndarray) -> np.ndarray:
    """1 / (1 + e⁻ˣ), of any shape; large negative arguments give 0 without a warning."""
    result = np.asarray(np.negative(x))
    with np.errstate(over="ignore"):
        np.exp(result, out=result)
    result += 1
    return np.reciprocal(result, out=result)


def silu(x: np.ndarray) -> np.ndarray:
    """x·σ(x), as y + y·tanh y of y = x / 2: NumPy's tanh takes half the time of its exponential."""
    half = x * np.float32(0.5)
    result = np.tanh(half)
    result *= half
    result += half
    return result


def softplus(x: np.ndarray) -> np.ndarray:
    """log(1 + eˣ)."""
    return np.maximum(x, 0) + np.log1p(np.exp(-np.abs(x)))


def erf(x: np.ndarray) -> np.ndarray:
    """The error function, to 1.5e-7."""
    size = np.abs(x)
    t = 1 / (1 + _ERF_SCALE * size)
    a1, a2, a3, a4, a5 = map(np.float32, _ERF)
    tail = ((((a5 * t + a4) * t + a3) * t + a2) * t + a1) * t * np.exp(-size * size)
    return np.copysign(1 - tail, x)


def gelu(x: np.ndarray) -> np.ndarray:
    """x·Φ(x), as PyTorch has it by default."""
    return x * (0.5 + 0.5 * erf(x * _HALF_ROOT))


def rms_normed(x: np.ndarray) -> np.ndarray:
    """RMSNorm over the last axis, without its weight."""
    mean_square = np.einsum("...d,...d->...", x, x)[..., None] / x.shape[-1]
    return x / np.sqrt(mean_square + FLOAT32_EPSILON)


def softmax(x: np.ndarray) -> np.ndarray:
    """Over the last axis, in place; −inf gives 0."""
    x -= x.max(axis=-1, keepdims=True)
    np.exp(x, out=x)
    x /= x.sum(axis=-1, keepdims=True)
    return x


def log_softmax(x: np.ndarray) -> np.ndarray:
    """Over the last axis; −inf stays −inf."""
    x = x - x.max(axis=-1, keepdims=True)
    return x - np.log(np.exp(x).sum(axis=-1, keepdims=True))


def decay_matrix(rates: np.ndarray, length: int) -> np.ndarray:
    """Weights e^(−rate·(t − s)) of position s at position t ≥ s, else 0. rates (K,) → (K, n, n)."""
    age = np.arange(length)[:, None] - np.arange(length)
    return np.exp(-rates[:, None, None] * np.maximum(age, 0)).astype(np.float32) * (age >= 0)
