"""`mixarray train`: train the detector from scratch, seeded and resumable."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from mixarray_analysis.cli.examples import examples
from mixarray_analysis.cli.options import QuietOption, SeedOption

NAME = "train"
EPILOG = examples(
    "mixarray train -o runs/trained",
    "mixarray train --resume -o runs/trained",
)


def command(
    *,
    out: Annotated[Path, typer.Option("--out", "-o", help="Folder of the run: checkpoint and weights.")],
    seed: SeedOption = 0,
    images_112: Annotated[int, typer.Option(min=0, help="Canvases of 112 px.")] = 1_000_000,
    images_224: Annotated[int, typer.Option(min=0, help="Canvases of 224 px, after those.")] = 100_000,
    learning_rate: Annotated[float, typer.Option(min=0, help="Peak learning rate.")] = 2e-3,
    bfloat16: Annotated[bool, typer.Option("--bfloat16", help="Matrix products in bfloat16.")] = False,
    threads: Annotated[int, typer.Option("--threads", min=0, help="Threads of PyTorch (0: its default).")] = 0,
    compiled: Annotated[
        bool, typer.Option("--compiled", help="Compile the model first (faster, needs a compiler).")
    ] = False,
    stop_after_s: Annotated[float | None, typer.Option(help="Stop with a checkpoint after so many seconds.")] = None,
    resume: Annotated[bool, typer.Option("--resume", help="Go on from the checkpoint in --out.")] = False,
    quiet: QuietOption = False,
) -> None:
    """Train the detector on drawn canvases.

    It needs the Debian package dataset-fashion-mnist.
    """
    from mixarray.errors import InputError
    from mixarray_analysis import equivalents
    from mixarray_analysis.models import prepare_torch
    from mixarray_analysis.progress import progress_bar

    if out.exists() and not resume:
        raise InputError(str(out), "already exists; give --resume to go on from its checkpoint", "--out")
    prepare_torch(deterministic=False)
    import torch

    from mixarray_traces.training.options import TrainOptions, default_phases
    from mixarray_traces.training.train import CHECKPOINT_FILE, train

    if resume and not (out / CHECKPOINT_FILE).is_file():
        raise InputError(str(out / CHECKPOINT_FILE), "no such checkpoint to go on from", "--resume")
    options = TrainOptions(
        out=out,
        seed=seed,
        phases=default_phases(images_112, images_224),
        learning_rate=learning_rate,
        bfloat16=bfloat16,
        compiled=compiled,
        stop_after_s=stop_after_s,
        command=equivalents.train(
            seed, images_112, images_224, learning_rate, bfloat16=bfloat16, threads=threads, resume=resume
        ),
    )
    if threads:
        torch.set_num_threads(threads)
    with progress_bar("training", quiet) as report:
        result = train(options, lambda step: report(step.step, step.total_steps))
    typer.echo(f"{'finished' if result.finished else 'stopped'}: {result.weights}")
