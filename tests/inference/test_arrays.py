"""The functions that NumPy lacks, against PyTorch's."""

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from m2rec.inference import arrays

VALUES = np.concatenate([np.linspace(-30, 30, 4001), [-1e4, -100, 100, 1e4]]).astype(np.float32)


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        (arrays.sigmoid, torch.sigmoid),
        (arrays.silu, F.silu),
        (arrays.softplus, F.softplus),
        (arrays.erf, torch.erf),
        (arrays.gelu, F.gelu),
    ],
)
def test_functions_are_those_of_pytorch(ours: object, theirs: object) -> None:
    with np.errstate(all="raise", under="ignore"):
        found = ours(VALUES)  # type: ignore[operator]
    np.testing.assert_allclose(found, theirs(torch.from_numpy(VALUES)), atol=2e-6, rtol=1e-5)  # type: ignore[operator]
    assert found.dtype == np.float32


def test_norms_and_softmaxes_are_those_of_pytorch() -> None:
    x = np.random.default_rng(0).normal(size=(5, 7)).astype(np.float32)
    tensor = torch.from_numpy(x)
    np.testing.assert_allclose(arrays.rms_normed(x), F.rms_norm(tensor, (7,)), rtol=1e-5)
    x[0, :3] = -np.inf
    tensor = torch.from_numpy(x)
    np.testing.assert_allclose(arrays.log_softmax(x), F.log_softmax(tensor, -1), rtol=1e-5)
    np.testing.assert_allclose(arrays.softmax(x.copy()), F.softmax(tensor, -1), rtol=1e-5)


def test_decay_matrices_weigh_by_age_and_see_nothing_later() -> None:
    found = arrays.decay_matrix(np.array([0.5, 0.1]), 4)
    np.testing.assert_allclose(found[0, 3], np.exp(-0.5 * np.array([3, 2, 1, 0])), rtol=1e-6)
    assert (found[:, 0, 1:] == 0).all()
