"""The checks: one file each, holding one constant CHECK; a new file is found without further registration."""

from __future__ import annotations

import pkgutil
from collections.abc import Mapping
from functools import cache
from importlib import import_module

from mixarray_analysis.validation.check import Check


@cache
def all_checks() -> Mapping[str, Check]:
    """Every check by name, in the order of the tiers they belong to."""
    found = [import_module(f"{__name__}.{module.name}").CHECK for module in pkgutil.iter_modules(__path__)]
    return {check.name: check for check in sorted(found, key=lambda check: (check.tier, check.name))}
