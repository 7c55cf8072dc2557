"""What it means: speedups, sweeps, plots, the report and the command line.

Names are loaded on first use, so that importing this package costs nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from mixarray.lazy import loader

if TYPE_CHECKING:
    from mixarray_analysis.sweeps.api import Sweep, read_sweep, sweep

__all__ = ["Sweep", "read_sweep", "sweep"]


__getattr__ = loader(__name__, dict.fromkeys(__all__, "sweeps.api"))


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
