"""`mixarray evaluate`: accuracy of a quantized model at several ratios, with intervals."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from mixarray_analysis.cli.examples import examples
from mixarray_analysis.cli.options import (
    EVERY_RATIO,
    DataOption,
    ForceOption,
    ImageDirOption,
    JsonOption,
    ModelOption,
    OutOption,
    PaddingOption,
    PromotionOption,
    PruningOption,
    QuietOption,
    RatiosOption,
    ScoreOption,
    SeedOption,
    SideOption,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mixarray.trace.padding import Padding
    from mixarray_traces.classification.evaluate import ClassificationRow
    from mixarray_traces.evaluation import EvaluationRow
    from mixarray_traces.quantization.ratios import Asked

NAME = "evaluate"
EPILOG = examples(
    "mixarray evaluate --ratios 0,0.4,0.8",
    "mixarray evaluate --ratios 0.4 --pruning 0.2 --n 500 -o accuracy.csv",
)

NumberOption = Annotated[
    int | None,
    typer.Option("--n", min=2, help="Canvases, or photographs of --data, drawn by the seed.  [default: 100; all]"),
]
SplitOption = Annotated[
    str | None,
    typer.Option(
        "--split", help="Of drawn canvases: train, validation or test; only test is shipped.  [default: test]"
    ),
]
ResamplesOption = Annotated[
    Path | None,
    typer.Option(
        "--resamples",
        help="Also write AP50 in 1000 resamples of the canvases, a column per setting. Equal --n, --size and --seed"
        " resample alike, so columns of two models may be subtracted line by line.",
    ),
]


def command(
    *,
    model: ModelOption = None,
    ratios: RatiosOption = EVERY_RATIO,
    pruning: PruningOption = "0",
    promotion: PromotionOption = "refused",
    padding: PaddingOption = "attention",
    data: DataOption = None,
    image_dir: ImageDirOption = None,
    canvases: NumberOption = None,
    size: SideOption = None,
    split: SplitOption = None,
    score: ScoreOption = None,
    seed: SeedOption = 0,
    out: OutOption = None,
    resamples: ResamplesOption = None,
    force: ForceOption = False,
    as_json: JsonOption = False,
    quiet: QuietOption = False,
) -> None:
    """Measure accuracy at each ratio.

    AP50 and AP50:95 on drawn canvases, or on your photographs; of a classifier its top-1, also in float. '=' where the
    difference to ratio 0 is inside its interval.
    """
    from mixarray.errors import InputError
    from mixarray_analysis.cli.values import read_choices, read_padding
    from mixarray_analysis.files import refuse_existing, write_text
    from mixarray_analysis.models import open_model
    from mixarray_analysis.own_data import OwnData, evaluate_own
    from mixarray_analysis.steps import evaluate_ratios
    from mixarray_analysis.tables import accuracy_csv, resamples_csv
    from mixarray_traces.quantization.ratios import choice_of

    chosen, kind = read_choices(ratios, pruning, promotion), read_padding(padding)
    refuse_existing(out, force)
    refuse_existing(resamples, force)
    opened = open_model(model)
    rows: list[EvaluationRow] | list[ClassificationRow]
    if data is not None:
        if resamples is not None:
            raise InputError("--resamples", "is for drawn canvases")
        if split is not None:
            raise InputError("--split", "is for drawn canvases; --data is evaluated as it is")
        where = OwnData(data, image_dir, size)
        rows = evaluate_own(
            opened, where, chosen, photographs=canvases, seed=seed, score=score, padding=kind, quiet=quiet
        )
    else:
        if image_dir is not None:
            raise InputError("--image-dir", "goes with --data")
        rows = evaluate_ratios(
            opened,
            chosen,
            canvases=100 if canvases is None else canvases,
            size=448 if size is None else size,
            seed=seed,
            score=score,
            split="test" if split is None else split,
            quiet=quiet,
            padding=kind,
        )
        if resamples is not None:
            write_text(resamples, resamples_csv(rows, [choice_of(asked).label for asked in chosen]), force)
    if out is not None:
        write_text(out, accuracy_csv(rows), force)
    _report(rows, chosen, kind, as_json, quiet)


def _report(
    rows: list[EvaluationRow] | list[ClassificationRow],
    chosen: Sequence[Asked],
    padding: Padding,
    as_json: bool,
    quiet: bool,
) -> None:
    from mixarray_analysis.own_tables import accuracy_of_any
    from mixarray_analysis.say import say, say_padding
    from mixarray_analysis.tables import EQUAL_NOTE, accuracy_json, show

    if as_json:
        typer.echo(accuracy_json(rows))
    elif not quiet:
        show(accuracy_of_any(rows))
        say(f"windows ranked by {rows[0].score}")
        say_padding(padding)
        if 0 in chosen:
            say(EQUAL_NOTE)
