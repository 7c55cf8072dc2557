"""`mixarray study`: what the ranking is worth, how much noise each branch adds, what shares whole windows allow."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from mixarray.trace.padding import Padding
from mixarray_analysis.cli.examples import examples
from mixarray_analysis.cli.options import (
    ForceOption,
    JsonOption,
    ModelOption,
    ModelOrShapeOption,
    PaddingOption,
    PromotionOption,
    PruningOption,
    QuietOption,
    RatioOption,
    RatiosOption,
    ScoreOption,
    SeedOption,
    SizeOption,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mixarray_analysis.plain_table import PlainTable
    from mixarray_analysis.studying import Row

NAME = "study"
SplitOption = Annotated[str, typer.Option(help="train, validation or test; only test is shipped.")]
OutFile = Annotated[Path | None, typer.Option("--out", "-o", help="A CSV file for the rows.")]

app = typer.Typer(
    help="Study a quantized model: ranking, noise, shares.",
    no_args_is_help=True,
    epilog=examples("mixarray study rankings", "mixarray study shares --model swin_t --input 224x224"),
)


@app.command(
    "rankings",
    epilog=examples(
        "mixarray study rankings", "mixarray study rankings --ratios 0.6 --rankings true,random -o rankings.csv"
    ),
)
def rankings(
    *,
    ratios: RatiosOption = "0.4,0.8",
    pruning: PruningOption = "0",
    promotion: PromotionOption = "refused",
    padding: PaddingOption = "attention",
    names: Annotated[
        str, typer.Option("--rankings", metavar="A,B", help="Of true, reversed, random and oracle.")
    ] = "true,reversed,random,oracle",
    model: ModelOption = None,
    canvases: Annotated[int, typer.Option("--n", min=2, help="Canvases, drawn by the generator from the seed.")] = 100,
    size: SizeOption = 448,
    split: SplitOption = "test",
    score: ScoreOption = None,
    seed: SeedOption = 0,
    out: OutFile = None,
    force: ForceOption = False,
    as_json: JsonOption = False,
    quiet: QuietOption = False,
) -> None:
    """Measure what the ranking of windows is worth.

    AP50 of the true ranking, its reverse, chance and the oracle at equal ratios, on the same canvases.
    """
    from mixarray_analysis.cli.values import read_padding, read_ratio_list, split_list
    from mixarray_analysis.files import refuse_existing
    from mixarray_analysis.studying import StudyRequest, rankings_table, study_rankings

    chosen, kind = read_ratio_list(ratios, pruning, promotion), read_padding(padding)
    wanted = split_list(names, "--rankings")
    refuse_existing(out, force)
    request = StudyRequest(chosen, model, canvases, size, split, score, seed, kind, quiet)
    rows = study_rankings(request, wanted)
    note = "= : the paired difference to the true ranking is inside its 95 % bootstrap interval (it contains 0)"
    notes = f"windows ranked by {rows[0].score}\n{note}"
    _hand_out(rows, rankings_table(rows), out, force, as_json, quiet, notes, kind)


@app.command("sqnr", epilog=examples("mixarray study sqnr --ratio 0.4"))
def sqnr(
    *,
    ratio: RatioOption = "0.4",
    pruning: PruningOption = "0",
    promotion: PromotionOption = "refused",
    padding: PaddingOption = "attention",
    model: ModelOption = None,
    canvases: Annotated[int, typer.Option("--n", min=1, help="Canvases, drawn by the generator from the seed.")] = 16,
    size: SizeOption = 448,
    split: SplitOption = "test",
    score: ScoreOption = None,
    seed: SeedOption = 0,
    out: OutFile = None,
    force: ForceOption = False,
    as_json: JsonOption = False,
    quiet: QuietOption = False,
) -> None:
    """Measure the quantization noise of each branch.

    Signal to noise of block outputs by window: against the float network, and block by block.
    """
    from mixarray_analysis.cli.values import read_choice, read_padding
    from mixarray_analysis.files import refuse_existing
    from mixarray_analysis.studying import StudyRequest, sqnr_table, study_sqnr

    chosen, kind = read_choice(ratio, pruning, promotion), read_padding(padding)
    refuse_existing(out, force)
    rows = study_sqnr(StudyRequest((chosen,), model, canvases, size, split, score, seed, kind, quiet))
    note = (
        "network: against the float network, with the errors of all earlier blocks; block: against the float block on\n"
        "the same input. Mean of dB over windows; exact windows have no noise and are left out of it."
    )
    _hand_out(rows, sqnr_table(rows), out, force, as_json, quiet, note, kind)


@app.command(
    "shares",
    epilog=examples("mixarray study shares", "mixarray study shares --model swin_t --input 224x224 --ratios 0.4"),
)
def shares(
    *,
    ratios: RatiosOption = "0.2,0.4,0.6,0.8",
    pruning: PruningOption = "0",
    promotion: PromotionOption = "refused",
    model: ModelOrShapeOption = None,
    input_size: Annotated[str, typer.Option("--input", metavar="HxW", help="Image size in pixels.")] = "448x448",
    out: OutFile = None,
    force: ForceOption = False,
    as_json: JsonOption = False,
    quiet: QuietOption = False,
) -> None:
    """Show what shares whole windows allow, block by block.

    Nominal shares of low and pruned windows beside actual ones; nothing is run.
    """
    from mixarray_analysis.cli.values import read_ratio_list, read_size
    from mixarray_analysis.files import refuse_existing
    from mixarray_analysis.recording import NAMED_SHAPES
    from mixarray_analysis.studying import shares_table, study_shares

    chosen, wanted = read_ratio_list(ratios, pruning, promotion), read_size(input_size)
    refuse_existing(out, force)
    source = model if model is None or model in NAMED_SHAPES else Path(model)
    rows = study_shares(chosen, source, wanted)
    _hand_out(rows, shares_table(rows), out, force, as_json, quiet, "")


def _hand_out(
    rows: Sequence[Row],
    table: PlainTable,
    out: Path | None,
    force: bool,
    as_json: bool,
    quiet: bool,
    note: str,
    padding: Padding = Padding.ATTENTION,
) -> None:
    """Write the CSV, and print the table with its note, or JSON."""
    from mixarray_analysis.files import write_text
    from mixarray_analysis.say import say, say_padding
    from mixarray_analysis.studying import rows_csv, rows_json
    from mixarray_analysis.tables import show

    if out is not None:
        write_text(out, rows_csv(rows), force)
    if as_json:
        typer.echo(rows_json(rows))
    elif not quiet:
        show(table)
        say_padding(padding)
        if note:
            say(note)
