"""Conservation of energy and traffic on whole runs: nothing is lost or counted twice between trace and total.

For a GEMM drawn at random: its MACs and PE-cycles are all counted; DRAM moves at least each operand and result once;
the energy is exactly the sum of counts times costs; fewer bits never cost more; dividing it by rows adds nothing but
the weights read again. For a small Swin: ratio 0 costs what the uniform high model costs.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from fractions import Fraction

from mixarray.accelerator.load import load_accelerator
from mixarray.accelerator.model import Accelerator
from mixarray.cost.energy import LEAKAGE
from mixarray.cost.pe_time import PE_CYCLE
from mixarray.cost.tables import energy_table
from mixarray.cost.unit_energy import unit_energy
from mixarray.mapping.schedule import Action
from mixarray.simulation import Simulation, simulate
from mixarray.trace.workload import RESULT_BITS, WindowCount, Workload, build_workload, single_gemm
from mixarray_traces.record.graph import Precision
from mixarray_traces.record.shape import SwinShape
from mixarray_traces.record.topology import block_grids, build_topology

PRESETS = ("plain_int8_32x32", "packed_w4_32x32")
LEAKAGES = ("none", "lstp300")
BITS = ((8, 8), (8, 4), (4, 4))
ROUNDING = 1e-12
"""Relative difference of a sum of binary floating-point numbers from the exact one."""
READ, WRITTEN = Action("dram_channels.0", "read_bits"), Action("dram_channels.0", "write_bits")
WEIGHT_READ, WEIGHT_WRITE = Action("buffers.weight", "read"), Action("buffers.weight", "write")
SMALL = SwinShape("small", (32, 64), (2, 2), (1, 2))
SMALL_SIZE = (56, 84)

Run = Callable[[Workload, Accelerator], Simulation]
"""What is examined: a workload on an accelerator, simulated and costed."""


@dataclass(frozen=True, slots=True)
class Gemm:
    """A GEMM and the preset that runs it. K is a multiple of 64, so that no slot of a packed PE stays empty."""

    preset: str
    leakage: str
    m: int
    n: int
    k: int

    @property
    def accelerator(self) -> Accelerator:
        """The machine."""
        return load_accelerator(self.preset, (f"leakage={self.leakage}",))

    def workload(self, bits: tuple[int, int], parts: int = 1) -> Workload:
        """At so many bits of the streaming and the stationary operand; one of so many equal parts of its rows."""
        return single_gemm(self.m // parts, self.n, self.k, *bits)


def draw_gemm(seed: int, case: int) -> Gemm:
    """The GEMM of one case; it fits the buffers whole, and its rows divide by 2."""
    draw = random.Random(f"{seed}/{case}/energy")
    preset, leakage = PRESETS[case % len(PRESETS)], LEAKAGES[case // len(PRESETS) % len(LEAKAGES)]
    return Gemm(preset, leakage, 64 * draw.randint(1, 3), 32 * draw.randint(1, 4), 64 * draw.randint(1, 3))


def gemm_violation(gemm: Gemm, run: Run = simulate) -> str:
    """What is not conserved, in words, or nothing."""
    accelerator = gemm.accelerator
    runs = {bits: run(gemm.workload(bits), accelerator) for bits in BITS}
    for bits, done in runs.items():
        found = _traffic_violation(gemm, bits, done) or sum_violation(done)
        if found:
            return f"{gemm}, {bits[0]}x{bits[1]} bits: {found}"
    spent = [done.energy.total_pj for done in runs.values()]
    read = [done.execution.actions[READ] for done in runs.values()]
    if spent != sorted(spent, reverse=True) or not read[0] > read[1] > read[2]:
        return f"{gemm}: {spent} pJ and {read} bits read at {BITS} bits"
    found = _halves_violation(gemm, runs[8, 4], run)
    return found and f"{gemm}: {found}"


def ratio_violation(run: Run = simulate) -> str:
    """How a small Swin at ratio 0 differs from the uniform high model, or nothing."""
    for preset in PRESETS:
        accelerator = load_accelerator(preset)
        two, one = (run(_all_high(branches), accelerator) for branches in ((8, 4), (8,)))
        if two.execution.actions != one.execution.actions or two.energy.total_pj != one.energy.total_pj:
            return f"{preset}: {two.energy.total_pj} pJ at ratio 0, {one.energy.total_pj} pJ without a low branch"
    return ""


def sum_violation(done: Simulation) -> str:
    """How an energy is not the sum of counts times costs, or nothing."""
    accelerator, table = done.accelerator, energy_table(done.accelerator.energy_table)
    counts = {Action(item.component, item.action): item.count for item in done.energy.items if item.action != LEAKAGE}
    missing = {action for action, count in done.execution.actions.items() if counts.get(action) != count}
    if missing:
        return f"{min(missing, key=str)} is not counted in the energy as it ran"
    leaked = [item for item in done.energy.items if item.action == LEAKAGE]
    if bool(leaked) != (accelerator.leakage != "none"):
        return f"leakage {accelerator.leakage}, and {len(leaked)} components leak"
    for end, total in (
        ("value", done.energy.total_pj),
        ("low", done.energy.low_pj),
        ("high", done.energy.high_pj),
    ):
        parts = [Fraction(getattr(unit_energy(a, accelerator, table), end)) * n for a, n in counts.items()]
        parts += [Fraction(item.pj if end == "value" else getattr(item, f"{end}_pj")) for item in leaked]
        exact = sum(parts, Fraction(0))
        if abs(Fraction(total) - exact) > ROUNDING * exact:
            return f"{end} {total} pJ, counts times costs {float(exact)} pJ"
    return ""


def _traffic_violation(gemm: Gemm, bits: tuple[int, int], done: Simulation) -> str:
    actions, macs = done.execution.actions, gemm.m * gemm.n * gemm.k
    compulsory = gemm.m * gemm.k * bits[0] + gemm.k * gemm.n * bits[1]
    pe_cycles = sum(item.count for item in done.energy.items if item.action.startswith(PE_CYCLE))
    pes = sum(array.pes for array in done.accelerator.arrays)
    if done.execution.macs != macs:
        return f"{done.execution.macs} MACs of {macs}"
    if actions[READ] < compulsory:
        return f"{actions[READ]} bits read from DRAM, {compulsory} compulsory"
    if actions[WRITTEN] < gemm.m * gemm.n * RESULT_BITS:
        return f"{actions[WRITTEN]} bits written to DRAM, {gemm.m * gemm.n * RESULT_BITS} compulsory"
    if pe_cycles != pes * done.execution.total_cycles:
        return f"{pe_cycles} PE-cycles of {pes * done.execution.total_cycles}"
    return ""


def _halves_violation(gemm: Gemm, whole: Simulation, run: Run) -> str:
    """Two halves by rows against the whole: only DRAM reads and weight accesses may grow, reads by the weights."""
    half = run(gemm.workload((8, 4), parts=2), gemm.accelerator)
    twice = Counter({action: 2 * count for action, count in half.execution.actions.items()})
    extra = {a: twice[a] - whole.execution.actions.get(a, 0) for a in {*twice, *whole.execution.actions}}
    grown: Mapping[Action, int] = {action: count for action, count in extra.items() if count}
    others = set(grown) - {READ, WEIGHT_READ, WEIGHT_WRITE}
    if others:
        first = min(others, key=str)
        return f"two halves differ from the whole in {first} by {grown[first]}"
    weights = gemm.k * gemm.n * 4
    if grown.get(READ) != weights:
        return f"two halves read {grown.get(READ)} bits more than the whole, the weights are {weights}"
    return ""


def _all_high(branches: tuple[int, ...]) -> Workload:
    topology = build_topology(SMALL, *SMALL_SIZE, None, Precision(branch_bits=branches))
    grids = block_grids(SMALL, *SMALL_SIZE)
    assignment = {block: (WindowCount(8, grid.windows, grid.tokens),) for block, grid in grids.items()}
    return build_workload("ratio 0", topology, assignment, SMALL.window**2)
