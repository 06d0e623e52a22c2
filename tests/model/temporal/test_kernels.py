import importlib.util
import logging
import sys
import types
from collections.abc import Iterator

import pytest
import torch

from m2rec.model.temporal import kernels
from m2rec.model.temporal.kernels import selective_scan
from m2rec.model.temporal.scan import scan_sequential

SSD = "mamba_ssm.ops.triton.ssd_combined"


@pytest.fixture(autouse=True)
def fresh_choice() -> Iterator[None]:
    """The choice of a kernel is made once a process; here it is made in every test."""
    kernels._cuda_kernel.cache_clear()
    kernels._no_kernel.cache_clear()
    yield
    kernels._cuda_kernel.cache_clear()
    kernels._no_kernel.cache_clear()


def inputs(device: str = "cpu", length: int = 100) -> tuple[torch.Tensor, ...]:
    generator = torch.Generator().manual_seed(0)
    x = torch.randn(2, length, 2, 16, generator=generator)
    dt = torch.rand(2, length, 2, generator=generator) + 0.05
    B, C = torch.randn(2, 2, length, 16, generator=generator)
    return tuple(part.to(device) for part in (x, dt, torch.tensor([-1.0, -0.1]), B, C))


def test_a_broken_build_falls_back_to_plain_pytorch_and_says_so(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    class Broken(types.ModuleType):
        def __getattr__(self, name: str) -> None:
            raise RuntimeError("0 active drivers")

    monkeypatch.setitem(sys.modules, SSD, Broken(SSD))
    with caplog.at_level(logging.INFO):
        assert kernels._cuda_kernel(torch.device("cpu")) is None
    assert "plain PyTorch on the GPU (mamba_ssm is not usable: 0 active drivers)" in caplog.text


def test_which_code_scans_is_said_once(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO):
        selective_scan(*inputs())
        selective_scan(*inputs())
    assert [record.message for record in caplog.records] == ["Selective scan: plain PyTorch on the CPU."]


def test_low_precision_inputs_are_scanned_in_the_precision_of_the_step_sizes() -> None:
    x, dt, A, B, C = inputs()
    low = selective_scan(x.bfloat16(), dt, A, B.bfloat16(), C.bfloat16())
    assert low.dtype == torch.float32
    torch.testing.assert_close(low, selective_scan(x, dt, A, B, C), atol=0.3, rtol=0.1)


@pytest.mark.parametrize(("factor", "used"), [(1.0, True), (1.001, True), (1.1, False), (float("nan"), False)])
def test_a_kernel_is_used_only_if_its_scan_is_that_of_plain_pytorch(
    factor: float, used: bool, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def kernel(
        x: torch.Tensor, dt: torch.Tensor, A: torch.Tensor, B: torch.Tensor, C: torch.Tensor, chunk_size: int
    ) -> torch.Tensor:
        return factor * scan_sequential(x * dt[..., None], dt * A, B[:, :, 0], C[:, :, 0])

    module = types.ModuleType(SSD)
    module.mamba_chunk_scan_combined = kernel  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, SSD, module)
    before = torch.random.get_rng_state()
    with caplog.at_level(logging.INFO):
        assert (kernels._cuda_kernel(torch.device("cpu")) is kernel) == used
    assert ("its scan differs from plain PyTorch's" in caplog.text) != used
    assert torch.equal(torch.random.get_rng_state(), before)


@pytest.mark.skipif(
    not (torch.cuda.is_available() and importlib.util.find_spec("mamba_ssm")), reason="needs a GPU with mamba_ssm"
)
def test_the_gpus_kernel_agrees_with_step_after_step() -> None:
    x, dt, A, B, C = inputs("cuda")
    assert kernels._cuda_kernel(x.device) is not None, "mamba_ssm is not usable on this GPU"
    plain = scan_sequential(x.cpu() * dt.cpu()[..., None], dt.cpu() * A.cpu(), B.cpu(), C.cpu())
    with torch.autocast("cuda", enabled=False):
        torch.testing.assert_close(selective_scan(x, dt, A, B, C).cpu(), plain, atol=2e-2, rtol=2e-2)  # TF32 inside
