"""One row per GEMM (or part of one) of every distinct workload: how it lies on the machine, and what else was tried."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from mixarray.accelerator.enums import Dataflow, Search
from mixarray.accelerator.model import Accelerator
from mixarray.choosing import evaluator, process_mapper
from mixarray.mapping.build import plan_workload
from mixarray.mapping.chain_plan import ChainPlan, Stage
from mixarray.mapping.chains import Chain
from mixarray.mapping.choice import Choice
from mixarray.mapping.cuts import Cuts
from mixarray.mapping.fetches import fetched_bits
from mixarray.mapping.forms import Contest, Form, FormName
from mixarray.mapping.fused_plan import FusedPlan, members
from mixarray.mapping.mapper import Preferred
from mixarray.mapping.plan import Planner
from mixarray.mapping.search import Found
from mixarray.result.layers import Cell, Row
from mixarray.result.totals import Weighted
from mixarray.simulation import Simulation
from mixarray.trace.workload import Workload

FUSED = "fused"

Part = tuple[int, int, tuple[int, ...]]
"""(operator of the GEMM, array, its groups)"""


def mapping_rows(simulations: Weighted) -> list[Row]:
    """Rows in order of workload and operator; columns as in the glossary."""
    return [
        {"workload": number, **row} for number, (simulation, _) in enumerate(simulations) for row in _rows(simulation)
    ]


@dataclass
class _Asked:
    """Chooses as the accelerator's configuration says, and keeps who planned each part.

    contests: how contests of forms went, by the GEMM and the first of the forms.
    """

    accelerator: Accelerator
    planners: dict[Part, Planner] = field(default_factory=dict)
    contests: dict[tuple[int, FormName], Preferred] = field(default_factory=dict)

    def __call__(self, planner: Planner, chain: Chain) -> Choice | None:
        assert chain.gemm is not None  # nothing else has a choice
        groups = tuple(run.group for run in planner.amounts.runs(chain.gemm))
        self.planners[chain.gemm, planner.array, groups] = planner
        found = self.found(planner, chain)
        return None if found is None or found.best is None else found.best.choice

    def prefer(self, contest: Contest) -> Form:
        """The form that wins."""
        outcome = process_mapper().compare(contest, evaluator(self.accelerator))
        for _, chain in contest.parts:
            assert chain.gemm is not None  # nothing else has several forms
            self.contests[chain.gemm, outcome.names[0]] = outcome
        return contest.forms[outcome.best]

    def fixed(self, gemm: int) -> bool:
        """Whether parts that run together have the fixed form, because it is better."""
        contest = self.contests.get((gemm, FormName.EXHAUSTIVE))
        return contest is not None and contest.names[contest.best] is FormName.FIXED

    def found(self, planner: Planner, chain: Chain) -> Found | None:
        """The outcome of the search; None in the fixed form."""
        if self.accelerator.mapping.search is Search.FIXED:
            return None
        return process_mapper().search(planner, chain, evaluator(self.accelerator))


def _rows(simulation: Simulation) -> Iterator[dict[str, Cell]]:
    asked = _Asked(simulation.accelerator)
    prefer = None if simulation.accelerator.mapping.search is Search.FIXED else asked.prefer
    planned = plan_workload(simulation.workload, simulation.accelerator, asked, prefer)
    names = {tensor.tensor: tensor.name for tensor in simulation.workload.tensors.values()}
    resident = {tensor: names[tensor] for tensor in planned.resident}
    items = (item for section in planned.sections for item in section)
    for plan, fused in ((plan, isinstance(item, FusedPlan)) for item in items for plan in members(item)):
        if plan.chain.gemm is not None:
            runs = {run.group for iteration in plan.loops.iterations for stripe in iteration for run in stripe.runs}
            part = plan.chain.gemm, plan.array, tuple(sorted(runs))
            row = _identity(simulation.workload, part) | _size(plan)
            judged = _judgement(asked, plan, part, fused) | _forms(asked, part[0])
            yield row | judged | _residency(simulation.accelerator, plan, resident)


def _identity(workload: Workload, part: Part) -> dict[str, Cell]:
    number, array, members = part
    grouped = workload.operators[number]
    op, groups = grouped.operator, [grouped.groups[member] for member in members]
    rows = groups[0].rows if op.batch > 1 else sum(group.batch * group.rows for group in groups)
    return {
        **{"operator": number, "name": op.name, "array": array},
        "groups": " ".join(f"{g.bits}:{g.batch}x{g.rows}" for g in groups),
        **{"m": rows, "n": op.n, "k": op.k},
    }


def _size(plan: ChainPlan) -> dict[str, Cell]:
    choice = plan.choice
    assert choice is not None  # every GEMM has one
    return {
        **{"tile_rows": choice.rows, "tile_columns": choice.columns, "tile_depth": choice.depth},
        **{"order": choice.order.value, "doubled": choice.doubled.value},
    }


def _judgement(asked: _Asked, plan: ChainPlan, part: Part, fused: bool) -> dict[str, Cell]:
    """What the choice costs, and what else was tried; a chain of a fused pair is never alone."""
    planner = None if fused else asked.planners[part]
    found = None if planner is None or asked.fixed(part[0]) else asked.found(planner, plan.chain)
    if planner is None:
        judged: dict[str, Cell] = {"search": FUSED, "cycles": None, "traffic_bits": None}
    elif found is None:
        cycles = process_mapper().fixed_cycles(planner, plan.chain, plan, evaluator(asked.accelerator))
        judged = {"search": Search.FIXED.value, "cycles": cycles, "traffic_bits": _traffic_bits(planner, plan)}
    else:
        best = found.best
        assert best is not None  # otherwise there were no plan
        judged = {"search": Search.EXHAUSTIVE.value, "cycles": best.cycles, "traffic_bits": best.traffic_bits}
        judged["bound_cycles"] = best.bound_cycles
    second = None if found is None else found.runner_up
    return {
        **judged,
        "runner_up": None if second is None else _text(second.choice),
        "runner_up_cycles": None if second is None else second.cycles,
        "bound_cycles": judged.get("bound_cycles"),
        "candidates": None if found is None else found.candidates,
        "bounded": None if found is None else found.bounded,
        "evaluated": None if found is None else found.evaluated,
    }


def _forms(asked: _Asked, gemm: int) -> dict[str, Cell]:
    """What the forms that were compared take: those of the pair, or of its parts that run together."""
    contests = (asked.contests.get((gemm, name)) for name in (FormName.LAYERWISE, FormName.EXHAUSTIVE))
    contest = next((contest for contest in contests if contest is not None), None)
    if contest is None:
        return {"form": None, "form_cycles": None, "other_form": None, "other_form_cycles": None}
    other = 1 - contest.best  # there are two
    return {
        **{"form": contest.names[contest.best].value, "form_cycles": contest.cycles[contest.best]},
        **{"other_form": contest.names[other].value, "other_form_cycles": contest.cycles[other]},
    }


def _traffic_bits(planner: Planner, plan: ChainPlan) -> int:
    """What a chain in the fixed form, whose sums never leave before they are complete, moves by itself."""
    moved = sum(sum(entry.bits) for entry in plan.traffic)
    return moved + fetched_bits(plan, planner.amounts.cuts) + sum(bits for _, bits in plan.parameters)


def _residency(accelerator: Accelerator, plan: ChainPlan, resident: dict[int, str]) -> dict[str, Cell]:
    cuts = Cuts(accelerator, plan.array)
    entries = [entry for entry in plan.traffic if entry.tensor in resident and entry.stage is not Stage.INNER]
    made = [entry.tensor for entry in entries if entry.stage in (Stage.FED, Stage.OUT)]
    read = [entry.tensor for entry in entries if entry.stage not in (Stage.FED, Stage.OUT)]
    return {
        "array_reuse": _array_reuse(cuts.array.dataflow, plan),
        "weight_fetches": fetched_bits(plan, cuts) / plan.weight_bits if plan.weight_bits else None,
        "resident_inputs": " ".join(resident[tensor] for tensor in dict.fromkeys(read)),
        "resident_outputs": " ".join(resident[tensor] for tensor in dict.fromkeys(made)),
    }


def _array_reuse(dataflow: Dataflow, plan: ChainPlan) -> int:
    """The longest stream over one stationary tile."""
    stripes = {stripe for iteration in plan.loops.iterations for stripe in iteration}
    match dataflow:
        case Dataflow.WEIGHT_STATIONARY:
            return max(sum(run.rows for run in stripe.runs) for stripe in stripes)
        case Dataflow.INPUT_STATIONARY:
            return max(max(stripe.widths) for stripe in stripes)
        case Dataflow.OUTPUT_STATIONARY:
            return max(stripe.depth for stripe in stripes)


def _text(choice: Choice) -> str:
    return f"{choice.rows}x{choice.columns}x{choice.depth} {choice.order.value} {choice.doubled.value}"
