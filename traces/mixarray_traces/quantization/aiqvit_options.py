"""What can be chosen about AIQViT: plain data, importable without torch."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from itertools import pairwise

from mixarray.errors import InputError


class BaseQuantizers(StrEnum):
    """What AIQViT's tensors other than softmax outputs are quantized by: REPARAMETERISED (RepQ-ViT's), or UNIFORM."""

    REPARAMETERISED = "reparameterised"
    UNIFORM = "uniform"


class SoftmaxCodes(StrEnum):
    """Softmax outputs under AIQViT: on a learned INTERVAL (DFQ), or as the BASE quantizers have them (the ablation)."""

    INTERVAL = "interval"
    BASE = "base"


class IntervalStart(StrEnum):
    """Where a learned interval begins: the RANGE that calibration saw, or its part of LEAST_ERROR."""

    RANGE = "range"
    LEAST_ERROR = "least_error"


class Compensation(StrEnum):
    """How low-rank weights run: MERGED into the weights before these are quantized, or on a SIDE_PATH of their own."""

    MERGED = "merged"
    SIDE_PATH = "side_path"


class BlockInputs(StrEnum):
    """What a block sees while it is reconstructed: maps of the QUANTIZED model so far, or of the FLOAT model."""

    QUANTIZED = "quantized"
    FLOAT = "float"


@dataclass(frozen=True, slots=True)
class AiqvitOptions:
    """What the sources on AIQViT leave open (`methods/aiqvit.py`); every entry is a guess.

    rank: of every linear operator of the blocks (0: none); None: searched among `ranks`. temperature_thousandths: of
    the softmax that weighs them. side_bits: of both side matrices and of what passes between them. iterations: of
    training per block, with `batch` images each; search_iterations: of the search before it. first_share_thousandths:
    the share of easy images that the curriculum begins with, growing to all in ramp_thousandths of the iterations.
    """

    base: BaseQuantizers = BaseQuantizers.REPARAMETERISED
    softmax: SoftmaxCodes = SoftmaxCodes.INTERVAL
    interval_start: IntervalStart = IntervalStart.LEAST_ERROR
    compensation: Compensation = Compensation.MERGED
    side_bits: int = 8
    rank: int | None = None
    ranks: tuple[int, ...] = (0, 2, 4, 8)
    temperature_thousandths: int = 1000
    block_inputs: BlockInputs = BlockInputs.QUANTIZED
    iterations: int = 80
    search_iterations: int = 40
    batch: int = 2
    learning_rate: float = 1e-3
    rank_learning_rate: float = 3e-2
    curriculum: bool = True
    first_share_thousandths: int = 300
    ramp_thousandths: int = 500

    def __post_init__(self) -> None:
        for name, least, most in (
            ("side_bits", 2, 8),
            ("iterations", 1, 1_000_000),
            ("search_iterations", 2, 1_000_000),
            ("batch", 1, 1024),
            ("temperature_thousandths", 1, 1_000_000),
            ("first_share_thousandths", 1, 1000),
            ("ramp_thousandths", 1, 1000),
        ):
            _within(name, getattr(self, name), least, most)
        for name in ("learning_rate", "rank_learning_rate"):
            if not 0 < getattr(self, name) <= 1:
                raise InputError("quantization", f"{getattr(self, name)}; allowed: above 0, to 1", f"aiqvit.{name}")
        if self.rank is not None:
            _within("rank", self.rank, 0, 4096)
        if len(self.ranks) < 2 or self.ranks[0] < 0 or any(a >= b for a, b in pairwise(self.ranks)):
            message = f"{', '.join(map(str, self.ranks))}; allowed: at least two, rising from 0 or above"
            raise InputError("quantization", message, "aiqvit.ranks")
        if self.rank == 0 and self.softmax is SoftmaxCodes.BASE:
            message = "rank 0 and the base's softmax codes leave nothing to train: this is the base method"
            raise InputError("quantization", message, "aiqvit.rank")


def _within(name: str, value: int, least: int, most: int) -> None:
    if type(value) is not int or not least <= value <= most:
        raise InputError("quantization", f"{value!r}; allowed: {least} to {most}", f"aiqvit.{name}")
