"""The model card of the shipped detector, written from its own record and from measured figures."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

from mixarray_traces.model.config import DetectorConfig
from mixarray_traces.model.detector import load_detector
from mixarray_traces.training.checkpoint import TrainingRecord, read_record


@dataclass(frozen=True)
class CardRow:
    """One measured accuracy.

    Attributes:
        model: for example `fp32` or `W4A8, 40 % low, ranked by centred L2`.
        ap50, ap50_low, ap50_high: at IoU 0.50 with its 95 % bootstrap interval over canvases, 0 to 1.
        ap50_95: mean over IoU 0.50 to 0.95, 0 to 1.
        canvases: number of test canvases.
    """

    model: str
    ap50: float
    ap50_low: float
    ap50_high: float
    ap50_95: float
    canvases: int


@dataclass(frozen=True)
class CardFigures:
    """What was measured.

    Attributes:
        rows: accuracies, in the order of the table.
        size: side of the canvases, in px.
        stream: seed of the test canvases.
        object_window_shares: share of windows with a part of an object, per stage, 0 to 1.
    """

    rows: tuple[CardRow, ...]
    size: int
    stream: int
    object_window_shares: tuple[float, ...]


def write_model_card(path: Path, weights: Path, figures: CardFigures, config: DetectorConfig | None = None) -> None:
    """Write the card of a weights file as Markdown, under a temporary name first.

    Args:
        path: the card.
        weights: the safetensors file it describes, with its training record.
        figures: measured on this file.
        config: shape of the detector; by default the shipped one.

    Raises:
        ValueError: the weights are unreadable, do not fit or hold no record; the message names the file.
    """
    shape = DetectorConfig() if config is None else config
    parameters = sum(parameter.numel() for parameter in load_detector(weights, shape).parameters())
    sections = (
        _model_section(weights, shape, parameters),
        _data_section(read_record(weights)),
        _training_section(read_record(weights)),
        _figures_section(figures),
        _limits_section(),
    )
    temporary = path.with_name(path.name + ".tmp")
    temporary.write_text("\n\n".join(sections) + "\n", encoding="utf-8")
    temporary.replace(path)


def _model_section(weights: Path, shape: DetectorConfig, parameters: int) -> str:
    backbone = shape.backbone
    digest = hashlib.sha256(weights.read_bytes()).hexdigest()
    heads = ", ".join(str(number) for number in backbone.num_heads)
    depths = ", ".join(str(number) for number in backbone.depths)
    return f"""# Model card: `{weights.name}`

A Swin detector of {parameters:,} parameters: embedding {backbone.embed_dim}, depths {depths}, heads {heads} (head
dimension {backbone.embed_dim // backbone.num_heads[0]}), window {backbone.window_size}, patch {backbone.patch_size};
an anchor-free head of Linear, LayerNorm and GELU at stride {shape.stride}, {shape.num_classes} classes.
Weights are float16; they are computed with in float32. Apache-2.0, like the code.

SHA-256 `{digest}`"""


def _data_section(record: TrainingRecord) -> str:
    return f"""## Data

Detection of Fashion-MNIST items on photographs, a synthetic layout of real pixels: 10 classes, items of 16 to 28 px at
every canvas size, 1 to 5 drawn per 128x128 px at uniform places, some covered by others, contrast and tint varied;
boxes are exact, from the item's pixels. Items follow the official split, photographs are disjoint between training and
test. Canvases come from generator version {record.generator_version} and a seed. Sources and licences:
`DATA_LICENSES.md`."""


def _training_section(record: TrainingRecord) -> str:
    seen = "\n".join(f"- {phase.images:,} canvases of {phase.size} px, {phase.batch} a step" for phase in record.phases)
    plans = "\n".join(
        f"- from step {plan.first_step:,}: cosine from {plan.start_rate:.2e} to 0 at step {plan.total_steps:,}"
        for plan in record.plans
    )
    state = "The budget was used up." if record.finished else "The run was stopped before its budget was used up."
    products = "bfloat16" if record.bfloat16 else "float32"
    return f"""## Training

Seed {record.seed}, {record.steps:,} steps of AdamW, matrix products in {products}.
The weights are a running mean. {state}

{seen}

Learning rate, one line per budget:

{plans}

Command that does the same: `{record.command or "not recorded"}`"""


def _figures_section(figures: CardFigures) -> str:
    lines = "\n".join(
        f"| {row.model} | {row.ap50:.3f} | {row.ap50_low:.3f} to {row.ap50_high:.3f} | {row.ap50_95:.3f} "
        f"| {row.canvases} |"
        for row in figures.rows
    )
    shares = ", ".join(f"stage {stage}: {share:.1%}" for stage, share in enumerate(figures.object_window_shares))
    return f"""## Measured

Test canvases of {figures.size}x{figures.size} px, stream {figures.stream}; COCO's average precision (101 recall points,
100 detections a class and canvas), 95 % bootstrap interval over canvases.

| model | AP50 | interval | AP50:95 | canvases |
|---|---|---|---|---|
{lines}

Windows that contain at least a part of an object, regular grid: {shares}."""


def _limits_section() -> str:
    return """## Limits

A small model for studying mixed precision end to end without a download. It says nothing about photographs of real
clothes, about COCO, or about larger models; all canvases share one kind of layout."""
