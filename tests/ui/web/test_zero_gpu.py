import sys
from types import SimpleNamespace

import pytest

from m2rec.ui.web.zero_gpu import gpu


def double(number: int) -> int:
    return 2 * number


def test_without_the_spaces_package_a_function_stays_what_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "spaces", None)
    assert gpu(double) is double


def test_on_a_space_the_function_is_marked_for_its_card(monkeypatch: pytest.MonkeyPatch) -> None:
    marked = []
    monkeypatch.setitem(
        sys.modules, "spaces", SimpleNamespace(GPU=lambda function: marked.append(function) or function)
    )
    assert gpu(double)(3) == 6
    assert marked == [double]
