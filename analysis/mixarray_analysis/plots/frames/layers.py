"""The layers of a run, mean per image, with the time that each added to it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd

from mixarray.errors import InputError

FILE = "layers.parquet"


def read_layers(run: Path) -> pd.DataFrame:
    """`layers.parquet` of a run, without the rows of the machine; InputError where it cannot be read."""
    try:
        layers = pd.read_parquet(run / FILE)
    except (OSError, ValueError) as error:
        raise InputError(str(run / FILE), f"cannot be read as the layers of a run: {error}") from None
    return layers[layers["operator"] >= 0].reset_index(drop=True)


def added_cycles(first_start: pd.Series[Any], last_ready: pd.Series[Any]) -> pd.Series[Any]:
    """Cycles from the last result of the layer before to the layer's own last result, in order of execution.

    A layer that fetches its weights early does not take longer for it. One that was complete before the layer before
    it (they ran side by side) has the time from its own first start.
    """
    before = last_ready.shift(fill_value=0)
    begun = before.where((first_start < before) & (before < last_ready), first_start)
    return last_ready - begun


def weighted_mean(frame: pd.DataFrame, by: list[str], values: list[str]) -> pd.DataFrame:
    """Means of `values` over the workloads of a run, which stand for `images` images each."""
    weighted = frame.assign(**{name: frame[name] * frame["images"] for name in values})
    summed = weighted.groupby(by, sort=False)[[*values, "images"]].sum()
    return summed[values].div(summed["images"], axis=0).reset_index()
