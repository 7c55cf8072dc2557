"""Sorters: one file each, holding one constant SORTER; a new file is found without further registration."""

from __future__ import annotations

import pkgutil
from collections.abc import Mapping
from functools import cache
from importlib import import_module

from mixarray.accelerator.sorter import Sorter


@cache
def sorters() -> Mapping[str, Sorter]:
    """Every sorter by name."""
    modules = (import_module(f"{__name__}.{module.name}") for module in pkgutil.iter_modules(__path__))
    return {module.SORTER.name: module.SORTER for module in modules}
