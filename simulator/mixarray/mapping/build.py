"""A workload on an accelerator as a Schedule: the mapping of all three dataflows, first form.

Documented and deterministic; nothing is searched. The steps: chains of operators that run tile by tile together
(`chains`), their loops and amounts (`tiles`, `plan`), which tensors stay on the chip (`residency`), and the software
pipeline that puts all jobs in order (`lower`, `weights`, `array_work`). What differs between dataflows is how large the
pieces are (`cuts`) and what the jobs of a fold do (`steps`). Chains follow each other in the order of the operators; a
chain starts on a tensor when that tensor is complete. No latency is computed by a roofline: everything is a job.
"""

from __future__ import annotations

from mixarray.accelerator.model import Accelerator
from mixarray.errors import InputError
from mixarray.mapping.chains import make_chains, make_flow
from mixarray.mapping.emitter import Emitter, Slots
from mixarray.mapping.jobs import UNITS, Shop
from mixarray.mapping.lower import ChainLowering
from mixarray.mapping.plan import Planner
from mixarray.mapping.residency import resident_tensors
from mixarray.mapping.schedule import Schedule
from mixarray.mapping.transfers import Floor
from mixarray.mapping.weights import WeightPath
from mixarray.trace.workload import Workload

LARGEST_ACTIVATION_SLOTS = 2


def build_schedule(workload: Workload, accelerator: Accelerator) -> Schedule:
    """Put every operator of `workload` on `accelerator`; job.operator indexes workload.operators.

    The activation buffer has one or two slots (what is streamed, and what arrives meanwhile); the others any number.
    Raises InputError if an operand is wider than every mode, a slot is too small for the smallest part of an operator
    that moves at once, or the activation buffer has more than two slots.
    """
    slots = accelerator.buffers.activation.slots
    if slots > LARGEST_ACTIVATION_SLOTS:
        message = f"{slots} slots cannot be used: this mapping has one tile in use and one in flight; allowed: 1, 2"
        raise InputError(accelerator.name, message, "buffers.activation.slots")
    flow = make_flow(workload)
    planner = Planner(workload, accelerator, flow)
    plans = [planner.plan(chain) for chain in make_chains(flow, planner.holds_rows)]
    crossing = {entry.tensor for plan in plans for entry in plan.traffic}
    bits = {tensor: planner.tensor_bits(tensor) for tensor in crossing}
    resident = resident_tensors(plans, bits, accelerator.buffers.activation.capacity_bits)
    emitter, shop = Emitter(UNITS), Shop(accelerator)
    weights = WeightPath(
        emitter, shop, Slots(accelerator.buffers.weight.slots), [plan for plan in plans if plan.weight_bits]
    )
    floor = Floor(emitter, shop, resident, Slots(accelerator.buffers.accumulator.slots), weights)
    for plan in plans:
        ChainLowering(floor, plan).run()
    return emitter.schedule()
