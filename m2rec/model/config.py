"""Every choice that shapes the network, in one place. Symbols as in `m2rec/model/m2rec.py`."""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from m2rec.branches import BRANCHES, EVIDENCE, BranchName, Variant

Positive = Annotated[int, Field(gt=0)]
Scale = Annotated[float, Field(gt=0, allow_inf_nan=False)]
Scales = Annotated[tuple[Scale, ...], Field(min_length=1)]
Rate = Annotated[float, Field(ge=0, lt=1)]


class ModelSettings(BaseModel):
    """What a world's settings file may choose; the catalogue's size is added by `ModelConfig`."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    width: Positive = 64  # d
    max_length: Positive = 200  # longest history the model reads

    # temporal branch (multi-scale Mamba)
    temporal_input: Literal["ids", "vectors"] = "ids"  # e alone: only the semantic branch reads text; or e + P z
    time_scales: Scales = (2.0, 16.0, 128.0)  # initial time constants, in interactions
    heads_per_scale: Positive = 2
    head_width: Positive = 32  # P
    state_width: Positive = 32  # N
    conv_width: Annotated[int, Field(ge=2)] = 4
    temporal_layers: Positive = 1
    expansion: Positive = 4  # feed-forward width / d

    # frequency branch (adaptive FFT filter)
    # periodic: which item of the history is due (`periodic.py`); spectral: a filter over item vectors (`spectral.py`)
    frequency: Literal["periodic", "spectral"] = "periodic"
    filter_length: Annotated[int, Field(ge=2)] = 200  # W, in interactions
    periods: tuple[Annotated[int, Field(ge=2)], ...] = (2, 3, 4, 5, 7, 10, 14, 21, 28)
    trend_scales: tuple[Scale, ...] = (4.0, 16.0, 64.0)  # spectral only, as are the next two
    identity_width: Positive = 32  # width in which two items are compared for being the same
    agreement_scale: Scale = 48.0  # interactions over which a band's agreement with the next item is averaged
    adaptive_filter: bool = True  # False: the same gains for every history, an ablation
    filter: Literal["learned", "low-pass"] = "learned"  # low-pass: the plain FFT filter, an ablation; spectral only

    # semantic branch
    # means: decayed means of texts (`means.py`); themes: a belief over themes (`themes.py`)
    semantic: Literal["means", "themes"] = "means"
    theme_count: Annotated[int, Field(ge=2)] = 24  # K, themes only
    taste_scales: Scales = (4.0, 16.0, 64.0)  # means only
    semantic_by_text: bool = True  # the branch scores items by their text alone, to treat new and old alike

    # gate and scores
    gate: Literal["distributions", "features", "equal"] = "distributions"
    branches: tuple[BranchName, ...] = BRANCHES
    repeat_bias: bool = True
    dropout: Rate = 0.2
    id_dropout: Rate = 0.1  # share of items scored by their text alone in a training batch

    def variant(self, branch: BranchName) -> Variant:
        """The variant that the setting of the branch's name chooses; the only one where there is no such setting."""
        variants = EVIDENCE[branch].variants
        return variants[getattr(self, branch, None) or next(iter(variants))]

    @model_validator(mode="after")
    def _consistent(self) -> "ModelSettings":
        if not self.branches or len(set(self.branches)) != len(self.branches):
            raise ValueError("branches must name at least one branch, and each at most once")
        if not self.periods and (self.frequency == "periodic" or not self.trend_scales):
            raise ValueError("periods must name at least one band (or trend_scales, where frequency is spectral)")
        if self.semantic == "themes" and not self.semantic_by_text:
            raise ValueError('semantic = "themes" takes semantic_by_text = true: themes score items by their texts')
        if self.periods and max(self.periods) > self.filter_length:
            raise ValueError(
                f"filter_length ({self.filter_length}) must reach the longest period ({max(self.periods)})"
            )
        if self.filter == "low-pass" and self.frequency == "periodic":
            raise ValueError('the low-pass filter is a spectral one: set frequency = "spectral" with it')
        return self


class ModelConfig(ModelSettings):
    """`ModelSettings` for one catalogue. Items 1…warm_items have an ID vector, the rest only their text."""

    items: Positive  # V
    warm_items: Positive
    text_width: Positive = 384

    @model_validator(mode="after")
    def _warm(self) -> "ModelConfig":
        if self.warm_items > self.items:
            raise ValueError(f"warm_items ({self.warm_items}) cannot exceed items ({self.items})")
        return self
