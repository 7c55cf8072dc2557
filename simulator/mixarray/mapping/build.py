"""A workload on an accelerator as a Schedule: the mapping of all three dataflows, first form.

Documented and deterministic; nothing is searched. The steps: chains of operators that run tile by tile together
(`chains`), which of them take turns tile by tile (`pairs`), how their groups of rows share the arrays (`parts`), their
loops and amounts (`tiles`, `plan`, `fused_plan`), which tensors stay on the chip (`residency`), and the pipeline that
puts all jobs in order (`lower`, `fused`, `together`, `weights`, `array_work`). What differs between dataflows is how
large the pieces are (`cuts`) and what the jobs of a fold do (`steps`). Chains follow each other in the order of the
operators; a chain starts on a tensor when that tensor is complete. No latency is computed by a roofline: everything is
a job.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from mixarray.accelerator.model import Accelerator
from mixarray.errors import InputError
from mixarray.mapping.chain_plan import ChainPlan
from mixarray.mapping.chains import make_chains, make_flow
from mixarray.mapping.emitter import Emitter, Mark, Slots
from mixarray.mapping.forms import Prefer, Sections
from mixarray.mapping.fused_plan import Planned, members
from mixarray.mapping.jobs import Shop
from mixarray.mapping.own_work import bypassed_maps, free_jobs, with_copies
from mixarray.mapping.pairs import pair_chains
from mixarray.mapping.plan import Planner
from mixarray.mapping.region_sums import check_region_sums
from mixarray.mapping.residency import resident_tensors
from mixarray.mapping.schedule import Schedule
from mixarray.mapping.section_plan import Choose, SectionPlanner
from mixarray.mapping.tabulate import with_tables
from mixarray.mapping.tasks import Price, Task
from mixarray.mapping.together import lower_sections, weights_in_order
from mixarray.mapping.transfers import Floor
from mixarray.mapping.units import unit_names
from mixarray.mapping.weights import WeightPath
from mixarray.trace.workload import Workload

LARGEST_ACTIVATION_SLOTS = 2


@dataclass(frozen=True, slots=True)
class PlannedWorkload:
    """All chains of a workload as sections in order, and the tensors that never leave the chip."""

    sections: Sections
    resident: frozenset[int]


def build_schedule(
    workload: Workload, accelerator: Accelerator, choose: Choose | None = None, prefer: Prefer | None = None
) -> Schedule:
    """Put every operator of `workload` on `accelerator`; job.operator indexes workload.operators. With tables.

    choose: asked once for every part of a chain that has a GEMM; without it all have the fixed form, as fused pairs do.
    prefer: asked where parts run together, or chains may be fused; without it nothing may be left open.

    The activation buffer has one or two slots (what is streamed, and what arrives meanwhile); the others any number.
    Raises InputError if an operand is wider than every mode, shifted products could overflow an accumulator, a slot is
    too small for the smallest part of an operator that moves at once, the activation buffer has more than two slots, or
    what is to be fused cannot be.
    """
    planned = plan_workload(workload, accelerator, choose, prefer)
    return with_tables(_lower(accelerator, planned.sections, planned.resident))


def plan_workload(
    workload: Workload, accelerator: Accelerator, choose: Choose | None = None, prefer: Prefer | None = None
) -> PlannedWorkload:
    """How every operator lies on the accelerator, before anything is put in order. Raises as `build_schedule` does."""
    slots = accelerator.buffers.activation.slots
    if slots > LARGEST_ACTIVATION_SLOTS:
        message = f"{slots} slots cannot be used: this mapping has one tile in use and one in flight; allowed: 1, 2"
        raise InputError(accelerator.name, message, "buffers.activation.slots")
    check_region_sums(workload, accelerator)
    workload = with_copies(workload, accelerator.mixed_precision)
    flow = make_flow(workload)
    planner = Planner(workload, accelerator, flow)
    plan_chain = SectionPlanner(planner, choose, prefer).plan
    chains = pair_chains(make_chains(flow, planner.holds_rows), flow, accelerator)
    sections = tuple(section for chain in chains for section in plan_chain(chain))
    return PlannedWorkload(sections, _resident(planner, sections))


def _resident(planner: Planner, sections: Sections) -> frozenset[int]:
    """The tensors that stay on the chip."""
    crossing = {entry.tensor for plan in _plans(sections) for entry in plan.traffic}
    bits = {tensor: planner.tensor_bits(tensor) for tensor in crossing}
    together = [_plans([section]) for section in sections]
    shared = bypassed_maps(planner.workload)
    return resident_tensors(together, bits, planner.accelerator.buffers.activation.capacity_bits, shared)


def lower_form(planner: Planner, sections: Sections) -> Schedule:
    """Sections by themselves, from an empty pipeline; what one leaves for the next may stay on the chip."""
    return _lower(planner.accelerator, sections, _resident(planner, sections))


def lower_alone(accelerator: Accelerator, plan: ChainPlan) -> Schedule:
    """One chain by itself, from an empty pipeline: all operands come from DRAM, all results go there."""
    return _lower(accelerator, [(plan,)], frozenset())


def _plans(sections: Sequence[Sequence[Planned]]) -> list[ChainPlan]:
    """The plans of all chains, those of pairs too."""
    return [plan for section in sections for planned in section for plan in members(planned)]


def _lower(accelerator: Accelerator, sections: Sequence[Sequence[Planned]], resident: frozenset[int]) -> Schedule:
    emitter = Emitter(unit_names(len(accelerator.arrays)))
    lower_sections(make_floors(emitter, accelerator, sections, resident), sections)
    return emitter.schedule()


def make_floors(
    emitter: Emitter,
    accelerator: Accelerator,
    sections: Sequence[Sequence[Planned]],
    resident: frozenset[int],
    following: Sequence[ChainPlan] = (),
    ask: Callable[[Task], Price] | None = None,
) -> list[Floor]:
    """The empty pipeline of every array, for these sections; `following`: plans with weights that come after.

    ask: says what tasks cost (None: their prices on the accelerator).
    """
    free = free_jobs(_plans(sections), accelerator.mixed_precision)
    shops = [Shop(accelerator, array, free, ask) for array in range(len(accelerator.arrays))]
    order = [*weights_in_order(sections), *following]
    weights = WeightPath(emitter, shops[0], Slots(accelerator.buffers.weight.slots), order)
    ready: dict[int, Mark] = {}
    return [
        Floor(emitter, shop, resident, Slots(accelerator.buffers.accumulator.slots), weights.beside(shop), ready)
        for shop in shops
    ]
