"""The command line `mixarray`: one file per command; nothing heavy is imported before a command needs it."""

from __future__ import annotations

import signal
import sys
import threading
from collections.abc import Sequence
from contextlib import suppress
from errno import EPIPE
from typing import Annotated

import typer

from mixarray.errors import InputError
from mixarray_analysis.cli import (
    accelerators,
    allocate,
    compare,
    demo,
    evaluate,
    explain,
    inspect,
    plot,
    qat,
    quantize,
    record,
    report,
    run,
    search,
    simulate,
    study,
    sweep,
    train,
    validate,
)
from mixarray_analysis.cli.examples import examples
from mixarray_analysis.cli.streams import MACHINE_REFUSES, discard_unwritten, prepare_streams
from mixarray_analysis.printable import printable

EXIT_CODES = (
    "Exit codes: 0 done; 1 a check of `validate` does not hold, or points of a `sweep` failed; 2 bad input, or "
    "output that cannot be written; 130 stopped by Ctrl-C or SIGTERM; 141 the reader of the output went away."
)
app = typer.Typer(
    name="mixarray",
    help="What mixed 4/8-bit windows of a vision transformer buy on a systolic array: cycles, joules, and where the "
    "promised speedup went.",
    epilog=examples("mixarray demo", "mixarray simulate --gemm 3136,288,96 --bits 8,4") + f"\n\n{EXIT_CODES}",
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
MISTAKE = 2
"""Exit code of bad input, and of output that cannot be written."""
STOPPED = 130
"""Exit code of a command that Ctrl-C or SIGTERM ended."""
PIPE_CLOSED = 141
"""Exit code where the reader of stdout went away first, as `head` does; nothing is said."""

for module in (
    train,
    qat,
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
    report,
    demo,
    validate,
):
    app.command(module.NAME, epilog=module.EPILOG)(module.command)
app.add_typer(accelerators.app, name="accelerators")
app.add_typer(study.app, name=study.NAME)
app.add_typer(search.app, name=search.NAME)
app.add_typer(allocate.app, name=allocate.NAME)


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
    """Run the command line and return its exit code, one of those that `--help` explains.

    `arguments` default to those of the process. A mistake, and output that cannot be written, are one line on stderr.
    """
    _stop_politely()
    prepare_streams()
    try:
        code = _run(arguments)
        sys.stdout.flush()
    except OSError as error:
        discard_unwritten()
        if error.errno == EPIPE:
            return PIPE_CLOSED
        if error.errno not in MACHINE_REFUSES:
            raise
        return _complain(f"{error.filename or 'output'}: cannot be written: {error.strerror}")
    return code


def _run(arguments: Sequence[str] | None) -> int:
    """The exit code; OSError where the machine does not take what is written."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    try:
        _refuse_no_text(given)
        code = app(args=given, prog_name="mixarray", standalone_mode=False)
    except InputError as error:
        return _complain(str(error))
    except typer.BadParameter as error:
        from mixarray.explain import OWN_ERROR

        error.message = error.message.removeprefix(OWN_ERROR)
        return _complain(error.format_message())
    except typer.TyperException as error:
        return _complain(error.format_message())
    except (KeyboardInterrupt, typer.Abort):
        code = STOPPED
    except SystemExit as error:  # Typer's answer to a closed pipe
        if isinstance(error.__context__, BrokenPipeError):
            raise error.__context__ from None
        raise
    if code == STOPPED:  # Typer takes a KeyboardInterrupt of a command and hands on this code
        typer.echo("stopped", err=True)
    return code if isinstance(code, int) else 0


def _refuse_no_text(arguments: Sequence[str]) -> None:
    """Raise InputError for an argument of bytes that are no text: every result is text, and names what it is of."""
    for argument in arguments:
        try:
            argument.encode()
        except UnicodeEncodeError:
            raise InputError(argument, "is not UTF-8 text; rename the file or directory") from None


def _stop_politely() -> None:
    """Let SIGTERM end a command as Ctrl-C does, so that its temporary directory is removed."""
    if threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGTERM, signal.default_int_handler)


def _complain(message: str) -> int:
    with suppress(OSError):  # a stderr that takes nothing leaves the exit code to speak
        typer.echo("error: " + printable(" ".join(message.split())), err=True)
    return MISTAKE
