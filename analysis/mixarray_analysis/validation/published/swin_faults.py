"""Shapes and topologies of Swin with one deliberate fault each."""

from __future__ import annotations

from collections.abc import Sequence

from mixarray_analysis.validation.check import Mutants
from mixarray_analysis.validation.faults import Fault, copy_with
from mixarray_analysis.validation.published.swin import Swin, swin_figures, swin_lists

SHAPE, BLOCK, TOPOLOGY = (f"mixarray_traces.record.{name}" for name in ("shape", "block_topology", "topology"))

FAULTS: Sequence[Fault] = (
    Fault("a third of QKV", BLOCK, "rows, 3 * channels, channels,", "rows, channels, channels,"),
    Fault("one head as wide as all channels", BLOCK, "(width, width, head_dim)", "(width, width, channels)"),
    Fault("AV over the head's width", BLOCK, "(width, head_dim, width)", "(width, head_dim, head_dim)"),
    Fault("attention sees no padding", BLOCK, "self.grid.windows * self.window_tokens", "self.grid.tokens"),
    Fault(
        "the MLP sees padding",
        BLOCK,
        "self.grid.tokens if self.padding is Padding.ATTENTION else self.rows",
        "self.rows",
    ),
    Fault("the MLP half as wide", SHAPE, "mlp_ratio: int = 4", "mlp_ratio: int = 2"),
    Fault("windows rounded down", SHAPE, "-(-self.height // self.window) * -(-", "(self.height // self.window) * -(-"),
    Fault("maps halved and rounded down", SHAPE, "-(-rows // 2), -(-columns // 2)", "rows // 2, columns // 2"),
    Fault("a block pair short in Swin-S", SHAPE, '"swin_s", 96, (2, 2, 18, 2)', '"swin_s", 96, (2, 2, 16, 2)'),
    Fault("Swin-B as narrow as Swin-T", SHAPE, '"swin_b", 128', '"swin_b", 96'),
    Fault("grey patches", TOPOLOGY, "shape.patch**2 * shape.in_channels", "shape.patch**2"),
    Fault("merging joins two tokens", TOPOLOGY, "4 * shape.channels[stage - 1]", "2 * shape.channels[stage - 1]"),
    Fault("no classifier", TOPOLOGY, "add_head(graph, shape, head, maps)", "add_head(graph, shape, None, maps)"),
)


def faulty_swin(fault: Fault) -> Swin:
    """Shapes and topologies with this fault; raises ValueError where the source has not exactly one place for it."""
    shape, block, topology = (vars(copy_with(fault, module)) for module in (SHAPE, BLOCK, TOPOLOGY))
    topology.update({name: shape[name] for name in ("map_grid", "stage_sizes")})
    topology.update({name: block[name] for name in ("BlockSize", "Entry", "add_block")})
    return Swin(shape["shape_named"], topology["build_topology"], topology["block_grids"])


def caught_faults() -> Mutants:
    """Plant every fault in turn and compare figures and lists."""
    names = tuple(fault.name for fault in FAULTS)
    return Mutants(names, tuple(fault.name for fault in FAULTS if _shows(faulty_swin(fault))))


def _shows(swin: Swin) -> bool:
    return any(comparison.mismatch for compare in (swin_lists, swin_figures) for comparison in compare(swin))
