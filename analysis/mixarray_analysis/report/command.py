"""From paths to a page on disk: what `mixarray report` and `mixarray compare --report` do."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from mixarray.errors import InputError
from mixarray_analysis.files import refuse_existing, write_text
from mixarray_analysis.report.data import report_data
from mixarray_analysis.report.page import render
from mixarray_analysis.report.sources import read_sources


def write_report(
    paths: Sequence[Path],
    out: Path,
    *,
    image: int | None = None,
    picture: Path | None = None,
    force: bool = False,
) -> Path:
    """Write the page of runs, sweeps and explanations to the file `out`; equal sources give equal bytes.

    Raises InputError where a source or an option does not fit, `out` exists (unless `force`), lies in a source, or
    cannot be written.
    """
    refuse_existing(out, force)
    if out.is_dir():
        raise InputError(str(out), "is a directory: name a file, such as report.html", "--out")
    if any(path.resolve() in out.resolve().parents for path in paths):
        raise InputError(str(out), "lies in a source, which is read; choose another file", "--out")
    return write_text(out, render(report_data(read_sources(paths), image, picture)), force)
