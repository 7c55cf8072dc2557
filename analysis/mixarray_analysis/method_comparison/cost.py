"""What a recorded bundle costs on accelerators: a small file, a row per accelerator, with what made it."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from dataclasses import astuple, dataclass, fields
from pathlib import Path

from pydantic import TypeAdapter

from mixarray.accelerator.load import load_accelerator
from mixarray.accelerator.model import Accelerator
from mixarray.errors import InputError
from mixarray.images import Simulated, simulate_images, simulate_uniform
from mixarray.mapping.tasks import CONDITIONAL_SHIFT
from mixarray.result.layers import layer_rows
from mixarray.result.run import RunResult, run_result
from mixarray.trace.bops import weighted_bops
from mixarray.trace.bundle import Bundle
from mixarray.trace.model import OperatorKind
from mixarray.trace.workload import Workload
from mixarray_analysis.files import write_text
from mixarray_analysis.method_comparison.subjects import TOP_BITS
from mixarray_analysis.summary import write_rows
from mixarray_traces.quantization.side_names import is_side

UJ_PER_PJ = 1e-6


@dataclass(frozen=True, slots=True)
class Cost:
    """One inference on one accelerator.

    bops: of the blocks, MACs times the bits of both operands; mode_bops: at the bits of the modes that ran them;
    widest_*: at W8A8, the operators being the same. Cycles of row sums, column sums and thin GEMMs
    (side paths with what lies between) are those of the critical chain that belong to them, their energies what their
    actions took. shifts: products that pass a conditional shift. version to energy_model: what made the row.
    """

    accelerator: str
    cycles: int
    latency_ms: float
    energy_uj: float
    energy_low_uj: float
    energy_high_uj: float
    bops: int
    mode_bops: int
    widest_bops: int
    widest_cycles: int
    widest_energy_uj: float
    row_sum_cycles: int
    row_sum_uj: float
    column_sum_cycles: int
    column_sum_uj: float
    thin_gemm_cycles: int
    thin_gemm_uj: float
    shifts: int
    shift_uj: float
    version: str
    git_revision: str
    trace_sha256: str
    accelerator_sha256: str
    engine: str
    energy_model: str


_COST = TypeAdapter(Cost)


def write_costs(bundle: Bundle, machines: Sequence[str], out: Path) -> Path:
    """A row per accelerator; InputError for one that is unknown, or cannot run the bundle."""
    rows = [astuple(cost_of(bundle, load_accelerator(machine))) for machine in machines]
    text = io.StringIO(newline="")
    write_rows(text, [field.name for field in fields(Cost)], rows)
    return write_text(out, text.getvalue(), force=True)


def read_costs(path: Path) -> tuple[Cost, ...]:
    """What `write_costs` wrote; InputError where it is something else."""
    try:
        with path.open(newline="", encoding="utf-8") as file:
            return tuple(_COST.validate_python(row) for row in csv.DictReader(file))
    except (OSError, ValueError) as error:
        raise InputError(str(path), f"holds no costs: {error!r}") from None


def cost_of(bundle: Bundle, accelerator: Accelerator) -> Cost:
    """The cost of one inference as recorded; InputError where the bundle has more images than one."""
    if len(bundle.manifest.images) > 1:
        raise InputError(str(bundle.path), f"has {len(bundle.manifest.images)} images; allowed: 1")
    simulated = simulate_images(bundle, accelerator)
    source = bundle.path.name
    run = run_result(simulated, source=source, trace_sha256=bundle.sha256, seed=bundle.manifest.seed, speedup=None)
    widest = simulate_uniform(bundle, accelerator, (TOP_BITS, TOP_BITS))
    workload = simulated[0][0].workload
    totals = run.totals
    return Cost(
        run.accelerator,
        simulated[0][0].execution.total_cycles,
        totals.latency_ms,
        totals.energy_uj,
        totals.energy_low_uj,
        totals.energy_high_uj,
        weighted_bops(workload),
        mode_bops(workload, accelerator),
        weighted_bops(widest[0][0].workload),
        widest[0][0].execution.total_cycles,
        widest[0][0].energy.total_pj * UJ_PER_PJ,
        *_spent(simulated, OperatorKind.ROW_SUM),
        *_spent(simulated, OperatorKind.COLUMN_SUM),
        *_spent(simulated, None),
        *_shifts(run),
        run.versions["mixarray"],
        run.git_revision,
        bundle.sha256,
        run.accelerator_sha256,
        run.engine,
        run.energy_model,
    )


def mode_bops(workload: Workload, accelerator: Accelerator) -> int:
    """MACs of the blocks times the bits of the mode that each group runs in: what rounding up makes of BOPs."""
    total = 0
    for grouped in workload.operators:
        op = grouped.operator
        for group in grouped.groups if op.in_block and grouped.macs else ():
            _, mode = accelerator.array_for(group.stream_bits, group.stationary_bits)
            total += group.batch * group.rows * op.n * op.k * mode.stream_bits * mode.stationary_bits
    return total


def _spent(simulated: Simulated, kind: OperatorKind | None) -> tuple[int, float]:
    """Cycles of the critical chain and energy in uJ of operators of a kind; None: of side paths."""
    cycles, energy_pj = 0, 0.0
    for row in layer_rows(simulated):
        side = is_side(str(row["name"]))
        if side if kind is None else row["kind"] == kind and not side:
            cycles += int(row["attributed_cycles"] or 0)
            energy_pj += float(row["energy_pj"] or 0)
    return cycles, energy_pj * UJ_PER_PJ


def _shifts(run: RunResult) -> tuple[int, float]:
    found = [entry for entry in run.energy if entry.action == CONDITIONAL_SHIFT]
    return sum(int(entry.count) for entry in found), sum(entry.pj for entry in found) * UJ_PER_PJ
