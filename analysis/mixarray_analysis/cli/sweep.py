"""`mixarray sweep`: accuracy and simulation over ratios and accelerators."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

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

NAME = "sweep"


def command(
    *,
    out: Annotated[Path, typer.Option("--out", "-o", help="Directory of the sweep.")],
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
    jobs: JobsOption = 0,
    force: ForceOption = False,
    as_json: JsonOption = False,
    quiet: QuietOption = False,
) -> None:
    """Sweep ratios over accelerators: summary.csv and .parquet, the bundles and the runs."""
    from mixarray.atomic import ResultKind, atomic_directory
    from mixarray_analysis.announce import be_silent
    from mixarray_analysis.cli.values import check_canvases, read_choices, read_padding, split_list
    from mixarray_analysis.plan import Layout, Plan
    from mixarray_analysis.say import say_padding
    from mixarray_analysis.sweeping import run_sweep, summary_json, write_one_table
    from mixarray_analysis.tables import show, summary_table

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
    with atomic_directory(out, ResultKind.SWEEP, force, reads=[model] if model else []) as work:
        findings = run_sweep(plan, Layout(work), Layout(out), be_silent)
        write_one_table(findings, Layout(work))
    if as_json:
        typer.echo(summary_json(findings))
    elif not quiet:
        show(summary_table(findings))
        say_padding(plan.padding)
