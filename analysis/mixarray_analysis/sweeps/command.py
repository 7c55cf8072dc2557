"""`mixarray sweep SPEC.yaml`: what is asked for, done and said."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from mixarray.errors import InputError
from mixarray_analysis.say import say
from mixarray_analysis.sweeps.describing import looked_data, looked_lines, ran_data, ran_lines
from mixarray_analysis.sweeps.keys import SPEC_PLACE
from mixarray_analysis.sweeps.running import look, run_sweep
from mixarray_analysis.sweeps.spec import read_spec
from mixarray_analysis.tables import to_json

SOME_FAILED = 1
"""Exit code of a sweep that was finished with points that failed."""


def dry_run(spec: Path, jobs: int, as_json: bool, quiet: bool) -> None:
    """Say what a specification asks for; nothing is evaluated."""
    with _mistakes_in(spec):
        looked = look(read_spec(spec), jobs, quiet)
    say(to_json(looked_data(looked)) if as_json else "\n".join(looked_lines(looked)))


def run(spec: Path, out: Path, jobs: int, force: bool, as_json: bool, quiet: bool) -> int:
    """Run a sweep and say what came out; returns the exit code."""
    since = time.monotonic()
    with _mistakes_in(spec):
        ran = run_sweep(read_spec(spec), out, jobs, force, quiet)
    if as_json:
        say(to_json(ran_data(ran.findings, ran.computed)))
    elif not quiet:
        say("\n".join(ran_lines(ran.findings, ran.computed, time.monotonic() - since, out)))
    return SOME_FAILED if ran.findings.failed else 0


@contextmanager
def _mistakes_in(spec: Path) -> Iterator[None]:
    """Name the file where a mistake lies in the specification."""
    try:
        yield
    except InputError as error:
        if error.where != SPEC_PLACE:
            raise
        raise InputError(str(spec), error.message, error.field) from None
