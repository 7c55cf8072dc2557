"""A workload on an accelerator as a Schedule: the mapping of all three dataflows, first form.

Documented and deterministic; nothing is searched. The steps: chains of operators that run tile by tile together
(`chains`), their loops and amounts (`tiles`, `plan`), which tensors stay on the chip (`residency`), and the software
pipeline that puts all jobs in order (`lower`, `weights`, `array_work`). What differs between dataflows is how large the
pieces are (`cuts`) and what the jobs of a fold do (`steps`). Chains follow each other in the order of the operators; a
chain starts on a tensor when that tensor is complete. No latency is computed by a roofline: everything is a job.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from mixarray.accelerator.model import Accelerator
from mixarray.errors import InputError
from mixarray.mapping.chain_plan import ChainPlan
from mixarray.mapping.chains import Chain, make_chains, make_flow
from mixarray.mapping.choice import Choice
from mixarray.mapping.emitter import Emitter, Slots
from mixarray.mapping.jobs import Shop, unit_names
from mixarray.mapping.lower import ChainLowering
from mixarray.mapping.own_work import free_jobs, with_copies
from mixarray.mapping.plan import Planner
from mixarray.mapping.residency import resident_tensors
from mixarray.mapping.schedule import Schedule
from mixarray.mapping.transfers import Floor
from mixarray.mapping.weights import WeightPath
from mixarray.trace.workload import Workload

LARGEST_ACTIVATION_SLOTS = 2


Choose = Callable[[Planner, Chain], Choice | None]
"""Says how the GEMM of a chain is laid on the machine; None: the fixed form."""


def build_schedule(workload: Workload, accelerator: Accelerator, choose: Choose | None = None) -> Schedule:
    """Put every operator of `workload` on `accelerator`; job.operator indexes workload.operators.

    choose: asked once for every chain that has a GEMM; without it all have the fixed form.

    The activation buffer has one or two slots (what is streamed, and what arrives meanwhile); the others any number.
    Raises InputError if an operand is wider than every mode, a slot is too small for the smallest part of an operator
    that moves at once, or the activation buffer has more than two slots.
    """
    slots = accelerator.buffers.activation.slots
    if slots > LARGEST_ACTIVATION_SLOTS:
        message = f"{slots} slots cannot be used: this mapping has one tile in use and one in flight; allowed: 1, 2"
        raise InputError(accelerator.name, message, "buffers.activation.slots")
    workload = with_copies(workload, accelerator.mixed_precision)
    flow = make_flow(workload)
    planner = Planner(workload, accelerator, flow)
    plans = [
        planner.plan(chain, None if choose is None or chain.gemm is None else choose(planner, chain))
        for chain in make_chains(flow, planner.holds_rows)
    ]
    crossing = {entry.tensor for plan in plans for entry in plan.traffic}
    bits = {tensor: planner.tensor_bits(tensor) for tensor in crossing}
    resident = resident_tensors(plans, bits, accelerator.buffers.activation.capacity_bits)
    return _lower(accelerator, plans, resident)


def lower_alone(accelerator: Accelerator, plan: ChainPlan) -> Schedule:
    """One chain by itself, from an empty pipeline: all operands come from DRAM, all results go there."""
    return _lower(accelerator, [plan], frozenset())


def _lower(accelerator: Accelerator, plans: Sequence[ChainPlan], resident: frozenset[int]) -> Schedule:
    emitter = Emitter(unit_names(len(accelerator.arrays)))
    shop = Shop(accelerator, free=free_jobs(plans, accelerator.mixed_precision))
    weights = WeightPath(
        emitter, shop, Slots(accelerator.buffers.weight.slots), [plan for plan in plans if plan.weight_bits]
    )
    floor = Floor(emitter, shop, resident, Slots(accelerator.buffers.accumulator.slots), weights)
    for plan in plans:
        ChainLowering(floor, plan).run()
    return emitter.schedule()
