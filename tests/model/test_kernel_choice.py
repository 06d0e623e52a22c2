"""A kernel is used only if it works and agrees with plain PyTorch in everything that training needs."""

import logging

import pytest
import torch
from torch import Tensor

from m2rec.model.kernel_choice import first_that_agrees, largest_difference


def plain(x: Tensor, y: Tensor) -> Tensor:
    return x.sin() * y


def arguments() -> list[Tensor]:
    return [torch.linspace(0, 2, 5), torch.linspace(1, 3, 5)]


def broken():
    raise RuntimeError("no compiler")


def off(x: Tensor, y: Tensor) -> Tensor:
    return plain(x, y) * 1.001


def wrong_gradient(x: Tensor, y: Tensor) -> Tensor:
    return plain(x, y) + (x - x.detach()) * 0.01


def gradient_is_not_a_number(x: Tensor, y: Tensor) -> Tensor:
    return plain(x, y) + (x - x.detach()).sqrt()  # the derivative of √0 is infinite, and its value 0


def wrong_without_gradients(x: Tensor, y: Tensor) -> Tensor:
    return plain(x, y) if torch.is_grad_enabled() else off(x, y)


def test_the_first_that_agrees_is_chosen_and_the_others_are_named(caplog: pytest.LogCaptureFixture) -> None:
    kernels = {"one": broken, "two": lambda: off, "three": lambda: plain, "four": broken}
    with caplog.at_level(logging.INFO), torch.inference_mode():
        assert first_that_agrees("Product", kernels, plain, arguments) is plain
    assert [record.message for record in caplog.records] == [
        "Product: not one on the GPU (not usable: no compiler).",
        "Product: not two on the GPU (off by 1.0e-03).",
        "Product: three, within 0e+00 of plain PyTorch.",
    ]


@pytest.mark.parametrize("kernel", [off, wrong_gradient, gradient_is_not_a_number, wrong_without_gradients])
def test_a_kernel_that_is_wrong_in_one_thing_is_not_chosen(kernel, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO):
        assert first_that_agrees("Product", {"it": lambda: kernel}, plain, arguments) is None
    assert caplog.records[-1].message == "Product: plain PyTorch on the GPU."


def test_no_difference_hides_behind_one_that_is_not_a_number() -> None:
    assert not largest_difference(gradient_is_not_a_number, plain, arguments()) < 1e9
    assert largest_difference(plain, plain, arguments()) == 0
