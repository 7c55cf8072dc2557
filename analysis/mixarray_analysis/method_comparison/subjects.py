"""What the page compares: methods, precisions, accelerators, and what stands in for them where no model runs."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

MACHINES = ("packed_w4_32x32", "decoupled_int8_int4")
AVERAGE_BITS = 5
TOP_BITS = 8


@dataclass(frozen=True, slots=True)
class Precision:
    """Bits inside the blocks: weights, activations of the high branch, which all windows take, and of the low one.

    mixed: layers have bits of their own, `AVERAGE_BITS` on average, chosen by a greedy that starts at TOP_BITS.
    """

    name: str
    weight_bits: int
    high_bits: int
    low_bits: int
    mixed: bool = False

    @property
    def slug(self) -> str:
        """In names of results."""
        return self.name.lower().replace(" ", "_")


W4A8, W4A4 = Precision("W4A8", 4, 8, 4), Precision("W4A4", 4, 4, 3)
W6A6, MIXED = Precision("W6A6", 6, 6, 4), Precision("mixed 5", TOP_BITS, TOP_BITS, 4, mixed=True)
PRECISIONS = (W4A8, W4A4, W6A6, MIXED)


@dataclass(frozen=True, slots=True)
class Method:
    """A row of the shipped model's tables.

    method: its name in `mixarray quantize`; options: words beside it. allocated_as: the method whose greedy found the
    bits of `MIXED`. inspired: whether its formulas are partly our guesses.
    """

    name: str
    title: str
    method: str
    allocated_as: str
    options: tuple[str, ...] = ()
    inspired: bool = False

    @property
    def label(self) -> str:
        """In tables."""
        return f"inspired by {self.title}" if self.inspired else self.title


UNIFORM = Method("uniform_affine", "uniform affine", "uniform_affine", "uniform_affine")
METHODS = (
    UNIFORM,
    Method("repq_vit", "RepQ-ViT", "repq_vit", "repq_vit"),
    Method("mptq_vit", "MPTQ-ViT", "mptq_vit", "mptq_vit", inspired=True),
    Method("aiqvit_merged", "AIQViT, merged", "aiqvit", "repq_vit", inspired=True),
    Method(
        "aiqvit_side_path", "AIQViT, side path", "aiqvit", "repq_vit", ("--compensation", "side_path"), inspired=True
    ),
)


@dataclass(frozen=True, slots=True)
class Marks:
    """A row of the table without a model: a method's marks in a trace. rank: of side paths beside its layers, or 0."""

    name: str
    label: str
    method: str
    rank: int = 0


PLAIN = Marks("uniform_affine", "uniform affine", "uniform_affine")
MARKS = (
    PLAIN,
    Marks("repq_vit", "RepQ-ViT", "repq_vit"),
    Marks("ofq", "OFQ", "ofq"),
    Marks("mptq_vit", "inspired by MPTQ-ViT", "mptq_vit"),
    Marks("aiqvit_merged", "inspired by AIQViT, merged", "aiqvit"),
    Marks("aiqvit_rank_8", "inspired by AIQViT, side path, rank 8", "aiqvit", 8),
    Marks("aiqvit_rank_20", "inspired by AIQViT, side path, rank 20", "aiqvit", 20),
)
SHAPE, INPUT_PX = "swin_t", 672


def model_name(method: Method, precision: Precision) -> str:
    """Of a quantized model, and of the folder with its results."""
    return f"{method.name}_{precision.slug}"


def shape_name(marks: Marks, precision: Precision) -> str:
    """Of a trace without a model, and of the folder with its results."""
    return f"{SHAPE}/{marks.name}_{precision.slug}"


def allocation_name(method: str) -> str:
    """Of the greedy that chose the bits of `MIXED` for a method."""
    return f"allocation_{method}"


def allocated_methods() -> Iterator[str]:
    """Methods that a greedy has to be run for, each once."""
    yield from dict.fromkeys(method.allocated_as for method in METHODS)
