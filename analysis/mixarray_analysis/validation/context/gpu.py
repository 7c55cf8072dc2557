"""What halving the bits bought on GPUs, beside our cycles at half the bits; the peak ratio is 2 in all of them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cache

from mixarray_analysis.validation.context.table import (
    PACKED,
    PLAIN,
    Asked,
    ContextTable,
    all_windows,
    simulated_cycles,
)
from mixarray_analysis.validation.published.figure import Sourced, read_published
from mixarray_traces.record.shape import ClassifierShape, shape_named

SIZE = (224, 224)
CLASSES = 1000
SIMULATED = ("swin_t", "swin_s", "swin_b")
"""The models whose shapes we have."""
NOT_RUN = "not run"
LACKS = (
    "A GPU runs FP16 against INT8 at batch 32 or 64; ours runs 8 against 4 bits at batch 1. Only the ratio of the "
    "peaks is the same.",
    "A GPU has many cores, caches and kernel launches; ours streams each operator through one array and one vector "
    "unit.",
    "Softmax, LayerNorm and residuals keep their format on both, and the share of time that they take differs.",
    "Swin-L and ViT have no shape here, so nothing is simulated for them.",
)


class GpuRow(Sourced):
    """INT8 over FP16: latencies where they are published, and the ratio as printed."""

    model: str
    gpu: str
    batch: int
    fp16_ms: str
    int8_ms: str
    printed: str


def gpu_table() -> ContextTable:
    """All published ratios; simulates three models three times."""
    rows = read_published("gpu_int8.csv", GpuRow)
    return ContextTable(
        "Half the bits: INT8 against FP16 on GPUs",
        f"Speedup at {SIZE[0]}x{SIZE[1]} px with a head of {CLASSES} classes. Ours: W8A8 on `{PLAIN}` over W4A4 on "
        f"`{PACKED}`, and W4A8 over W4A4 on `{PACKED}`. Sources: {', '.join(_sources(rows))}.",
        ("model", "GPU, batch: INT8 over FP16", "W4A4 over W8A8", "W4A4 over W4A8"),
        tuple(_cells(rows)),
        LACKS,
    )


def _sources(rows: Sequence[GpuRow]) -> Sequence[str]:
    return tuple(dict.fromkeys(f"{row.source} ({row.status})" for row in rows))


def _cells(rows: Sequence[GpuRow]) -> Iterator[tuple[str, ...]]:
    for model in dict.fromkeys(row.model for row in rows):
        measured = ", ".join(f"{row.gpu} b{row.batch}: {row.printed}" for row in rows if row.model == model)
        ours = (_speedup(model, PLAIN, 8), _speedup(model, PACKED, 4)) if model in SIMULATED else (NOT_RUN, NOT_RUN)
        yield model, measured, *ours


def _speedup(model: str, accelerator: str, weight_bits: int) -> str:
    return f"{_cycles(model, accelerator, 8, weight_bits) / _cycles(model, PACKED, 4, 4):.2f}"


@cache
def _cycles(model: str, accelerator: str, bits: int, weight_bits: int) -> int:
    asked = Asked(shape_named(model), *SIZE, (bits,), weight_bits, ClassifierShape(CLASSES))
    return simulated_cycles(asked, all_windows(asked, bits), accelerator)
