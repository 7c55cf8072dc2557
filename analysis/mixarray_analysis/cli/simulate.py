"""`mixarray simulate`: cycles and energy of a bundle, a SCALE-Sim topology or a single GEMM."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from mixarray_analysis.cli.completion import complete_accelerators
from mixarray_analysis.cli.examples import examples
from mixarray_analysis.cli.options import (
    FIRST_ACCELERATOR,
    EngineOption,
    ForceOption,
    JsonOption,
    OutOption,
    QuietOption,
    SetOption,
    TimelineLimitOption,
    TimelineOption,
)

if TYPE_CHECKING:
    from mixarray.result.run import RunResult
    from mixarray_analysis.run_options import RunOptions

NAME = "simulate"
EPILOG = examples(
    "mixarray simulate --gemm 3136,288,96 --bits 8,4 -a packed_w4_32x32 --set arrays.0.rows=64",
    "mixarray simulate runs/bundle -o runs/simulated --timeline",
    "mixarray simulate --topology T.csv --scalesim-config C.cfg",
)
SOURCES = "a bundle, --topology T.csv, or --gemm M,N,K with --bits A,W"

BundleArgument = Annotated[Path | None, typer.Argument(help="Directory of a bundle (or give --topology or --gemm).")]
TopologyOption = Annotated[
    Path | None, typer.Option(metavar="T.csv", help="A SCALE-Sim topology: with --scalesim-config, or with --bits.")
]
ScalesimConfigOption = Annotated[
    Path | None,
    typer.Option(metavar="C.cfg", help="Time --topology by SCALE-Sim's own rule under this configuration of it."),
]
GemmOption = Annotated[str | None, typer.Option(metavar="M,N,K", help="A single GEMM instead of a bundle.")]
BitsOption = Annotated[
    str | None, typer.Option(metavar="A,W", help="Activation and weight bits of --gemm or --topology, as 8,4.")
]
ResultBitsOption = Annotated[
    int | None, typer.Option(metavar="BITS", help="What results are requantized to, with --bits.  [default: 8]")
]
AcceleratorOrNoneOption = Annotated[
    str | None,
    typer.Option(
        "--accelerator",
        "-a",
        help=f"Name of a shipped accelerator, or a YAML file.  [default: {FIRST_ACCELERATOR}]",
        autocompletion=complete_accelerators,
    ),
]
UniformOption = Annotated[str | None, typer.Option(metavar="WxAy", help="Every window at one precision, such as W4A4.")]
ImageOption = Annotated[int | None, typer.Option(min=0, help="Only this image of the bundle (default: all).")]


def command(
    *,
    bundle: BundleArgument = None,
    topology: TopologyOption = None,
    scalesim_config: ScalesimConfigOption = None,
    gemm: GemmOption = None,
    bits: BitsOption = None,
    result_bits: ResultBitsOption = None,
    accelerator: AcceleratorOrNoneOption = None,
    overrides: SetOption = None,
    uniform: UniformOption = None,
    image: ImageOption = None,
    engine: EngineOption = None,
    timeline: TimelineOption = False,
    timeline_limit: TimelineLimitOption = None,
    out: OutOption = None,
    force: ForceOption = False,
    as_json: JsonOption = False,
    quiet: QuietOption = False,
) -> None:
    """Simulate a bundle, topology or GEMM on an accelerator.

    Exactly one source: a bundle, a SCALE-Sim topology, or --gemm with --bits.
    """
    from mixarray.errors import InputError

    if sum(source is not None for source in (bundle, topology, gemm)) != 1:
        raise InputError("simulate", f"give exactly one source: {SOURCES}")
    if bundle is None and (uniform is not None or image is not None):
        raise InputError(
            "--topology" if gemm is None else "--gemm", "takes neither --image nor --uniform: these need a bundle"
        )
    if force and out is None:
        raise InputError("--force", "replaces the result at --out, and there is no --out")
    if timeline and out is None:
        raise InputError("--timeline", "writes a file beside the result at --out, and there is no --out")
    if timeline_limit is not None and not timeline:
        raise InputError("--timeline-limit", "belongs to --timeline")
    if scalesim_config is not None:
        if topology is None:
            raise InputError("--scalesim-config", "belongs to --topology")
        if bits is not None or result_bits is not None or accelerator is not None or overrides:
            raise InputError("--scalesim-config", "describes the machine: --bits, --result-bits, -a and --set are idle")
        if engine is not None or timeline:
            raise InputError("--scalesim-config", "is a closed form: no engine runs, and there is no timeline")
        _as_scalesim(topology, scalesim_config, out=out, force=force, as_json=as_json, quiet=quiet)
        return
    machine, chosen = accelerator or FIRST_ACCELERATOR, tuple(overrides or ())
    options = _options(engine, timeline, timeline_limit)
    if bundle is not None:
        result = _bundle(bundle, bits, result_bits, machine, chosen, uniform, image, options, out, force)
    else:
        result = _layers(topology, gemm, bits, result_bits, machine, chosen, options, out, force)
    _report(result, as_json, quiet)


def _options(engine: str | None, timeline: bool, limit: int | None) -> RunOptions:
    from mixarray.engine.choice import Engine
    from mixarray.result.perfetto import SLICES
    from mixarray_analysis.run_options import RunOptions

    slices = (limit or SLICES) if timeline else None
    return RunOptions(Engine.FAST if engine is None else Engine(engine), slices)


def _bundle(
    bundle: Path,
    bits: str | None,
    result_bits: int | None,
    accelerator: str,
    overrides: tuple[str, ...],
    uniform: str | None,
    image: int | None,
    options: RunOptions,
    out: Path | None,
    force: bool,
) -> RunResult:
    from mixarray.errors import InputError
    from mixarray_analysis.cli.values import read_uniform
    from mixarray_analysis.simulating import simulate_bundle

    if bits is not None or result_bits is not None:
        raise InputError("--bits", "and --result-bits belong to --gemm and --topology; a bundle has its own bits")
    wanted = None if uniform is None else read_uniform(uniform)
    return simulate_bundle(
        bundle,
        accelerator=accelerator,
        overrides=overrides,
        uniform=wanted,
        image=image,
        out=out,
        force=force,
        options=options,
    )


def _layers(
    topology: Path | None,
    gemm: str | None,
    bits: str | None,
    result_bits: int | None,
    accelerator: str,
    overrides: tuple[str, ...],
    options: RunOptions,
    out: Path | None,
    force: bool,
) -> RunResult:
    """The layers of a topology, or one GEMM, on our machine."""
    from mixarray.errors import InputError
    from mixarray_analysis.cli.values import read_bits, read_gemm
    from mixarray_analysis.simulating import simulate_gemm
    from mixarray_analysis.topologies import simulate_topology

    if topology is not None:
        if bits is None:
            raise InputError("--topology", "needs --scalesim-config C.cfg, or --bits A,W for one of our accelerators")
        return simulate_topology(
            topology,
            read_bits(bits),
            result_bits=result_bits,
            accelerator=accelerator,
            overrides=overrides,
            out=out,
            force=force,
            options=options,
        )
    if bits is None or gemm is None:
        raise InputError("--gemm", "needs --bits A,W, such as --bits 8,4")
    return simulate_gemm(
        read_gemm(gemm),
        read_bits(bits),
        result_bits=result_bits,
        accelerator=accelerator,
        overrides=overrides,
        out=out,
        force=force,
        options=options,
    )


def _as_scalesim(topology: Path, config: Path, *, out: Path | None, force: bool, as_json: bool, quiet: bool) -> None:
    from mixarray_analysis.printable import printable
    from mixarray_analysis.say import say
    from mixarray_analysis.scalesim_result import report_rows, table_notes
    from mixarray_analysis.tables import make_table, show
    from mixarray_analysis.topologies import time_as_scalesim

    result = time_as_scalesim(topology, config, out=out, force=force)
    if as_json:
        typer.echo(result.to_json().rstrip())
    elif not quiet:
        machine = f"{result.rows}x{result.columns} {result.dataflow}"
        say(f"{printable(result.topology)} on {machine} by SCALE-Sim's rule: compute cycles, counts in words")
        show(make_table(*report_rows(result)))
        for note in table_notes(result):
            say(f"note: {note}")


def _report(result: RunResult, as_json: bool, quiet: bool) -> None:
    from mixarray_analysis.say import say
    from mixarray_analysis.simulating import report_json, report_text

    if as_json:
        typer.echo(report_json(result))
    elif not quiet:
        say(report_text(result))
