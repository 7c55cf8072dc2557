"""`mixarray qat`: quantization-aware training, OFQ and SAQA, seeded and resumable."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from mixarray_analysis.cli.examples import examples
from mixarray_analysis.cli.options import CheckpointOption, QuietOption, ScoreOption, SeedOption

NAME = "qat"
EPILOG = examples(
    "mixarray qat uniform -o runs/ofq",
    "mixarray qat saqa --model runs/ofq/model -o runs/saqa",
)

StageArgument = Annotated[
    Literal["uniform", "control", "saqa", "saa", "joint", "annealing"],
    typer.Argument(
        help="uniform: OFQ at one precision, from float weights. control: the same again from --model, with SAQA's "
        "canvases. saqa: both branches, new ratios at every step, from --model (without it from float weights). "
        "saa: SparseViT's adaptation, from --model: windows pruned by new ratios at every step. joint: saqa, "
        "and windows pruned besides. annealing: from --model, only weights that could go either way still move."
    ),
]
BoundaryOption = Annotated[
    float | None,
    typer.Option(help="annealing: weights within 1/2 +- this of a code still move.  [default: 0.005]"),
]
WindowCountsOption = Annotated[
    Literal["stochastic", "floor"] | None,
    typer.Option(
        help="saqa, saa, joint: low or pruned windows of a ratio, rounded at random, or up as in inference.  "
        "[default: stochastic]"
    ),
]
HighBitsOption = Annotated[int | None, typer.Option(help="Activation bits where training begins.  [default: 4]")]
LowBitsOption = Annotated[int | None, typer.Option(help="The same of windows that run low.  [default: 2]")]
VectorsOption = Annotated[
    Literal["none", "before", "both"] | None,
    typer.Option(help="Learned vectors around LSQ quantizers, where training begins.  [default: both]"),
]


def command(
    *,
    stage: StageArgument,
    out: Annotated[Path, typer.Option("--out", "-o", help="Folder of the run: checkpoint, and the model in `model`.")],
    model: Annotated[Path | None, typer.Option("--model", help="The quantized model of an earlier run.")] = None,
    checkpoint: CheckpointOption = None,
    seed: SeedOption = 0,
    images: Annotated[int, typer.Option("--images", min=1, help="Canvases to train on.")] = 100_000,
    batch: Annotated[int, typer.Option("--batch", min=1, help="Canvases per step.")] = 64,
    size: Annotated[int, typer.Option("--size", min=32, help="Side of a canvas in px.")] = 112,
    learning_rate: Annotated[
        float, typer.Option(min=0, help="Learning rate of the first step; cosine from it.")
    ] = 5e-4,
    distillation: Annotated[float, typer.Option(min=0, help="Weight of the float teacher's loss (0: none).")] = 1.0,
    boundary: BoundaryOption = None,
    window_counts: WindowCountsOption = None,
    score: ScoreOption = None,
    high_bits: HighBitsOption = None,
    low_bits: LowBitsOption = None,
    vectors: VectorsOption = None,
    query_key: Annotated[
        bool, typer.Option("--query-key", help="OFQ's query-key reparameterisation; cannot be recorded or annealed.")
    ] = False,
    device: Annotated[Literal["cpu", "cuda"], typer.Option("--device", help="Where to train.")] = "cpu",
    threads: Annotated[int, typer.Option("--threads", min=0, help="Threads of PyTorch (0: its default).")] = 0,
    stop_after_s: Annotated[float | None, typer.Option(help="Stop with a checkpoint after so many seconds.")] = None,
    resume: Annotated[bool, typer.Option("--resume", help="Go on from the checkpoint in --out.")] = False,
    quiet: QuietOption = False,
) -> None:
    """Train a quantized detector: OFQ, SAQA, and SparseViT's adaptation.

    W4A4, and A2 where windows run low, unless told otherwise. It needs the Debian package dataset-fashion-mnist.
    """
    from mixarray_analysis.models import choose_score, prepare_torch
    from mixarray_analysis.qat_run import Chosen, beginning, refuse_idle, run_stage

    prepare_torch()
    import torch

    from mixarray_traces.training.qat import QatOptions, Stage, WindowCounts

    refuse_idle(Stage(stage), boundary, window_counts, score)
    options = QatOptions(
        out=out,
        stage=Stage(stage),
        seed=seed,
        images=images,
        batch=batch,
        size=size,
        learning_rate=learning_rate,
        distillation=distillation,
        boundary=QatOptions.boundary if boundary is None else boundary,
        window_counts=WindowCounts(window_counts or QatOptions.window_counts),
        score=choose_score(score),
        device=device,
        stop_after_s=stop_after_s,
    )
    if threads:
        torch.set_num_threads(threads)
    begins = beginning(options, model, checkpoint, Chosen(vectors, query_key, high_bits, low_bits))
    result = run_stage(options, begins, resume, quiet, window_counts, score)
    typer.echo(f"{'finished' if result.finished else 'stopped'}: {result.path}")
