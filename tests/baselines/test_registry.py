"""Making a model by its name."""

import pytest
import torch

from m2rec.baselines.registry import BASELINES, SEQUENTIAL, checked_settings, make_baseline
from m2rec.errors import InputError


def test_the_same_seed_makes_the_same_model() -> None:
    def weights() -> list[torch.Tensor]:
        torch.manual_seed(3)
        return list(make_baseline("lrurec", 9, 9).state_dict().values())

    assert all(torch.equal(a, b) for a, b in zip(weights(), weights(), strict=True))


@pytest.mark.parametrize("name", sorted(set(SEQUENTIAL) - {"sasrec-text"}))
def test_models_without_text_ignore_text_vectors(name: str) -> None:
    model = make_baseline(name, 9, 9, torch.ones(10, 3))
    assert not any(tensor.shape == (10, 3) for tensor in model.state_dict().values())


def test_all_have_the_same_default_width() -> None:
    assert {checked_settings(name, {}).width for name in SEQUENTIAL} == {64}
    assert checked_settings("sasrec", {"width": 128}).width == 128


@pytest.mark.parametrize("name", sorted(SEQUENTIAL))
def test_the_repeat_bias_is_in_the_settings_only_if_it_is_on(name: str) -> None:
    """Settings are part of a run's key, and keys of runs from before this setting must stay valid."""
    assert "repeat_bias" not in checked_settings(name, {"repeat_bias": False}).model_dump(mode="json")
    on = checked_settings(name, {"repeat_bias": True}).model_dump(mode="json")
    assert on.pop("repeat_bias") is True
    assert on == checked_settings(name, {}).model_dump(mode="json")


@pytest.mark.parametrize(
    ("name", "settings", "sentence"),
    [
        ("sasrek", {}, f"There is no baseline 'sasrek'; choose one of {', '.join(BASELINES)}."),
        ("sasrec", {"depth": 3}, "sasrec has a mistake at depth: Extra inputs are not permitted."),
        ("gru4rec", {"dropout": 1.5}, "gru4rec has a mistake at dropout: Input should be less than 1."),
        ("sasrec-text", {}, "sasrec-text reads the items' text vectors; prepare the world with its texts."),
        ("popularity", {}, "popularity needs the counts of training events, and takes no settings."),
    ],
)
def test_a_refusal_is_one_sentence(name: str, settings: dict[str, object], sentence: str) -> None:
    with pytest.raises(InputError) as caught:
        make_baseline(name, 9, 9, settings=settings)
    assert str(caught.value) == sentence


def test_texts_of_another_catalogue_are_refused() -> None:
    with pytest.raises(ValueError, match="text_vectors must have 10 rows, not 5"):
        make_baseline("sasrec-text", 9, 9, torch.ones(5, 3))
