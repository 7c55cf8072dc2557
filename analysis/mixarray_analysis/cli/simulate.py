"""`mixarray simulate`: cycles and energy of a bundle or a single GEMM."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from mixarray_analysis.cli.options import (
    FIRST_ACCELERATOR,
    AcceleratorOption,
    ForceOption,
    JsonOption,
    OutOption,
    QuietOption,
    SetOption,
)

NAME = "simulate"


def command(
    *,
    bundle: Annotated[Path | None, typer.Argument(help="Directory of a bundle (or give --gemm).")] = None,
    gemm: Annotated[str | None, typer.Option(metavar="M,N,K", help="A single GEMM instead of a bundle.")] = None,
    bits: Annotated[
        str | None, typer.Option(metavar="S,W", help="Streaming and stationary bits of --gemm, such as 8,4.")
    ] = None,
    result_bits: Annotated[
        int | None, typer.Option(metavar="BITS", help="What the results of --gemm are requantized to.  [default: 8]")
    ] = None,
    accelerator: AcceleratorOption = FIRST_ACCELERATOR,
    overrides: SetOption = None,
    uniform: Annotated[
        str | None, typer.Option(metavar="WxAy", help="Every window at one precision, such as W4A4.")
    ] = None,
    image: Annotated[int | None, typer.Option(min=0, help="Only this image of the bundle (default: all).")] = None,
    out: OutOption = None,
    force: ForceOption = False,
    as_json: JsonOption = False,
    quiet: QuietOption = False,
) -> None:
    """Simulate a bundle, or --gemm with --bits, on an accelerator; exactly one source."""
    from mixarray.errors import InputError
    from mixarray_analysis.cli.values import read_bits, read_gemm, read_uniform
    from mixarray_analysis.simulating import report_json, report_text, simulate_bundle, simulate_gemm

    if (bundle is None) == (gemm is None):
        raise InputError("simulate", "give exactly one source: a bundle, or --gemm M,N,K with --bits S,W")
    chosen = tuple(overrides or ())
    if gemm is not None:
        if bits is None or image is not None or uniform is not None:
            raise InputError("--gemm", "needs --bits S,W, such as --bits 8,4, and takes neither --image nor --uniform")
        result = simulate_gemm(
            read_gemm(gemm),
            read_bits(bits),
            result_bits=result_bits,
            accelerator=accelerator,
            overrides=chosen,
            out=out,
            force=force,
        )
    else:
        if bits is not None or result_bits is not None or bundle is None:
            raise InputError("--bits", "and --result-bits belong to --gemm; a bundle has its own bits")
        wanted = None if uniform is None else read_uniform(uniform)
        result = simulate_bundle(
            bundle, accelerator=accelerator, overrides=chosen, uniform=wanted, image=image, out=out, force=force
        )
    if as_json:
        typer.echo(report_json(result))
    elif not quiet:
        typer.echo(report_text(result))
