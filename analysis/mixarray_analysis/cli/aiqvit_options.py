"""The flags of `mixarray quantize --method aiqvit`; without torch."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

import typer

from mixarray.errors import InputError
from mixarray_analysis.cli.members import read_member
from mixarray_analysis.cli.method_flags import refuse_elsewhere

if TYPE_CHECKING:
    from mixarray_traces.quantization.aiqvit_options import AiqvitOptions

AIQVIT = "aiqvit"

BaseOption = Annotated[
    str | None,
    typer.Option(
        "--base",
        help="aiqvit: quantizers of all but softmax outputs: reparameterised (default, RepQ-ViT's), or uniform.",
    ),
]
SoftmaxCodesOption = Annotated[
    str | None,
    typer.Option(
        "--softmax-codes", help="aiqvit: softmax outputs on a learned interval (default), or those of the base."
    ),
]
IntervalStartOption = Annotated[
    str | None,
    typer.Option("--interval-start", help="aiqvit: intervals begin at least_error (default), or the range seen."),
]
CompensationOption = Annotated[
    str | None,
    typer.Option(
        "--compensation",
        help="aiqvit: low-rank weights merged into the weights (default), or on a side_path of two thin GEMMs.",
    ),
]
SideBitsOption = Annotated[
    int | None, typer.Option("--side-bits", help="aiqvit: bits of a side path, 2 to 8 (default: 8).")
]
RankOption = Annotated[
    int | None,
    typer.Option("--rank", help="aiqvit: one rank for all linear layers of the blocks, 0: none (default: a search)."),
]
RanksOption = Annotated[
    str | None, typer.Option("--ranks", metavar="R,R,...", help="aiqvit: ranks to search among (default: 0,2,4,8).")
]
BlockInputsOption = Annotated[
    str | None,
    typer.Option(
        "--block-inputs", help="aiqvit: blocks are trained on maps of the quantized (default) or of the float model."
    ),
]
IterationsOption = Annotated[
    int | None, typer.Option("--iterations", help="aiqvit: training steps per block (default: 80).")
]
SearchIterationsOption = Annotated[
    int | None, typer.Option("--search-iterations", help="aiqvit: steps of the rank search per block (default: 40).")
]
CurriculumOption = Annotated[
    bool | None,
    typer.Option("--curriculum/--no-curriculum", help="aiqvit: easy images first (default), or all from the start."),
]


@dataclass(frozen=True, slots=True)
class AiqvitFlags:
    """What was given on the command line; None: not given."""

    base: str | None = None
    softmax_codes: str | None = None
    interval_start: str | None = None
    compensation: str | None = None
    side_bits: int | None = None
    rank: int | None = None
    ranks: str | None = None
    block_inputs: str | None = None
    iterations: int | None = None
    search_iterations: int | None = None
    curriculum: bool | None = None


def aiqvit_options(method: str, flags: AiqvitFlags) -> AiqvitOptions | None:
    """The options of `aiqvit`; None, and InputError for a flag that was given, for any other method."""
    from mixarray_traces.quantization.aiqvit_options import (
        AiqvitOptions,
        BaseQuantizers,
        BlockInputs,
        Compensation,
        IntervalStart,
        SoftmaxCodes,
    )

    if method != AIQVIT:
        refuse_elsewhere({_option(name): getattr(flags, name) for name in AiqvitFlags.__slots__}, AIQVIT, method)
        return None
    default = AiqvitOptions()
    compensation = read_member("--compensation", flags.compensation, Compensation, default.compensation)
    if compensation is Compensation.MERGED and flags.side_bits is not None:
        raise InputError("--side-bits", "there is no side path; give --compensation side_path")
    if flags.rank is not None and (flags.ranks is not None or flags.search_iterations is not None):
        raise InputError(
            "--rank", f"{flags.rank} is fixed: nothing is searched; leave out --ranks, --search-iterations"
        )
    return AiqvitOptions(
        base=read_member("--base", flags.base, BaseQuantizers, default.base),
        softmax=read_member("--softmax-codes", flags.softmax_codes, SoftmaxCodes, default.softmax),
        interval_start=read_member("--interval-start", flags.interval_start, IntervalStart, default.interval_start),
        compensation=compensation,
        side_bits=default.side_bits if flags.side_bits is None else flags.side_bits,
        rank=flags.rank,
        ranks=default.ranks if flags.ranks is None else _ranks(flags.ranks),
        block_inputs=read_member("--block-inputs", flags.block_inputs, BlockInputs, default.block_inputs),
        iterations=default.iterations if flags.iterations is None else flags.iterations,
        search_iterations=default.search_iterations if flags.search_iterations is None else flags.search_iterations,
        curriculum=default.curriculum if flags.curriculum is None else flags.curriculum,
    )


def _ranks(text: str) -> tuple[int, ...]:
    parts = text.split(",")
    if not all(part.isascii() and part.isdigit() for part in parts):
        raise InputError("--ranks", f"{text!r} is no list of ranks, such as 0,2,4,8")
    return tuple(int(part) for part in parts)


def _option(field: str) -> str:
    return "--" + field.replace("_", "-")
