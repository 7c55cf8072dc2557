"""`mixarray sweep`: a specification's points into a data set, or a few ratios with accuracy, bundles and runs."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from mixarray_analysis.cli.context import was_typed
from mixarray_analysis.cli.examples import examples
from mixarray_analysis.cli.options import (
    BOTH_ACCELERATORS,
    EVERY_RATIO,
    AcceleratorsOption,
    CanvasesOrNoneOption,
    ForceOption,
    JobsOption,
    JsonOption,
    ModelOption,
    PaddingOption,
    PromotionOption,
    PruningOption,
    QuietOption,
    RatiosOption,
    ScoreOption,
    SeedOption,
    SetOption,
    SizeOption,
)

if TYPE_CHECKING:
    from mixarray_analysis.plan import Plan

NAME = "sweep"
EPILOG = examples(
    "mixarray sweep SPEC.yaml --dry-run",
    "mixarray sweep SPEC.yaml -o runs/sweep",
    "mixarray sweep --ratios 0:0.8:0.4 -a packed_w4_32x32 -o runs/quick",
)
QUICK_ONLY = {
    "ratios": "--ratios",
    "pruning": "--pruning",
    "promotion": "--promotion",
    "padding": "--padding",
    "accelerators": "--accelerator",
    "overrides": "--set",
    "model": "--model",
    "canvases": "--n",
    "recorded": "--recorded",
    "size": "--size",
    "score": "--score",
    "seed": "--seed",
}
"""Options of the form without a specification, by parameter."""


def command(
    context: typer.Context,
    *,
    spec: Annotated[
        Path | None,
        typer.Argument(
            metavar="SPEC.yaml", help="What to sweep, as a file; the options from --ratios on do not go with it."
        ),
    ] = None,
    out: Annotated[Path | None, typer.Option("--out", "-o", help="Directory of the sweep.")] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Of SPEC: say how many points, a few, and which are refused and why.")
    ] = False,
    schema: Annotated[bool, typer.Option("--schema", help="Print the JSON Schema of SPEC.yaml and stop.")] = False,
    jobs: JobsOption = 0,
    force: ForceOption = False,
    as_json: JsonOption = False,
    quiet: QuietOption = False,
    ratios: RatiosOption = EVERY_RATIO,
    pruning: PruningOption = "0",
    promotion: PromotionOption = "refused",
    padding: PaddingOption = "attention",
    accelerators: AcceleratorsOption = BOTH_ACCELERATORS,
    overrides: SetOption = None,
    model: ModelOption = None,
    canvases: CanvasesOrNoneOption = 100,
    recorded: Annotated[int, typer.Option("--recorded", min=1, help="Canvases in each bundle.")] = 4,
    size: SizeOption = 448,
    score: ScoreOption = None,
    seed: SeedOption = 0,
) -> None:
    """Sweep models, accelerators and ratios.

    With SPEC.yaml, grids and samples of any size: one row per point in OUT/points, a Parquet data set. Finished points
    are kept whatever happens, and never computed again: to go on, or with a longer SPEC, type the same again; --force
    starts anew. Exit code 1: some points failed, and their rows say why.

    Without it, a few ratios of one model on some accelerators, with its accuracy: summary.csv and .parquet, the bundles
    and the runs. The options from --ratios on are those of this form.
    """
    if schema:
        _print_schema()
    elif spec is not None:
        _sweep_spec(context, spec, out, dry_run, jobs, force, as_json, quiet)
    else:
        from mixarray_analysis.cli.values import check_canvases, read_choices, read_padding, split_list
        from mixarray_analysis.plan import Plan

        check_canvases(canvases)
        plan = Plan(
            ratios=read_choices(ratios, pruning, promotion),
            accelerators=split_list(accelerators, "--accelerator"),
            overrides=tuple(overrides or ()),
            model=model,
            canvases=canvases,
            recorded=recorded,
            size=size,
            seed=seed,
            score=score,
            jobs=jobs,
            quiet=quiet,
            padding=read_padding(padding),
        )
        _sweep_plan(plan, _required(out, dry_run), force, as_json)


def _sweep_spec(
    context: typer.Context,
    spec: Path,
    out: Path | None,
    dry_run: bool,
    jobs: int,
    force: bool,
    as_json: bool,
    quiet: bool,
) -> None:
    from mixarray.errors import InputError
    from mixarray_analysis.sweeps import command as work

    for name, option in QUICK_ONLY.items():
        if was_typed(context, name):
            raise InputError(option, f"does not go with a specification: {spec} says it all")
    if dry_run:
        work.dry_run(spec, jobs, as_json, quiet)
        return
    if out is None:
        raise InputError("--out", "is missing: name the directory of the sweep, or ask with --dry-run")
    code = work.run(spec, out, jobs, force, as_json, quiet)
    if code:
        raise typer.Exit(code)


def _required(out: Path | None, dry_run: bool) -> Path:
    """The directory of the quick form."""
    from mixarray.errors import InputError

    if dry_run:
        raise InputError("--dry-run", "goes with a specification: mixarray sweep SPEC.yaml --dry-run")
    if out is None:
        raise InputError("--out", "is missing: name the directory of the sweep")
    return out


def _sweep_plan(plan: Plan, out: Path, force: bool, as_json: bool) -> None:
    from mixarray.atomic import ResultKind, atomic_directory
    from mixarray_analysis.announce import be_silent
    from mixarray_analysis.plan import Layout
    from mixarray_analysis.say import say_padding
    from mixarray_analysis.sweeping import run_sweep, summary_json, write_one_table
    from mixarray_analysis.tables import show, summary_table

    with atomic_directory(out, ResultKind.SWEEP, force, reads=[plan.model] if plan.model else []) as work:
        findings = run_sweep(plan, Layout(work), Layout(out), be_silent)
        write_one_table(findings, Layout(work))
    if as_json:
        typer.echo(summary_json(findings))
    elif not plan.quiet:
        show(summary_table(findings))
        say_padding(plan.padding)


def _print_schema() -> None:
    from mixarray_analysis.sweeps.spec import spec_schema
    from mixarray_analysis.tables import to_json

    typer.echo(to_json(spec_schema()))
