"""Saving a plot: PNG, PDF and the numbers shown, the same bytes each time."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

import pandas as pd
from matplotlib.figure import Figure

from mixarray.errors import InputError
from mixarray_analysis.plots.style import style

SUFFIXES = (".png", ".pdf", ".csv")


def plot_files(base: Path, force: bool) -> tuple[Path, ...]:
    """The three files of a plot named `base` (a suffix of these is dropped); InputError if one exists, unless force."""
    stem = base.with_suffix("") if base.suffix in SUFFIXES else base
    files = tuple(stem.with_name(stem.name + suffix) for suffix in SUFFIXES)
    for file in files:
        if file.exists() and not force:
            raise InputError(str(file), "exists; choose another --out or give --force", "--out")
    return files


def save_plot(figure: Figure, shown: pd.DataFrame, base: Path, force: bool = False) -> tuple[Path, ...]:
    """Write base.png, base.pdf and base.csv; each appears under its name only when complete.

    Dates and program versions are left out of the files, so equal plots are equal bytes. Raises InputError where they
    exist (unless `force`) or cannot be written.
    """
    png, pdf, numbers = plot_files(base, force)
    parts = [file.with_name(f".{file.name}.part") for file in (png, pdf, numbers)]
    try:
        png.parent.mkdir(parents=True, exist_ok=True)
        with style():
            figure.savefig(parts[0], format="png", metadata={"Software": None})
            figure.savefig(parts[1], format="pdf", metadata={"CreationDate": None, "Producer": None, "Creator": None})
        shown.to_csv(parts[2], index=False, lineterminator="\n")
        for part, file in zip(parts, (png, pdf, numbers), strict=True):
            part.replace(file)
    except OSError as error:
        raise InputError(str(base), f"cannot be written: {error.strerror}", "--out") from None
    finally:
        for part in parts:
            with suppress(OSError):
                part.unlink(missing_ok=True)
    return png, pdf, numbers
