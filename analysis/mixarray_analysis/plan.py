"""What a sweep runs, and where its files lie: plain data, nothing heavy imported."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from mixarray.errors import InputError
from mixarray.trace.padding import Padding
from mixarray_traces.quantization.ratios import Asked, choice_of


@dataclass(frozen=True, slots=True)
class Plan:
    """A sweep over ratios and accelerators.

    model: directory of a quantized model, None for the shipped one. canvases: how many the accuracy is taken on (0:
    none); recorded: how many go into each bundle. score: importance score, None for the default. tensors: `none`,
    `sampled` or `all`. uniform: (activation bits, weight bits) of the uniform runs simulated beside.
    padding: what runs on padded positions.
    """

    ratios: tuple[Asked, ...]
    accelerators: tuple[str, ...]
    overrides: tuple[str, ...] = ()
    model: Path | None = None
    canvases: int = 100
    recorded: int = 4
    size: int = 448
    seed: int = 0
    score: str | None = None
    tensors: str = "none"
    uniform: tuple[tuple[int, int], ...] = ()
    jobs: int = 0
    quiet: bool = False
    padding: Padding = Padding.ATTENTION


@dataclass(frozen=True, slots=True)
class Layout:
    """The files of a sweep below `root`."""

    root: Path

    @property
    def model(self) -> Path:
        """The quantized model of `run`."""
        return self.root / "model"

    def bundle(self, ratio: Asked) -> Path:
        """The bundle of one ratio."""
        return self.root / "bundles" / choice_of(ratio).stem

    def run(self, accelerator: str, ratio: Asked) -> Path:
        """The simulated run of one ratio."""
        return self.root / "runs" / accelerator / choice_of(ratio).stem

    def uniform(self, accelerator: str, bits: tuple[int, int]) -> Path:
        """The simulated uniform run of (activation bits, weight bits)."""
        return self.root / "runs" / accelerator / f"uniform_{uniform_name(bits).lower()}"

    def plot(self, name: str) -> Path:
        """The base name of a plot's files."""
        return self.root / "plots" / name


def uniform_name(bits: tuple[int, int]) -> str:
    """(activation bits, weight bits) as reports write them: (8, 4) is W4A8."""
    return f"W{bits[1]}A{bits[0]}"


def check_names(names: tuple[str, ...]) -> tuple[str, ...]:
    """The accelerators' names; InputError if two are equal, because their files would collide."""
    repeated = sorted({name for name in names if names.count(name) > 1})
    if repeated:
        raise InputError("--accelerator", f"two accelerators are named {repeated[0]!r}; give one another name", "name")
    return names
