"""Vector unit styles: one file each, holding one constant STYLE; a new file is found without further registration."""

from __future__ import annotations

import pkgutil
from collections.abc import Mapping
from functools import cache
from importlib import import_module

from mixarray.accelerator.vector_style import VectorStyle


@cache
def vector_styles() -> Mapping[str, VectorStyle]:
    """Every vector unit style by name."""
    modules = (import_module(f"{__name__}.{module.name}") for module in pkgutil.iter_modules(__path__))
    return {module.STYLE.name: module.STYLE for module in modules}
