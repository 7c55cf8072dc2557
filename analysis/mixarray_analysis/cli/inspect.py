"""`mixarray inspect`: check a bundle or a quantized model, and say what it holds."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from mixarray_analysis.cli.examples import examples
from mixarray_analysis.cli.options import JsonOption

NAME = "inspect"
EPILOG = examples(
    "mixarray inspect runs/bundle",
    "mixarray inspect runs/quantized --json",
)


def command(
    bundle: Annotated[Path, typer.Argument(help="Directory of a bundle, or of a quantized model.")],
    as_json: JsonOption = False,
) -> None:
    """Check a bundle or quantized model; print what it holds.

    Of a model: method, bits (those of single layers too), calibration, and the runs of `mixarray qat` behind it.
    """
    from mixarray.trace.bundle import read_bundle
    from mixarray.trace.inspect import inspect_bundle
    from mixarray_analysis.model_facts import is_model
    from mixarray_analysis.printable import printable
    from mixarray_analysis.say import say
    from mixarray_analysis.tables import make_table, show, to_json

    if is_model(bundle):
        _show_model(bundle, as_json)
        return
    summary = inspect_bundle(read_bundle(bundle))
    facts = asdict(summary)
    if as_json:
        typer.echo(to_json(facts))
        return
    tables = "stages", "layers"
    plain = [(name.replace("_", " "), _text(value)) for name, value in facts.items() if name not in tables]
    width = max(len(name) for name, _ in plain)
    for name, value in plain:
        say(f"{name:<{width}}  {printable(value)}")
    rows = [
        [
            str(stage.stage),
            str(stage.blocks),
            str(stage.windows_per_block),
            _text(stage.windows_by_bits),
            f"{stage.mean_score:.4g}",
        ]
        for stage in summary.stages
    ]
    say()
    show(make_table(["stage", "blocks", "windows per block", "windows by bits", "mean score"], rows))
    if summary.layers:
        say()
        own = [[layer.tensor, "/".join(map(str, layer.bits))] for layer in summary.layers]
        show(make_table(["tensor with bits of its own", "bits"], own))


def _show_model(folder: Path, as_json: bool) -> None:
    from mixarray_analysis.model_facts import lines_of, model_facts
    from mixarray_analysis.say import say
    from mixarray_analysis.tables import to_json

    facts = model_facts(folder)
    if as_json:
        typer.echo(to_json(asdict(facts)))
        return
    for line in lines_of(facts):
        say(line)


def _text(value: object) -> str:
    if isinstance(value, tuple | list):
        return ", ".join(f"{key}: {number:,}" for key, number in value)
    if isinstance(value, bool | str):
        return str(value)
    return f"{value:,}" if isinstance(value, int) else f"{value:.4f}"
