"""PE styles: one file each, holding one constant STYLE; a new file is found without further registration."""

from __future__ import annotations

import pkgutil
from collections.abc import Mapping
from functools import cache
from importlib import import_module

from mixarray.accelerator.enums import Dataflow
from mixarray.accelerator.modes import PeStyle


@cache
def pe_styles() -> Mapping[str, PeStyle]:
    """Every PE style by name."""
    found: dict[str, PeStyle] = {}
    for module in pkgutil.iter_modules(__path__):
        style = import_module(f"{__name__}.{module.name}").STYLE
        found[style.name] = style
    return found


def legal_pairs() -> tuple[tuple[PeStyle, Dataflow, str | None], ...]:
    """Every (style, dataflow) pair, by style name, with the reason where it is illegal (None: it is legal)."""
    styles = [style for _, style in sorted(pe_styles().items())]
    return tuple((style, dataflow, style.illegal.get(dataflow)) for style in styles for dataflow in Dataflow)
