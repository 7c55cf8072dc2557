"""The command line `mixarray`: one file per command; nothing heavy is imported before a command needs it."""

from __future__ import annotations

import signal
import sys
import threading
from collections.abc import Sequence
from typing import Annotated

import typer

from mixarray.errors import InputError
from mixarray_analysis.cli import (
    accelerators,
    compare,
    demo,
    evaluate,
    explain,
    inspect,
    plot,
    quantize,
    record,
    run,
    simulate,
    sweep,
    train,
    validate,
)
from mixarray_analysis.printable import printable

app = typer.Typer(
    name="mixarray",
    help="What mixed 4/8-bit windows of a vision transformer buy on a systolic array: cycles, joules, and where the "
    "promised speedup went.",
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
STOPPED = 130
"""Exit code of a command that Ctrl-C or SIGTERM ended."""

for module in (
    train,
    quantize,
    evaluate,
    record,
    inspect,
    simulate,
    run,
    sweep,
    plot,
    explain,
    compare,
    demo,
    validate,
):
    app.command(module.NAME)(module.command)
app.add_typer(accelerators.app, name="accelerators")


def _print_version(wanted: bool) -> None:
    if wanted:
        from mixarray import __version__

        typer.echo(f"mixarray {__version__}")
        raise typer.Exit


@app.callback(invoke_without_command=True)
def _root(
    context: typer.Context,
    version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version and stop.")
    ] = False,
) -> None:
    if context.invoked_subcommand is None:
        typer.echo(context.get_help())


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit code: 0, 2 for a user's mistake (one line on stderr), 130 if stopped.

    `arguments` default to those of the process.
    """
    _stop_politely()
    try:
        code = app(args=None if arguments is None else list(arguments), prog_name="mixarray", standalone_mode=False)
    except InputError as error:
        return _complain(str(error))
    except typer.TyperException as error:
        return _complain(error.format_message())
    except (KeyboardInterrupt, typer.Abort):
        code = STOPPED
    except BrokenPipeError:
        sys.stderr.close()
        return 1
    if code == STOPPED:  # Typer takes a KeyboardInterrupt of a command and hands on this code
        typer.echo("stopped", err=True)
    return code if isinstance(code, int) else 0


def _stop_politely() -> None:
    """Let SIGTERM end a command as Ctrl-C does, so that its temporary directory is removed."""
    if threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGTERM, signal.default_int_handler)


def _complain(message: str) -> int:
    typer.echo("error: " + printable(" ".join(message.split())), err=True)
    return 2
