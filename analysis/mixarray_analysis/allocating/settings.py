"""What an allocation is asked for: plain data that travels through its files."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from enum import StrEnum
from math import isfinite
from typing import Any, TypeVar

from mixarray.errors import InputError
from mixarray_analysis.allocating.costs import Average, Objective
from mixarray_analysis.allocating.greedy import Rescore
from mixarray_analysis.allocating.losses import SPLIT, LossKind
from mixarray_analysis.allocating.moves import Width
from mixarray_traces.quantization.mptq_options import MptqOptions
from mixarray_traces.quantization.options import QuantizationOptions, RepqOptions

Kind = TypeVar("Kind", bound=StrEnum)
TOP_BITS = 8
"""Where all decisions start."""
METHODS = ("mptq_vit", "repq_vit", "uniform_affine")
"""Methods that quantize a float model layer by layer, without training."""
LOWEST = (3, 4)


@dataclass(frozen=True, slots=True)
class Settings:
    """What decides where a greedy goes.

    average_thousandths: the average width to reach, in thousandths of a bit. budget_thousandths: the share of the
    start's cost to reach, in thousandths. None: not a goal; without goals every decision goes to its lowest width.
    accelerator, overrides: what is simulated. checkpoint: of the float model, empty for the shipped one. input_px:
    side of the simulated image. size_px, canvases, seed: of the calibration canvases. ratio: share of low windows.
    model_sha256, accelerator_sha256: of what these were.
    """

    objective: Objective
    average: Average
    average_thousandths: int | None
    budget_thousandths: int | None
    lowest: int
    width: Width
    rescore: Rescore
    method: str
    loss: LossKind
    accelerator: str
    overrides: tuple[str, ...]
    checkpoint: str
    input_px: int
    size_px: int
    canvases: int
    seed: int
    ratio: int
    model_sha256: str
    accelerator_sha256: str

    def __post_init__(self) -> None:
        if self.method not in METHODS:
            raise InputError("--method", f"{self.method!r} is not possible; allowed: {', '.join(METHODS)}")
        if self.lowest not in LOWEST:
            raise InputError("--lowest", f"{self.lowest} is not possible; allowed: 3, 4")
        if self.average_thousandths is not None and not 1000 * self.lowest <= self.average_thousandths <= 8000:
            message = f"{self.average_thousandths / 1000:g} is not reached; allowed: {self.lowest} to {TOP_BITS}"
            raise InputError("--average-bits", message)
        if self.budget_thousandths is not None and not 0 < self.budget_thousandths <= 1000:
            message = f"{self.budget_thousandths / 1000:g} is no share of the cost; allowed: above 0, to 1"
            raise InputError("--budget", message)
        if self.canvases < 1:
            raise InputError("--n", f"{self.canvases}; at least 1")

    def options(self) -> QuantizationOptions:
        """How the layers are quantized; an allocation takes the place of the blocks' bits."""
        return QuantizationOptions(
            method=self.method,
            weight_bits=TOP_BITS,
            high_bits=TOP_BITS,
            calibration_split=SPLIT,
            calibration_canvases=self.canvases,
            calibration_size=self.size_px,
            seed=self.seed,
            repq=RepqOptions() if self.method == "repq_vit" else None,
            mptq=MptqOptions() if self.method == "mptq_vit" else None,
        )

    def to_json(self) -> dict[str, Any]:
        """Plain JSON values."""
        return asdict(self) | {"overrides": list(self.overrides)}

    @classmethod
    def from_json(cls, saved: Mapping[str, Any]) -> Settings:
        """What `to_json` wrote; KeyError, TypeError or ValueError for anything else."""
        if set(saved) != {field.name for field in fields(cls)}:
            raise ValueError(f"the settings are {', '.join(sorted(saved))}")
        kinds = {"objective": Objective, "average": Average, "width": Width, "rescore": Rescore, "loss": LossKind}
        values: dict[str, Any] = {**saved, "overrides": tuple(saved["overrides"])}
        for name, kind in kinds.items():
            values[name] = kind(values[name])
        return cls(**values)


def one_of(kind: type[Kind], text: str, option: str) -> Kind:
    """The member of an enumeration that is typed so; InputError names those there are."""
    if text not in tuple(kind):
        raise InputError(option, f"{text!r} is not possible; allowed: {', '.join(kind)}")
    return kind(text)


def thousandths(number: float | None, option: str) -> int | None:
    """A number as whole thousandths; InputError where it has more digits, or is none."""
    if number is None:
        return None
    if not isfinite(number):
        raise InputError(option, f"{number:g} is no number of bits or share")
    whole = round(1000 * number)
    if abs(1000 * number - whole) > 1e-6:
        raise InputError(option, f"{number:g} has more than three decimals")
    return whole
