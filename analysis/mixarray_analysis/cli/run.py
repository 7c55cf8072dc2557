"""`mixarray run`: quantize, record, simulate and plot at one ratio."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from mixarray_analysis.cli.examples import examples
from mixarray_analysis.cli.options import (
    BOTH_ACCELERATORS,
    AcceleratorsOption,
    CanvasesOrNoneOption,
    CheckpointOption,
    ForceOption,
    JobsOption,
    JsonOption,
    PaddingOption,
    PromotionOption,
    PruningOption,
    QuietOption,
    RatioOption,
    ScoreOption,
    SeedOption,
    SetOption,
    SizeOption,
)

NAME = "run"
EPILOG = examples(
    "mixarray run --ratio 0.4 -o runs/one",
    "mixarray run --ratio 0.2/0.4/0.4,0.6,0.8 --pruning 0.1 -a packed_w4_32x32 -o runs/pairs",
)


def command(
    *,
    out: Annotated[Path, typer.Option("--out", "-o", help="Directory of the run.")],
    ratio: RatioOption,
    pruning: PruningOption = "0",
    promotion: PromotionOption = "refused",
    padding: PaddingOption = "attention",
    checkpoint: CheckpointOption = None,
    accelerators: AcceleratorsOption = BOTH_ACCELERATORS,
    overrides: SetOption = None,
    canvases: CanvasesOrNoneOption = 100,
    size: SizeOption = 448,
    score: ScoreOption = None,
    seed: SeedOption = 0,
    jobs: JobsOption = 0,
    force: ForceOption = False,
    as_json: JsonOption = False,
    quiet: QuietOption = False,
) -> None:
    """Quantize, record, simulate and plot at one ratio.

    Ratio 0 runs beside it. Without --checkpoint it is the shipped quantized model that runs, and nothing is calibrated.
    """
    from mixarray.atomic import ResultKind, atomic_directory
    from mixarray_analysis import equivalents
    from mixarray_analysis.announce import announcer
    from mixarray_analysis.cli.values import check_canvases, read_choice, read_padding, split_list
    from mixarray_analysis.demo import draw_all
    from mixarray_analysis.plan import Layout, Plan
    from mixarray_analysis.say import say, say_padding
    from mixarray_analysis.sentence import describe
    from mixarray_analysis.steps import quantized_or_shipped
    from mixarray_analysis.sweeping import run_sweep, summary_json, write_one_table
    from mixarray_analysis.tables import show, summary_table
    from mixarray_traces.quantization.ratios import choice_of

    chosen = read_choice(ratio, pruning, promotion)
    check_canvases(canvases)
    plan = Plan(
        ratios=(0,) if chosen == 0 else (0, chosen),
        accelerators=split_list(accelerators, "--accelerator"),
        overrides=tuple(overrides or ()),
        model=None if checkpoint is None else Layout(out).model,
        canvases=canvases,
        size=size,
        seed=seed,
        score=score,
        jobs=jobs,
        quiet=quiet,
        padding=read_padding(padding),
    )
    tell = announcer(quiet or as_json)
    with atomic_directory(out, ResultKind.SWEEP, force, reads=[checkpoint] if checkpoint else []) as work:
        layout, visible = Layout(work), Layout(out)
        if checkpoint is not None:
            tell(equivalents.quantize(plan, visible, checkpoint))
        quantized_or_shipped(checkpoint, seed, layout.model, quiet)
        findings = run_sweep(plan, layout, visible, tell, layout.model)
        write_one_table(findings, layout)
        draw_all(plan, layout, visible, tell)
    if as_json:
        typer.echo(summary_json(findings))
    elif not quiet:
        show(summary_table(findings))
        shares = choice_of(chosen)
        for name in findings.accelerators:
            say(describe(name, shares.nominal / 1000, findings.verdict(name, chosen), shares.nominal_pruning / 1000))
        say_padding(plan.padding)
