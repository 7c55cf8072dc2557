"""Bit Fusion's and ANT's rules, and the mapper they share, with one deliberate fault each."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from mixarray_analysis.validation.check import Mutants
from mixarray_analysis.validation.faults import Fault, copy_with
from mixarray_analysis.validation.published.ant import Rule as AntRule
from mixarray_analysis.validation.published.ant import ant_ratios
from mixarray_analysis.validation.published.bitfusion import Rule as BitFusionRule
from mixarray_analysis.validation.published.bitfusion import bitfusion_layers

TILES, BITFUSION, ANT = (f"mixarray.timing.{name}" for name in ("tile_search", "bitfusion", "ant"))

BITFUSION_FAULTS: Sequence[Fault] = (
    Fault("whole buffers", BITFUSION, "array.weight_kib * BITS_PER_KIB // 2", "array.weight_kib * BITS_PER_KIB"),
    Fault("sums move once", BITFUSION, "+ 2 * sums.all_bits", "+ sums.all_bits"),
    Fault("nothing drains", BITFUSION, "+ sums.kept_bits, sums.kept_bits", "+ sums.kept_bits, 0 * sums.kept_bits"),
    Fault("1-bit operands in lanes of their own", BITFUSION, "max(bits, LEAST_BITS)", "bits"),
    Fault("lanes of one operand only", BITFUSION, " * _products(layer.weight_bits)", ""),
    Fault("sums in 16 bits", BITFUSION, "SUM_BITS = 32", "SUM_BITS = 16"),
    Fault(
        "weights are not padded to the lanes", BITFUSION, "-(-tilings.inputs // lanes) * lanes *", "tilings.inputs *"
    ),
    Fault("every loop fetches everything again", TILES, "fits & (not changed)", "fits & False"),
    Fault("a tile that fits never stays", TILES, "fits = fits & (moved <= half_bits)", "fits = fits & False"),
    Fault("orders of one loop", TILES, "return permutations(", "return zip("),
    Fault("tiles not cut at the layer", TILES, "min(size, whole) for size", "size for size"),
    Fault("the first fill is hidden", TILES, " + -(-filled // bandwidth)", ""),
)
ANT_FAULTS: Sequence[Fault] = (
    Fault("edges do not grow", ANT, "MOST_BITS // max(bits, array.least_bits)", "1"),
    Fault("columns do not grow", ANT, "array.columns * narrow\n", "array.columns\n"),
    Fault("edges grow four times", ANT, "MOST_BITS // max(bits, array.least_bits)", "(8 // bits) ** 2"),
    Fault("columns rounded down", ANT, "= -(-tilings.outputs // columns)", "= tilings.outputs // columns"),
    Fault(
        "weight-stationary: one input per row", ANT, "pixels * -(-tilings.inputs // rows)", "pixels * tilings.inputs"
    ),
    Fault("output-stationary: one row of the batch at a time", ANT, "-(-pixels // rows) * tilings", "pixels * tilings"),
    Fault("tiles of one channel", TILES, "while sizes[-1] < whole", "while False"),
    Fault(
        "DRAM 16 times slower",
        TILES,
        "-(-(moved - filled - drained) // bandwidth)",
        "(moved - filled) * 16 // bandwidth",
    ),
)


def bitfusion_caught() -> Mutants:
    """Plant every fault in turn and compare all layers."""
    shows = [any(row.mismatch for row in bitfusion_layers(_faulty_bitfusion(fault))) for fault in BITFUSION_FAULTS]
    return _mutants(BITFUSION_FAULTS, shows)


def ant_caught() -> Mutants:
    """Plant every fault in turn and compare all ratios."""
    shows = [any(row.mismatch for row in ant_ratios(_faulty_ant(fault))) for fault in ANT_FAULTS]
    return _mutants(ANT_FAULTS, shows)


def _mutants(faults: Sequence[Fault], shows: Sequence[bool]) -> Mutants:
    names = tuple(fault.name for fault in faults)
    return Mutants(names, tuple(name for name, shown in zip(names, shows, strict=True) if shown))


def _faulty_bitfusion(fault: Fault) -> BitFusionRule:
    rule: BitFusionRule = _with_tiles(fault, BITFUSION)["bitfusion_timing"]
    return rule


def _faulty_ant(fault: Fault) -> AntRule:
    rule: AntRule = _with_tiles(fault, ANT)["ant_timing"]
    return rule


def _with_tiles(fault: Fault, module: str) -> dict[str, Any]:
    """The names of a rule's copy, which uses the mapper's copy; the fault is in one of them."""
    rule, tiles = vars(copy_with(fault, module)), vars(copy_with(fault, TILES))
    rule.update({name: tiles[name] for name in ("Loop", "Tensor", "fetch", "list_tilings", "search")})
    return rule
