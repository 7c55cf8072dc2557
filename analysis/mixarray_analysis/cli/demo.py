"""`mixarray demo`: the main job on shipped input, with the table and the sentences."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from mixarray_analysis.cli.examples import examples
from mixarray_analysis.cli.options import JobsOption, JsonOption, ModelOption, QuietOption

NAME = "demo"
EPILOG = examples("mixarray demo")


def command(
    *,
    out: Annotated[Path, typer.Option("--out", "-o", help="Directory of the demo, replaced by the next call.")] = Path(
        "runs/demo"
    ),
    canvases: Annotated[int, typer.Option("--n", min=2, help="Canvases the accuracy is taken on.")] = 100,
    model: ModelOption = None,
    jobs: JobsOption = 0,
    as_json: JsonOption = False,
    quiet: QuietOption = False,
) -> None:
    """Run the shipped model, simulate it on two accelerators.

    At 0, 20, 40, 60 and 80 % low windows.
    """
    from dataclasses import replace

    from mixarray.atomic import ResultKind, atomic_directory
    from mixarray_analysis.announce import announcer
    from mixarray_analysis.demo import DEMO_PLAN, run_demo, score_lines
    from mixarray_analysis.say import say
    from mixarray_analysis.sweeping import summary_json
    from mixarray_analysis.tables import EQUAL_NOTE, show, summary_table, uniform_table

    plan = replace(DEMO_PLAN, canvases=canvases, model=model, jobs=jobs, quiet=quiet)
    tell = announcer(quiet or as_json)
    with atomic_directory(out, ResultKind.DEMO, force=True, reads=[model] if model else []) as work:
        findings, sentences = run_demo(plan, work, out, tell)
        lines = [] if quiet or as_json else score_lines(plan)
    if as_json:
        typer.echo(summary_json(findings))
        return
    if quiet:
        return
    say()
    show(summary_table(findings))
    say(EQUAL_NOTE + "\n")
    show(uniform_table(findings))
    say()
    for line in [*lines, *sentences, f"everything lies in {out}/ (summary.csv, bundles/, runs/, plots/)"]:
        say(line)
