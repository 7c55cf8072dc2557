"""The steps from the promised speedup to the simulated one."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from mixarray.errors import InputError
from mixarray_analysis.explain_command import PICTURE, Request, explain_source
from mixarray_analysis.waterfall_tables import COLUMNS, waterfall_rows


def read_waterfall(explanation: Path) -> pd.DataFrame:
    """waterfall.csv of what `mixarray explain` wrote; InputError where it lacks a column."""
    file = explanation / f"{PICTURE}.csv"
    try:
        shown = pd.read_csv(file)
    except (OSError, ValueError) as error:
        raise InputError(str(file), f"cannot be read as a waterfall: {error}") from None
    missing = [name for name in COLUMNS if name not in shown]
    if missing:
        raise InputError(str(file), "the column is missing; explain the run again", missing[0])
    return shown[list(COLUMNS)]


def explained_waterfall(
    source: Path, accelerators: Sequence[str], overrides: Sequence[str], quiet: bool
) -> pd.DataFrame:
    """The same of a run, or of a bundle on accelerators, which is run again for it (seconds to minutes)."""
    request = Request(source, None, None, None, tuple(accelerators), tuple(overrides), None)
    return pd.DataFrame(waterfall_rows(explain_source(request, quiet)), columns=list(COLUMNS))
