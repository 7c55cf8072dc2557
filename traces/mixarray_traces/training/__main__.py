"""`python -m mixarray_traces.training OUT`: train in the background, one progress line every 20 steps."""

from __future__ import annotations

import argparse
import shlex
import sys
from pathlib import Path

import torch

from mixarray_traces.training.options import TrainOptions, default_phases
from mixarray_traces.training.train import Progress, train

REPORT_EVERY_STEPS = 20


def _report(progress: Progress) -> None:
    if progress.step % REPORT_EVERY_STEPS and progress.step != progress.total_steps:
        return
    sys.stdout.write(
        f"step {progress.step}/{progress.total_steps} {progress.size} px, {progress.images} images, "
        f"rate {progress.learning_rate:.2e}, class loss {progress.class_loss:.4f}, "
        f"box loss {progress.box_loss:.4f}, {progress.elapsed_s:.0f} s\n"
    )
    sys.stdout.flush()


def main() -> None:
    """Parse the command line and train."""
    parser = argparse.ArgumentParser(prog="python -m mixarray_traces.training", description=__doc__)
    parser.add_argument("out", type=Path, help="folder of the run; resumed where it holds a checkpoint")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--images-112", type=int, default=1_000_000, help="canvases of 112 px")
    parser.add_argument("--images-224", type=int, default=100_000, help="canvases of 224 px, after those of 112 px")
    parser.add_argument("--learning-rate", type=float, default=2e-3)
    parser.add_argument("--bfloat16", action="store_true", help="matrix products in bfloat16")
    parser.add_argument("--compiled", action="store_true", help="use torch.compile")
    parser.add_argument("--shards", type=int, default=1, help="parts of a batch that run side by side")
    parser.add_argument("--threads", type=int, default=0, help="threads of PyTorch; 0: its default")
    parser.add_argument("--stop-after-s", type=float, default=None, help="stop with a checkpoint after these seconds")
    given = parser.parse_args()
    if given.threads:
        torch.set_num_threads(given.threads)
    options = TrainOptions(
        out=given.out,
        seed=given.seed,
        phases=default_phases(given.images_112, given.images_224),
        learning_rate=given.learning_rate,
        shards=given.shards,
        bfloat16=given.bfloat16,
        compiled=given.compiled,
        stop_after_s=given.stop_after_s,
        command="python -m mixarray_traces.training " + shlex.join(sys.argv[1:]),
    )
    result = train(options, _report)
    sys.stdout.write(f"{'finished' if result.finished else 'stopped'}: {result.weights}, images {result.images}\n")


if __name__ == "__main__":
    main()
