"""The settings of a sweep on an axis: ratios of low windows, and beside them what else differs."""

from __future__ import annotations

import pandas as pd

AXIS_LABEL = "windows at low bits, nominal (%)"


def columns_of(frame: pd.DataFrame) -> list[str]:
    """The columns that tell settings apart: `ratio`, and of `pruning` and `setting` those that the frame has."""
    return ["ratio", *(name for name in ("pruning", "setting") if name in frame)]


def with_labels(frame: pd.DataFrame) -> pd.DataFrame:
    """The frame with an ordered column `label`, what is pruned last, from the columns of `columns_of`.

    A label reads `40`, or `40, 20 pruned`; where block pairs differ, as it was typed.
    """
    pruning = frame["pruning"] if "pruning" in frame else pd.Series(0.0, frame.index)
    typed = frame["setting"] if "setting" in frame else frame["ratio"].map("{:g}".format)
    labels = [_label(*row) for row in zip(frame["ratio"], pruning, typed, strict=True)]
    order = sorted(set(zip(pruning, frame["ratio"], labels, strict=True)))
    return frame.assign(label=pd.Categorical(labels, [label for *_, label in order], ordered=True))


def labels_of(frame: pd.DataFrame) -> list[str]:
    """The labels that occur, in order."""
    return list(frame["label"].cat.remove_unused_categories().cat.categories)


def _label(ratio: float, pruning: float, typed: str) -> str:
    try:
        float(typed)
    except ValueError:
        pass
    else:
        return f"{100 * ratio:g}"
    if "/" in typed or "," in typed or "promotion" in typed:
        return typed
    return f"{100 * ratio:g}, {100 * pruning:g} pruned"
