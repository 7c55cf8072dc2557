"""The flags of `mixarray quantize --method repq_vit`; without torch."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from mixarray_analysis.cli.members import read_member
from mixarray_analysis.cli.method_flags import refuse_elsewhere

if TYPE_CHECKING:
    from mixarray_traces.quantization.options import RepqOptions

REPQ_VIT = "repq_vit"

ZeroPointsOption = Annotated[
    str | None,
    typer.Option(
        "--zero-points",
        help="repq_vit: mean zero points rounded (default), or fractional as published, which cannot be recorded.",
    ),
]
BranchStepsOption = Annotated[
    str | None,
    typer.Option(
        "--branch-steps",
        help="repq_vit: a step of each branch's own (default), or shared: the high branch's, scaled to the low bits.",
    ),
]
SoftmaxZeroOption = Annotated[
    str | None,
    typer.Option("--softmax-zero", help="repq_vit: 0 is the last_code (default), or extra_zero, a symbol beside them."),
]
LargestShiftOption = Annotated[
    int | None,
    typer.Option("--largest-shift", help="repq_vit: softmax values shifted further are 0: 1 to 31 (default: 15)."),
]


def repq_options(
    method: str,
    zero_points: str | None,
    branch_steps: str | None,
    softmax_zero: str | None,
    largest_shift: int | None,
) -> RepqOptions | None:
    """The options of `repq_vit`; None, and InputError for a flag that was given, for any other method."""
    from mixarray_traces.quantization.options import BranchSteps, RepqOptions, SoftmaxZero, ZeroPoints

    given = {
        "--zero-points": zero_points,
        "--branch-steps": branch_steps,
        "--softmax-zero": softmax_zero,
        "--largest-shift": largest_shift,
    }
    if method != REPQ_VIT:
        refuse_elsewhere(given, REPQ_VIT, method)
        return None
    defaults = RepqOptions()
    return RepqOptions(
        read_member("--zero-points", zero_points, ZeroPoints, defaults.zero_points),
        read_member("--branch-steps", branch_steps, BranchSteps, defaults.branch_steps),
        read_member("--softmax-zero", softmax_zero, SoftmaxZero, defaults.softmax_zero),
        defaults.largest_shift if largest_shift is None else largest_shift,
    )
