"""Points of one network, put together from groups of chains that were lowered before.

They may run on accelerators that differ in prices, and in the capacities of operand buffers: everything is planned and
lowered on the bare machine (`bare`), and what is remembered holds for the capacities that would have given the same
answers (`capacities`). A group is a chain, or a
fused pair. Its plan depends on the group sizes that planning looks at; its jobs on that plan, on which of its tensors
stay on the chip, on the weights that come next, and on the border before it. All of that is its key, so equal keys mean
equal jobs with equal waits, and the totals are those of the whole Schedule: counters are sums, times a max-plus
product.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from mixarray.accelerator.model import Accelerator
from mixarray.choosing import chooser, preference
from mixarray.mapping.build import LARGEST_ACTIVATION_SLOTS
from mixarray.mapping.chains import Chain, Flow, make_chains, make_flow
from mixarray.mapping.forms import Sections
from mixarray.mapping.own_work import bypassed_maps, pruned_rows, with_copies
from mixarray.mapping.pairs import Pair, pair_chains
from mixarray.mapping.plan import Planner
from mixarray.mapping.region_sums import check_region_sums
from mixarray.mapping.section_plan import SectionPlanner
from mixarray.points.bare import bare, prices_of
from mixarray.points.capacities import Alike, Asked, ByCapacity, asking, capacities_of
from mixarray.points.counters import Counters
from mixarray.points.known import NO_WEIGHTS, KnownPlan, KnownPlans
from mixarray.points.known_steps import START, KnownSteps
from mixarray.points.network import Blocks, Reading, UncomposableError
from mixarray.points.noted import Notes, noted
from mixarray.points.pool import Integers
from mixarray.points.priced_steps import PricedSteps
from mixarray.points.roles import END, roles_of
from mixarray.points.stays import staying
from mixarray.points.structure import Group, Sources, Structure, Values, leaving, memories_of
from mixarray.trace.model import OperatorKind
from mixarray.trace.workload import Assignment, GroupedOperator, Workload

MOST_PLANS = 8192
"""Plans of chains, and structures, that are remembered; when there are more, all are dropped."""
MOST_LOWERED = 4 * MOST_PLANS
"""The same of chains that were lowered."""
MOST_PRICED = 32
"""Machines whose prices are remembered, for each bare one."""


@dataclass(frozen=True, slots=True)
class Machine:
    """An accelerator, and the bare one; `prices` are equal for equal prices of tasks."""

    whole: Accelerator
    bare: Accelerator
    prices: str


def machine_of(accelerator: Accelerator) -> Machine:
    """An accelerator as composers look at it."""
    return Machine(accelerator, bare(accelerator), prices_of(accelerator))


@dataclass(frozen=True, slots=True)
class Composed:
    """The totals of one point; `row` are its counters in the columns of `counters`."""

    total_cycles: int
    bops: int
    row: Integers
    counters: Counters


class Composer:
    """Puts points together, and remembers their groups. accelerator: a bare one."""

    def __init__(self, blocks: Blocks, accelerator: Accelerator) -> None:
        self.blocks, self.accelerator = blocks, accelerator
        self.sources = Sources(blocks)
        self.slots = {tensor: n for n, tensor in enumerate(dict.fromkeys(t.tensor for t in blocks.topology.tensors))}
        self.roles = roles_of(accelerator)
        self._start()

    def _start(self) -> None:
        """Know nothing."""
        self.needs: dict[Chain | Pair, frozenset[int]] = {}
        self.groups: dict[Chain | Pair, Group] = {}
        self.structures: dict[tuple[object, ...], Structure] = {}
        self.kinds: dict[tuple[object, ...], int] = {}
        self.forms: dict[int, tuple[int, tuple[GroupedOperator, ...]]] = {}
        self.plans = KnownPlans(self.slots)
        self.steps = KnownSteps(self.accelerator, self.roles)
        self.priced: dict[str, PricedSteps] = {}

    def run(self, assignment: Assignment, machine: Machine) -> Composed:
        """One point on a machine whose bare one differs from this in capacities of operand buffers alone.

        Raises InputError where something of it cannot be mapped, and UncomposableError where it has to be simulated
        directly.
        """
        if max(self.plans.count, len(self.structures)) > MOST_PLANS or len(self.steps.every) > MOST_LOWERED:
            self._start()
            self.blocks.forget()
        accelerator = machine.bare
        point = Point(self, assignment, accelerator)
        structure, values, sizes = self._structure(point), point.values, point.sizes
        chosen = []
        for group in structure.groups:
            plan = group.plan(values, sizes)
            chosen.append(self._plan(point, group) if plan is None else plan)
        capacity = accelerator.buffers.activation.capacity_bits
        stays = staying(np.array(chosen, np.int64), self.plans.spaces(), structure.memories, capacity).tolist()
        steps = self._steps([self.plans.every[plan] for plan in chosen], stays, accelerator)
        frame = self.blocks.frame(assignment, point.reading.needless)
        bops = frame.bops + sum(content.bops for content in point.reading.contents)
        vector, priced = np.zeros(self.roles.size + len(self.slots), np.int64), self._priced(machine)
        row = priced.run(steps, vector)
        return Composed(int(vector[END]), bops, row, priced.counters)

    def _priced(self, machine: Machine) -> PricedSteps:
        """The steps with the prices of a machine; the last ones are remembered."""
        priced = self.priced.pop(machine.prices, None) or PricedSteps(self.steps, machine.whole)
        self.priced[machine.prices] = priced
        if len(self.priced) > MOST_PRICED:
            del self.priced[next(iter(self.priced))]
        return priced

    def _steps(self, plans: Sequence[KnownPlan], stays: Sequence[int], accelerator: Accelerator) -> list[int]:
        """The steps of plans that follow each other; stays: of each its tensors that never leave the chip."""
        following, coming = [], NO_WEIGHTS
        for plan in reversed(plans):
            following.append(coming)
            coming = plan.weights or coming
        taken, border, sizes = [], START, capacities_of(accelerator)
        for plan, mask, weights in zip(plans, stays, reversed(following), strict=True):
            known = plan.steps.setdefault((border, mask, weights), ByCapacity())
            step = known.find(sizes)
            if step is None:
                step = self.steps.step(plan, border, mask, self.plans.weights[weights], accelerator)
                known.add(self.steps.forms[step].alike, step)
            taken.append(step)
            border = self.steps.forms[step].behind
        return taken

    def form(self, point: Point, place: int) -> tuple[int, tuple[GroupedOperator, ...]]:
        """The number of a block's kind, and its operators as they move; blocks of equal kinds form equal chains."""
        content = point.reading.contents[place]
        found = self.forms.get(content.number)
        if found is None:
            blocks, choices = self.blocks, self.accelerator.mixed_precision
            whole = Workload(blocks.name, content.operators, blocks.tensors, blocks.window_rows)
            check_region_sums(whole, self.accelerator)
            operators = with_copies(whole, choices).operators
            kind = tuple((not one.groups, pruned_rows(one) > 0, self._holds(one)) for one in operators)
            found = self.kinds.setdefault(kind, len(self.kinds)), operators
            self.forms[content.number] = found
        return found

    def _holds(self, grouped: GroupedOperator) -> bool:
        """Whether accumulators hold rows of a GEMM, as chains ask it."""
        if grouped.operator.kind is not OperatorKind.GEMM or not grouped.groups:
            return False
        one = Workload(self.blocks.name, (grouped,), self.blocks.tensors, self.blocks.window_rows)
        return Planner(one, self.accelerator, make_flow(one)).holds_rows(0)

    def _structure(self, point: Point) -> Structure:
        kinds = tuple(self.form(point, place)[0] for place in range(len(self.blocks.places)))
        key = (kinds, point.reading.needless)
        if key not in self.structures:
            self.structures[key] = self._divided(point)
        return self.structures[key]

    def _divided(self, point: Point) -> Structure:
        """The groups of a point; InputError where it cannot be mapped."""
        planner, flow = point.planner, point.flow
        chains = pair_chains(make_chains(flow, planner.holds_rows), flow, self.accelerator)
        groups = []
        for chain in chains:
            if chain not in self.groups:
                self.groups[chain] = Group(chain, (), leaving(chain, self.leaving_flow))
            group = self.groups[chain]
            if group.plan(point.values, point.sizes) is None:
                self._plan(point, group)
            groups.append(group)
        made = [self.slots[tensor] for group in groups for tensor in group.made or ()]
        shared = [frozenset(self.slots[t] for t in memory) for memory in bypassed_maps(point.workload)]
        return Structure(tuple(groups), memories_of(made, shared, len(self.slots)))

    @cached_property
    def leaving_flow(self) -> Flow:
        """Who reads what where nothing is left out."""
        grouped = tuple(GroupedOperator(op, ()) for op in self.blocks.topology.operators)
        return make_flow(Workload(self.blocks.name, grouped, self.blocks.tensors, self.blocks.window_rows))

    def _plan(self, point: Point, group: Group) -> int:
        """Plan a group anew."""
        sections = point.sections(group.chain)
        plan = self.plans.add(sections, group.leaving, point.tensor_bits)
        group.also_needs(self.needs[group.chain])
        made = self.plans.every[plan].made
        if group.made is None:
            group.made = made
        if group.made != made:
            raise UncomposableError("a group makes its tensors in another order")
        group.plans.setdefault(group.key(point.values), ByCapacity()).add(point.alike[group.chain], plan)
        return plan


class Point:
    """One point on its way; what planning needs of it is made when it is first asked for."""

    def __init__(self, composer: Composer, assignment: Assignment, accelerator: Accelerator) -> None:
        self.composer, self.assignment, self.accelerator = composer, assignment, accelerator
        self.sizes = capacities_of(accelerator)
        self.reading: Reading = composer.blocks.read(assignment)
        self.values: Values = (*(c.number for c in self.reading.contents), *map(int, self.reading.needless))
        self.notes, self.asked = Notes(), Asked()
        self.alike: dict[Chain | Pair, Alike] = {}
        self.planned: dict[Chain | Pair, Sections] = {}

    @cached_property
    def workload(self) -> Workload:
        """All operators, in their places."""
        blocks = self.composer.blocks
        contents = [self.composer.form(self, place)[1] for place in range(len(blocks.places))]
        return blocks.workload(blocks.frame(self.assignment, self.reading.needless), contents)

    @cached_property
    def flow(self) -> Flow:
        """Who makes and reads what."""
        return make_flow(self.workload)

    @cached_property
    def planner(self) -> Planner:
        """Plans, and notes what it looks at."""
        slots = self.accelerator.buffers.activation.slots
        if slots > LARGEST_ACTIVATION_SLOTS:
            raise UncomposableError(f"{slots} activation slots")
        workload, flow = noted(self.workload, self.flow, self.notes)
        return Planner(workload, asking(self.accelerator, self.asked), flow)

    @cached_property
    def sectioner(self) -> SectionPlanner:
        """Plans whole chains."""
        return SectionPlanner(self.planner, chooser(self.accelerator), preference(self.accelerator))

    def sections(self, chain: Chain | Pair) -> Sections:
        """The sections of a chain; when it is first planned, what they depend on is noted."""
        if chain not in self.planned:
            self.planned[chain] = self._sections(chain)
        return self.planned[chain]

    def _sections(self, chain: Chain | Pair) -> Sections:
        self.notes.forget()
        self.asked.forget()
        found = self.sectioner.plan(chain)
        plain = chain.chains if isinstance(chain, Pair) else (chain,)
        for index in (index for each in plain for index in each.operators):
            self.planner.tensor_bits(self.flow.operators[index].output)
        self.alike[chain] = self.asked.alike
        needs, known = self.composer.sources.of(self.notes), self.composer.needs.get(chain, frozenset())
        self.composer.needs[chain] = known | needs
        return found

    def tensor_bits(self, tensor: int) -> int:
        """All bits of a tensor."""
        return self.planner.tensor_bits(tensor)
