"""`mixarray accelerators`: list, show, check and start accelerators; what their PE styles can run."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from mixarray_analysis.cli.examples import examples
from mixarray_analysis.cli.options import ForceOption, JsonOption, SetOption

if TYPE_CHECKING:
    from mixarray.accelerator.model import Accelerator

app = typer.Typer(
    help="List the accelerators; show, check or begin one.",
    epilog=examples("mixarray accelerators", "mixarray accelerators --json"),
)


@app.callback(invoke_without_command=True)
def list_all(context: typer.Context, as_json: JsonOption = False) -> None:
    """List the shipped accelerators."""
    if context.invoked_subcommand is not None:
        return
    from mixarray.accelerator.load import list_accelerators, load_accelerator
    from mixarray_analysis.tables import make_table, show, to_json

    found = [_facts(load_accelerator(name)) for name in list_accelerators()]
    if as_json:
        typer.echo(to_json(found))
        return
    headings = ["name", "array", "dataflow", "PE", "modes", "MHz", "buffers KiB", "DRAM"]
    rows = [
        [
            str(facts["name"]),
            " + ".join(f"{array['rows']}x{array['columns']}" for array in facts["arrays"]),
            _each(array["dataflow"].removesuffix("_stationary") for array in facts["arrays"]),
            _each(array["pe_style"] for array in facts["arrays"]),
            _each(
                " ".join(f"{stream}x{stationary}" for stream, stationary in array["modes"]) for array in facts["arrays"]
            ),
            str(facts["clock_mhz"]),
            " / ".join(str(kib) for kib in facts["buffers_kib"].values()),
            str(facts["dram"]),
        ]
        for facts in found
    ]
    show(make_table(headings, rows, folds=(0, 1, 4, 6)))


@app.command(
    "show",
    epilog=examples(
        "mixarray accelerators show packed_w4_32x32 --set arrays.0.rows=64",
        "mixarray accelerators show ./my_array.yaml",
    ),
)
def show_one(
    name: Annotated[str, typer.Argument(help="A shipped name, or a YAML file.")],
    overrides: SetOption = None,
    as_json: JsonOption = False,
) -> None:
    """Print an accelerator as it will be simulated.

    As YAML, with every default; a file is checked on the way.
    """
    from mixarray.accelerator.load import load_accelerator
    from mixarray.accelerator.write import resolved_yaml
    from mixarray_analysis.tables import to_json

    found = load_accelerator(name, tuple(overrides or ()))
    typer.echo(to_json(found.model_dump(mode="json")) if as_json else resolved_yaml(found).rstrip())


@app.command("styles", epilog=examples("mixarray accelerators styles"))
def styles(as_json: JsonOption = False) -> None:
    """List PE styles, vector unit styles and sorters.

    With the dataflows that they run, reasons and sources.
    """
    from mixarray_analysis.say import say
    from mixarray_analysis.style_tables import styles_as_data, styles_as_text
    from mixarray_analysis.tables import show, to_json

    if as_json:
        typer.echo(to_json(styles_as_data()))
        return
    for part in styles_as_text():
        if isinstance(part, str):
            say(part)
        else:
            show(part)


@app.command("schema", epilog=examples("mixarray accelerators schema > accelerator.schema.json"))
def schema() -> None:
    """Print the JSON Schema of an accelerator file."""
    from mixarray.accelerator.write import json_schema
    from mixarray_analysis.tables import to_json

    typer.echo(to_json(json_schema()))


@app.command("new", epilog=examples("mixarray accelerators new my_array --from packed_w4_32x32"))
def new(
    name: Annotated[str, typer.Argument(help="Name of the new accelerator.")],
    preset: Annotated[str, typer.Option("--from", help="The accelerator to start from.")],
    out: Annotated[Path | None, typer.Option("--out", "-o", help="The YAML file (default: NAME.yaml here).")] = None,
    force: ForceOption = False,
) -> None:
    """Write a copy of an accelerator to edit."""
    from mixarray.accelerator.write import new_from
    from mixarray.errors import InputError

    path = out or Path(f"{name}.yaml")
    if path.stem != name:
        raise InputError("--out", f"the file {path.name!r} must be named after the accelerator: {name}.yaml")
    typer.echo(str(new_from(preset, path, force)))


def _each(texts: Iterable[str]) -> str:
    """What arrays have, once if they agree."""
    return " + ".join(dict.fromkeys(texts))


def _facts(accelerator: Accelerator) -> dict[str, Any]:
    buffers = accelerator.buffers
    return {
        "name": accelerator.name,
        "description": accelerator.description,
        "clock_mhz": accelerator.clock_mhz,
        "arrays": [
            {
                "name": array.name,
                "rows": array.rows,
                "columns": array.columns,
                "dataflow": array.dataflow.value,
                "pe_style": array.pe_style,
                "modes": [list(mode) for mode in array.modes],
                "weight_loading": array.weight_loading.value,
            }
            for array in accelerator.arrays
        ],
        "buffers_kib": {
            "activation": buffers.activation.capacity_kib,
            "weight": buffers.weight.capacity_kib,
            "accumulator": buffers.accumulator.capacity_kib,
        },
        "dram": accelerator.dram_channels[0].type.value,
    }
