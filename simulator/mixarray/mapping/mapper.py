"""Chooses how every GEMM of a workload is laid on the machine; equal questions are answered once.

Two chains (or parts of one) are equal if their demands are, on the same array of an equal accelerator.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from mixarray.accelerator.model import Accelerator
from mixarray.errors import InputError
from mixarray.mapping.bound import Bounds
from mixarray.mapping.build import lower_alone, lower_form
from mixarray.mapping.chain_plan import ChainPlan
from mixarray.mapping.chains import Chain
from mixarray.mapping.choice import Choice
from mixarray.mapping.chosen import IllegalChoiceError
from mixarray.mapping.demand import Demand, demand_of
from mixarray.mapping.forms import Contest, Form, FormName, Prefer
from mixarray.mapping.plan import Planner
from mixarray.mapping.schedule import Schedule
from mixarray.mapping.search import Evaluate, Found, search
from mixarray.mapping.section_plan import Choose
from mixarray.mapping.space import Space

Question = tuple[str, int, Demand]
"""(everything of an accelerator that matters, array, demand)"""

IRRELEVANT = {"name", "description", "sources"}


@dataclass(frozen=True, slots=True)
class Preferred:
    """How a contest of forms went: the cycles of each alone, in their order, and the number of the best."""

    names: tuple[FormName, ...]
    cycles: tuple[int, ...]
    best: int


@dataclass
class Mapper:
    """Searches, and remembers what it found for as long as it lives."""

    found: dict[Question, Found] = field(default_factory=dict)
    fixed: dict[Question, int] = field(default_factory=dict)
    preferred: dict[tuple[Question, ...], Preferred] = field(default_factory=dict)
    machines: dict[int, tuple[Accelerator, str]] = field(default_factory=dict)

    def choose(self, evaluate: Evaluate) -> Choose:
        """Chooses for `build_schedule`: the best of the whole space."""

        def chosen(planner: Planner, chain: Chain) -> Choice:
            return self.best(planner, chain, evaluate)

        return chosen

    def best(self, planner: Planner, chain: Chain, evaluate: Evaluate) -> Choice:
        """The best choice. Raises InputError where no point of the space fits the buffers."""
        assert chain.gemm is not None
        found = self.search(planner, chain, evaluate)
        if found.best is None:
            name = planner.flow.operators[chain.gemm].name
            message = f"no tile sizes at fold multiples lay {name!r} out in these buffers; give more capacity_kib"
            raise InputError(planner.accelerator.name, message, "buffers")
        return found.best.choice

    def prefer(self, evaluate: Evaluate) -> Prefer:
        """Decides for `build_schedule` between forms: by cycles alone, then traffic, energy, and their order."""

        def preferred(contest: Contest) -> Form:
            return contest.forms[self.compare(contest, evaluate).best]

        return preferred

    def compare(self, contest: Contest, evaluate: Evaluate) -> Preferred:
        """The outcome of a contest."""
        question = tuple(self._question(planner, chain) for planner, chain in contest.parts)
        if question not in self.preferred:
            self.preferred[question] = _compare(contest, evaluate)
        return self.preferred[question]

    def search(self, planner: Planner, chain: Chain, evaluate: Evaluate) -> Found:
        """The outcome of the search for one chain (or the part of it that `planner` plans)."""
        question = self._question(planner, chain)
        if question not in self.found:
            self.found[question] = self._search(planner, chain, question[2], evaluate)
        return self.found[question]

    def fixed_cycles(self, planner: Planner, chain: Chain, plan: ChainPlan, evaluate: Evaluate) -> int:
        """Cycles of the fixed form alone."""
        question = self._question(planner, chain)
        if question not in self.fixed:
            self.fixed[question] = evaluate.cycles(lower_alone(planner.accelerator, plan))
        return self.fixed[question]

    def _search(self, planner: Planner, chain: Chain, demand: Demand, evaluate: Evaluate) -> Found:
        def lower(choice: Choice) -> Schedule | None:
            try:
                plan = planner.plan(chain, choice)
            except IllegalChoiceError:
                return None
            return lower_alone(planner.accelerator, plan)

        return search(Bounds(Space(demand, planner.amounts.cuts)), lower, evaluate)

    def _question(self, planner: Planner, chain: Chain) -> Question:
        return self._machine(planner.accelerator), planner.array, demand_of(planner, chain)

    def _machine(self, accelerator: Accelerator) -> str:
        """The accelerator as text; written once for each object."""
        known = self.machines.get(id(accelerator))
        if known is None or known[0] is not accelerator:
            shares = accelerator.buffers.activation.capacity_bits, accelerator.buffers.weight.capacity_bits
            known = accelerator, f"{accelerator.model_dump_json(exclude=IRRELEVANT)} {shares}"
            self.machines[id(accelerator)] = known
        return known[1]


def _compare(contest: Contest, evaluate: Evaluate) -> Preferred:
    planner = contest.parts[0][0]
    schedules = [lower_form(planner, form.sections) for form in contest.forms]
    judged = [(evaluate.cycles(schedule), evaluate.traffic_bits(schedule)) for schedule in schedules]
    equal = [number for number, other in enumerate(judged) if other == min(judged)]
    best = equal[0] if len(equal) == 1 else min(equal, key=lambda number: evaluate.energy_pj(schedules[number]))
    return Preferred(tuple(form.name for form in contest.forms), tuple(cycles for cycles, _ in judged), best)
