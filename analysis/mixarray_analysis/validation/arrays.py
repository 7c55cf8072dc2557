"""Random arrays for the checks of the array room: every PE style, in every dataflow that it serves, with any policy."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import product
from typing import TypeVar

import numpy as np

from mixarray.accelerator.enums import Dataflow, WeightLoading, WeightLoadRows
from mixarray.accelerator.model import Array
from mixarray.accelerator.modes import Bits
from mixarray.accelerator.styles import legal_pairs, pe_styles

Choose = Callable[[int, int], int]
"""An integer from the first to the second, both included: drawn by a generator here, by hypothesis in tests."""

Option = TypeVar("Option")

OPERAND_BITS = (2, 4, 8)
LARGEST_EDGE = 9
MOST_PORT_CYCLES = 4


def chooser(seed: int, number: int) -> Choose:
    """The choices of case `number` of a seed."""
    return choices_of(np.random.default_rng((seed, number)))


def choices_of(draw: np.random.Generator) -> Choose:
    """The choices that a generator makes."""
    return lambda low, high: int(draw.integers(low, high, endpoint=True))


def one_of(choose: Choose, options: Sequence[Option]) -> Option:
    """One of the options."""
    return options[choose(0, len(options) - 1)]


def served_pairs() -> tuple[tuple[str, Dataflow], ...]:
    """Every PE style with every dataflow that it serves."""
    return tuple((style.name, dataflow) for style, dataflow, reason in legal_pairs() if reason is None)


def styles_serving(dataflow: Dataflow) -> tuple[str, ...]:
    """The PE styles that serve a dataflow."""
    return tuple(style for style, served in served_pairs() if served is dataflow)


def mode_sets(style: str) -> tuple[tuple[Bits, ...], ...]:
    """What a PE style makes of operands of 2, 4 and 8 bits: all its modes together if it can, else each on its own.

    Raises ValueError for a style that makes none of them: the checks cannot draw operands for it.
    """
    single = tuple(bits for bits in product(OPERAND_BITS, OPERAND_BITS) if _makes(style, (bits,)))
    if not single:
        raise ValueError(f"PE style {style} makes no mode of {OPERAND_BITS} bits, so there is nothing to draw for it")
    return (single,) if _makes(style, single) else tuple((bits,) for bits in single)


def _makes(style: str, modes: tuple[Bits, ...]) -> bool:
    try:
        pe_styles()[style].make_modes(modes)
    except ValueError:
        return False
    return True


def draw_array(choose: Choose, style: str, dataflow: Dataflow, shape: tuple[int, int] | None = None) -> Array:
    """An array with any modes and policy, whose port takes one to four cycles for a row; of any shape if none given."""
    rows, columns = shape or (choose(1, LARGEST_EDGE), choose(1, LARGEST_EDGE))
    modes = one_of(choose, mode_sets(style))
    pe_style = pe_styles()[style]
    row_bits = columns * pe_style.pe_stationary_bits(pe_style.make_modes(modes))
    loading, load_rows = one_of(choose, tuple(WeightLoading)), one_of(choose, tuple(WeightLoadRows))
    port_bits = -(-row_bits // choose(1, MOST_PORT_CYCLES))
    return make_array((rows, columns), style, dataflow, modes, loading, load_rows, port_bits)


def make_array(
    shape: tuple[int, int],
    style: str,
    dataflow: Dataflow,
    modes: tuple[Bits, ...],
    loading: WeightLoading = WeightLoading.DOUBLE,
    load_rows: WeightLoadRows = WeightLoadRows.ALL,
    port_bits: int = 65_536,
    accumulator_bits: int = 32,
) -> Array:
    """An array on its own, without an accelerator around it."""
    rows, columns = shape
    return Array(
        name="array",
        rows=rows,
        columns=columns,
        dataflow=dataflow,
        pe_style=style,
        modes=modes,
        weight_loading=loading,
        weight_load_rows=load_rows,
        weight_port_bits=port_bits,
        accumulator_bits=accumulator_bits,
    )
