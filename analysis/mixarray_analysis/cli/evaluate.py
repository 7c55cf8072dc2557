"""`mixarray evaluate`: accuracy of a quantized model at several ratios, with intervals."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from mixarray_analysis.cli.options import (
    EVERY_RATIO,
    ForceOption,
    JsonOption,
    ModelOption,
    OutOption,
    QuietOption,
    RatiosOption,
    ScoreOption,
    SeedOption,
    SizeOption,
)

if TYPE_CHECKING:
    from mixarray_traces.evaluation import EvaluationRow

NAME = "evaluate"


def command(
    *,
    model: ModelOption = None,
    ratios: RatiosOption = EVERY_RATIO,
    canvases: Annotated[int, typer.Option("--n", min=2, help="Canvases, drawn by the generator from the seed.")] = 100,
    size: SizeOption = 448,
    split: Annotated[str, typer.Option(help="train, validation or test; only test is shipped.")] = "test",
    score: ScoreOption = None,
    seed: SeedOption = 0,
    out: OutOption = None,
    force: ForceOption = False,
    as_json: JsonOption = False,
    quiet: QuietOption = False,
) -> None:
    """AP50 and AP50:95 on drawn canvases at each ratio; '=' where the difference to ratio 0 is inside its interval."""
    from mixarray_analysis.cli.values import read_ratios
    from mixarray_analysis.files import refuse_existing, write_text
    from mixarray_analysis.models import open_model
    from mixarray_analysis.say import say
    from mixarray_analysis.steps import evaluate_ratios
    from mixarray_analysis.tables import EQUAL_NOTE, accuracy_csv, accuracy_json, accuracy_table, show

    chosen = read_ratios(ratios)
    refuse_existing(out, force)
    rows: list[EvaluationRow] = evaluate_ratios(
        open_model(model), chosen, canvases=canvases, size=size, seed=seed, score=score, split=split, quiet=quiet
    )
    if out is not None:
        write_text(out, accuracy_csv(rows), force)
    if as_json:
        typer.echo(accuracy_json(rows))
    elif not quiet:
        show(accuracy_table(rows))
        say(f"windows ranked by {rows[0].score}")
        if 0 in chosen:
            say(EQUAL_NOTE)
