"""The manifest of a bundle: what was run, how, and the hash of every file."""

from __future__ import annotations

import json
from collections.abc import Mapping
from enum import StrEnum
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationInfo, field_validator

from mixarray.trace.padding import Padding
from mixarray.trace.ratio import Promotion, check_compression, check_pruning

Positive = Annotated[int, Field(strict=True, ge=1)]
Bits = Annotated[int, Field(strict=True, ge=1, le=32)]
Thousandths = Annotated[int, Field(strict=True, ge=0, le=1000)]
SCHEMA_VERSION: Literal["1.1"] = "1.1"
"""What is written. 1.0 had no bits per layer; its bundles are read as they are."""
Sha256 = Annotated[str, Field(pattern="^[0-9a-f]{64}$")]


class ModelSource(StrEnum):
    """Where the weights came from."""

    TRAINED = "trained"
    USER = "user"
    RANDOM = "random"


class Derived(StrEnum):
    """Whether the assignment is what the model did, or was re-assigned without running it: then only counts hold."""

    NONE = "none"
    COUNTS_ONLY = "counts_only"


class AllocatedBits(BaseModel):
    """Bits of what differs from the model's own: weights by operator name, activations by tensor name."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    weights: Mapping[str, Bits]
    activations: Mapping[str, Bits]


class Manifest(BaseModel):
    """`manifest.json`. `files` maps each file's name within the bundle to its SHA-256; write_bundle fills it."""

    model_config = ConfigDict(frozen=True, extra="forbid", protected_namespaces=())

    schema_version: Literal["1.0", "1.1"]
    model: str = Field(min_length=1)
    model_source: ModelSource
    window_size: Positive = Field(description="side of a window in tokens")
    input_height: Positive = Field(description="pixels")
    input_width: Positive = Field(description="pixels")
    images: Annotated[tuple[str, ...], Field(min_length=1)]
    method: str = Field(description="quantization method")
    activation_bits_high: Bits
    activation_bits_low: Bits
    weight_bits: Bits = Field(description="bits of the weights inside the blocks")
    allocation: AllocatedBits | None = Field(
        default=None, description="layers of other bits than these; none: every layer has the bits of its kind"
    )
    ratio_thousandths: Thousandths = Field(description="nominal share of low windows")
    pair_ratios_thousandths: tuple[tuple[Thousandths, ...], ...] = Field(description="by stage, then block pair")
    pruning_thousandths: Thousandths = Field(default=0, description="nominal share of pruned windows")
    pair_pruning_thousandths: tuple[tuple[Thousandths, ...], ...] = Field(
        default=(), description="by stage, then block pair; empty: nothing is pruned"
    )
    promotion: Promotion = Field(
        default=Promotion.REFUSED, description="whether windows may run better in a later block of their stage"
    )
    padding: Padding = Field(default=Padding.ATTENTION, description="which parts of a block see padded positions")
    score: str = Field(description="importance score that ranked the windows")
    score_note: str = Field(description="what a reader must know about the score; may be empty")
    seed: Annotated[int, Field(strict=True)]
    derived: Derived
    git_revision: str
    versions: Mapping[str, str]
    files: Mapping[str, Sha256] = Field(default_factory=dict)

    @field_validator("images")
    @classmethod
    def _distinct_images(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        if len(set(value)) != len(value):
            raise ValueError("an image is listed twice")
        return value

    @field_validator("activation_bits_low")
    @classmethod
    def _not_above_high(cls, value: int, info: ValidationInfo) -> int:
        high = info.data.get("activation_bits_high", value)
        if value > high:
            raise ValueError(f"must not exceed activation_bits_high, which is {high}")
        return value

    @field_validator("pair_ratios_thousandths")
    @classmethod
    def _allowed_ratios(cls, value: tuple[tuple[int, ...], ...], info: ValidationInfo) -> tuple[tuple[int, ...], ...]:
        """Every ratio is allowed, and the nominal one is theirs: their mean where they differ."""
        every = [ratio for ratios in value for ratio in ratios]
        for ratio in every:
            check_compression(ratio)
        if not every:
            raise ValueError("has no block pair")
        nominal = info.data.get("ratio_thousandths")
        if nominal is not None and nominal != round(sum(every) / len(every)):
            raise ValueError(f"their mean is {sum(every) / len(every):g}, ratio_thousandths is {nominal}")
        return value

    @field_validator("pair_pruning_thousandths")
    @classmethod
    def _allowed_pruning(cls, value: tuple[tuple[int, ...], ...], info: ValidationInfo) -> tuple[tuple[int, ...], ...]:
        """Every pair's two ratios are at most 1 together, and the nominal one is the mean."""
        compression = info.data.get("pair_ratios_thousandths")
        if compression is None:
            return value
        if value and [len(stage) for stage in value] != [len(stage) for stage in compression]:
            raise ValueError("has other block pairs than pair_ratios_thousandths")
        every = [ratio for ratios in value for ratio in ratios] or [0]
        for pruned, low in zip(value, compression, strict=True) if value else ():
            for pair in zip(pruned, low, strict=True):
                check_pruning(*pair)
        nominal = info.data.get("pruning_thousandths")
        if nominal is not None and nominal != round(sum(every) / len(every)):
            raise ValueError(f"their mean is {sum(every) / len(every):g}, pruning_thousandths is {nominal}")
        return value

    def to_json(self) -> str:
        """The text of `manifest.json`: sorted keys, so equal content gives equal bytes."""
        return json.dumps(self.model_dump(mode="json"), indent=2, sort_keys=True, ensure_ascii=False) + "\n"
