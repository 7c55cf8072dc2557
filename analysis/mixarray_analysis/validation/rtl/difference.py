"""Where two event logs part, in words."""

from __future__ import annotations

from itertools import zip_longest

import numpy as np

from mixarray.array.events import EventLog


def log_difference(expected: EventLog, logged: EventLog) -> str:
    """The first line in which the model's log and the hardware's differ; empty if none does."""
    if np.array_equal(expected.table(), logged.table()):
        return ""
    pairs = enumerate(zip_longest(expected.lines(), logged.lines(), fillvalue="nothing"), 1)
    number, (model, hardware) = next(pair for pair in pairs if pair[1][0] != pair[1][1])
    return f"line {number} of the log: the model says {model!r}, the hardware {hardware!r}"
