"""The machine: what a mixed-precision systolic array does with a trace, in cycles and joules.

Names are loaded on first use, so that importing this package costs nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from mixarray.lazy import loader

if TYPE_CHECKING:
    from mixarray.accelerator.load import list_accelerators, load_accelerator
    from mixarray.accelerator.model import Accelerator
    from mixarray.api import simulate
    from mixarray.errors import InputError
    from mixarray.run import Run
    from mixarray.trace.bundle import Bundle, read_bundle
    from mixarray.trace.gemms import Gemm
    from mixarray.trace.scalesim_topology import read_gemms

__version__ = "0.1.0"

_HOMES = {
    "Accelerator": "accelerator.model",
    "Bundle": "trace.bundle",
    "Gemm": "trace.gemms",
    "InputError": "errors",
    "Run": "run",
    "list_accelerators": "accelerator.load",
    "load_accelerator": "accelerator.load",
    "read_bundle": "trace.bundle",
    "read_gemms": "trace.scalesim_topology",
    "simulate": "api",
}

__all__ = [
    "Accelerator",
    "Bundle",
    "Gemm",
    "InputError",
    "Run",
    "list_accelerators",
    "load_accelerator",
    "read_bundle",
    "read_gemms",
    "simulate",
]


__getattr__ = loader(__name__, _HOMES)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
