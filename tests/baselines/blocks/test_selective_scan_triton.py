"""The Triton kernels of the scan: against single steps in the interpreter, compiled for a GPU, and when they fail."""

import importlib.util
import os
import subprocess
import sys
from collections.abc import Iterator

import pytest
import torch

from m2rec.baselines.blocks import selective_scan as module
from m2rec.baselines.blocks.selective_scan import gpu_scan, random_parts, selective_scan, selective_scan_plain
from m2rec.model.kernel_choice import largest_difference

CPU = torch.device("cpu")
KERNELS = "m2rec.baselines.blocks.selective_scan_triton"
needs_triton = pytest.mark.skipif(
    importlib.util.find_spec("triton") is None, reason="needs triton: requirements-gpu.txt"
)

# The interpreter is chosen before Triton is imported, which other tests of this process may have done.
COMPARE = """
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from m2rec.baselines.blocks.selective_scan import gpu_scan, random_parts, selective_scan_plain
from m2rec.baselines.blocks.selective_scan_triton import selective_scan as kernel
from m2rec.model.kernel_choice import largest_difference

CPU = torch.device("cpu")

def differences(batch, length, channels, states):
    parts = random_parts(channels, states, CPU, batch=batch, length=length)
    single = largest_difference(kernel, selective_scan_plain, parts)
    double = largest_difference(kernel, selective_scan_plain, [part.double() for part in parts])
    assert single < 1e-5, (single, batch, length, channels, states)
    assert double < 1e-13, (double, batch, length, channels, states)

for shape in ((1, 1, 3, 4), (3, 7, 20, 32), (1, 65, 70, 4), (2, 2, 8, 32), (1, 3, 2, 300)):
    differences(*shape)

@settings(max_examples=15, deadline=None, derandomize=True, database=None)
@given(st.integers(1, 3), st.integers(1, 9), st.integers(1, 20), st.integers(1, 40))
def any_shape(batch, length, channels, states):
    differences(batch, length, channels, states)

any_shape()

x, dt, A, B, C = random_parts(6, 4, CPU)
apart = [part.repeat_interleave(2, dim=-1)[..., ::2] for part in (x, dt, A, B, C)]  # not contiguous
assert not apart[0].is_contiguous()
assert torch.equal(kernel(*apart), kernel(x, dt, A, B, C))
y = kernel(x, dt.requires_grad_(), A, B, C)  # a gradient that is not contiguous either, and for one argument only
(to_dt,) = torch.autograd.grad(y.sum(), dt)
(expected,) = torch.autograd.grad(selective_scan_plain(x, dt, A, B, C).sum(), dt)
torch.testing.assert_close(to_dt, expected)

with torch.inference_mode():
    chosen = gpu_scan(6, 4, CPU)
assert chosen is kernel
"""

# What the interpreter runs may still not compile. `ptxas` comes with Triton and needs no GPU.
COMPILE = """
import torch
import triton
from triton.backends.compiler import GPUTarget
from triton.compiler import ASTSource

from m2rec.baselines.blocks import selective_scan_triton as kernels

for channels, states in ((256, 32), (256, 16), (5, 1), (9, 300)):
    shape = kernels._shape(torch.empty(channels, states))
    options = {"num_warps": shape.pop("num_warps")}
    for kernel, constants in (
        (kernels._forward, shape | {"KEEP": True}),
        (kernels._forward, shape | {"KEEP": False}),
        (kernels._backward, shape),
    ):
        types = dict.fromkeys(kernel.arg_names, "*fp32") | {"L": "i32"} | dict.fromkeys(constants, "constexpr")
        source = ASTSource(kernel, types, constants)
        assert triton.compile(source, target=GPUTarget("cuda", 90, 32), options=options).asm["cubin"]
"""


def run(script: str, **environment: str) -> None:
    found = subprocess.run(
        [sys.executable, "-c", script], env=os.environ | environment, capture_output=True, text=True, check=False
    )
    assert found.returncode == 0, found.stderr


@pytest.fixture(autouse=True)
def fresh_choice() -> Iterator[None]:
    """The choice of a kernel is made once a process; here it is made in every test."""
    gpu_scan.cache_clear()
    yield
    gpu_scan.cache_clear()


@needs_triton
def test_the_kernels_agree_with_single_steps() -> None:
    run(COMPARE, TRITON_INTERPRET="1")


@needs_triton
def test_the_kernels_compile_for_an_h100(tmp_path) -> None:
    run(COMPILE, TRITON_INTERPRET="0", TRITON_CACHE_DIR=str(tmp_path))


def test_without_triton_there_is_no_kernel(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "mamba_ssm", None)
    monkeypatch.setitem(sys.modules, KERNELS, None)
    assert gpu_scan(6, 4, CPU) is None


def test_a_kernel_that_is_wrong_is_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    def replaced(kernel) -> None:
        gpu_scan.cache_clear()
        monkeypatch.setattr(module, "_of_triton", lambda: kernel)

    monkeypatch.setitem(sys.modules, "mamba_ssm", None)
    replaced(lambda *parts: selective_scan_plain(*parts) * 1.001)
    assert gpu_scan(6, 4, CPU) is None
    replaced(selective_scan)
    assert gpu_scan(6, 4, CPU) is selective_scan


def test_the_kernel_of_mamba_ssm_comes_first_if_it_agrees(monkeypatch: pytest.MonkeyPatch) -> None:
    def last_axis_is_time(x, dt, A, B, C):
        return selective_scan_plain(*(part.transpose(1, 2) for part in (x, dt)), A, B.mT, C.mT).transpose(1, 2)

    interface = type(sys)("mamba_ssm.ops.selective_scan_interface")
    interface.selective_scan_fn = last_axis_is_time  # type: ignore[attr-defined]
    for name in ("mamba_ssm", "mamba_ssm.ops"):
        monkeypatch.setitem(sys.modules, name, type(sys)(name))
    monkeypatch.setitem(sys.modules, interface.__name__, interface)
    kernel = gpu_scan(6, 4, CPU)
    assert kernel is not None
    assert largest_difference(kernel, selective_scan_plain, random_parts(6, 4, CPU)) < 1e-6
    assert kernel.func is module.scan_through  # type: ignore[attr-defined]


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
@pytest.mark.parametrize(("batch", "length", "states"), [(32, 200, 32), (16, 57, 16), (1, 1, 32)])
def test_the_kernels_agree_on_the_gpu_also_in_mixed_precision(batch: int, length: int, states: int) -> None:
    from m2rec.baselines.blocks.selective_scan_triton import selective_scan as kernel

    device = torch.device("cuda", torch.cuda.current_device())
    parts = random_parts(256, states, device, batch=batch, length=length)
    assert largest_difference(kernel, selective_scan_plain, parts) < 1e-4
    assert gpu_scan(256, states, device) is not None
    with torch.autocast("cuda", torch.bfloat16):
        assert largest_difference(selective_scan, selective_scan_plain, parts) < 1e-4
