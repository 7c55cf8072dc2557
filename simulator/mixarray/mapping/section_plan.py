"""Plans chains as sections: every part by itself, those that run together for their share of the buffers."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace

from mixarray.accelerator.model import Accelerator
from mixarray.errors import InputError
from mixarray.mapping.chains import Chain
from mixarray.mapping.choice import Choice
from mixarray.mapping.forms import Contest, Form, FormName, Prefer, Sections
from mixarray.mapping.fused_plan import FusedForm, Planned, members
from mixarray.mapping.pairs import Pair
from mixarray.mapping.parts import Part, Section, halved, sections, told_of_halves
from mixarray.mapping.plan import Planner

Choose = Callable[[Planner, Chain], Choice | None]
"""Says how a part of a chain's GEMM is laid on the machine; None: the fixed form."""


@dataclass(slots=True)
class SectionPlanner:
    """Plans the chains of one workload. known: planners by their part and its shares of both buffers.

    prefer: decides where there are several forms; without it there is one: chains as `choose` has them, pairs fused.
    """

    planner: Planner
    choose: Choose | None
    prefer: Prefer | None = None
    known: dict[tuple[Part, int, int], Planner] = field(default_factory=dict)

    def plan(self, chain: Chain | Pair) -> Sections:
        """The sections of one chain, or of a pair, in the form that is preferred.

        Raises InputError as `Planner.plan` and `FusedForm.plan` do, and if no array serves an operand of the GEMM, or
        the chains of a pair run on different arrays. A pair that need not be fused is not where that is refused.
        """
        if isinstance(chain, Pair) and chain.optional:
            apart = tuple(section for each in chain.chains for section in self.plan(each))
            fused = self._if_possible(chain)
            return apart if fused is None else self._best(chain, {FormName.LAYERWISE: apart, FormName.FUSED: fused})
        searched = self._plan(chain, self.choose)
        if self.prefer is None or isinstance(chain, Pair) or all(len(section) == 1 for section in searched):
            return searched
        return self._best(chain, {FormName.EXHAUSTIVE: searched, FormName.FIXED: self._plan(chain, None)})

    def _best(self, chain: Chain | Pair, forms: dict[FormName, Sections]) -> Sections:
        """The preferred form."""
        assert self.prefer is not None  # without it nothing is optional
        parts = tuple(
            (self._planner(part, self.planner.accelerator), each)
            for each in _chains(chain)
            for section in self._sections(_gemm(each))
            for part in section
        )
        return self.prefer(Contest(parts, tuple(Form(name, sections) for name, sections in forms.items()))).sections

    def _if_possible(self, pair: Pair) -> Sections | None:
        """The sections of a fused pair; None where it cannot be fused."""
        try:
            return self._plan(pair, None)
        except InputError:
            return None

    def _plan(self, chain: Chain | Pair, choose: Choose | None) -> Sections:
        """The sections of one chain, or of a fused pair.

        Raises InputError as `Planner.plan` and `FusedForm.plan` do, and if no array serves an operand of the GEMM, or
        the chains of a pair run on different arrays.
        """
        gemms = chain.gemms if isinstance(chain, Pair) else (chain.gemm,)
        found = {self._sections(gemm) for gemm in gemms if gemm is not None}
        if not found:
            return tuple((self.planner.plan(part),) for part in _chains(chain))
        if len(found) > 1:
            message = "fused: the products of a pair run on different arrays; allowed there: layerwise"
            raise InputError(self.planner.accelerator.name, message, "mapping")
        return tuple(self._section(chain, section, choose) for section in found.pop())

    def _sections(self, gemm: int) -> tuple[Section, ...]:
        return sections(self.planner.workload.operators[gemm].groups, self.planner.accelerator)

    def _section(self, chain: Chain | Pair, section: Section, choose: Choose | None) -> tuple[Planned, ...]:
        accelerator = self.planner.accelerator
        if len(section) == 1:
            return self._parts(chain, section, accelerator, choose)
        buffer = accelerator.buffers.weight
        if all(buffer.slot_holds(self.planner.amounts.weight_bits(each)) for each in _chains(chain)):
            plans = self._parts(chain, section, halved(accelerator, weights=False), choose)
            if not members(plans[0])[0].weight_bits or _one_fetch(plans):
                return plans
        return self._parts(chain, section, halved(accelerator, weights=True), choose)

    def _parts(
        self, chain: Chain | Pair, section: Section, accelerator: Accelerator, choose: Choose | None
    ) -> tuple[Planned, ...]:
        return tuple(self._part(chain, self._planner(part, accelerator), choose) for part in section)

    def _part(self, chain: Chain | Pair, planner: Planner, choose: Choose | None) -> Planned:
        """Fused pairs have the fixed form."""
        try:
            if isinstance(chain, Pair):
                return FusedForm(planner.amounts).plan(chain)
            return planner.plan(chain, None if choose is None else choose(planner, chain))
        except InputError as error:
            raise told_of_halves(error, self.planner.accelerator, planner.accelerator) from None

    def _planner(self, part: Part, accelerator: Accelerator) -> Planner:
        buffers = accelerator.buffers
        key = part, buffers.activation.shares, buffers.weight.shares
        if key not in self.known:
            self.known[key] = replace(self.planner, accelerator=accelerator, array=part.array, groups=part.groups)
        return self.known[key]


def _chains(chain: Chain | Pair) -> tuple[Chain, ...]:
    return chain.chains if isinstance(chain, Pair) else (chain,)


def _gemm(chain: Chain) -> int:
    assert chain.gemm is not None  # only these have several forms
    return chain.gemm


def _one_fetch(plans: tuple[Planned, ...]) -> bool:
    """Whether one slot of weights can serve all of these plans; for a pair, one slot for each of its chains."""
    parts = list(zip(*(members(plan) for plan in plans), strict=True))
    whole = all(plan.holding.weights_whole and plan.holding.weight_slots == 1 for part in parts for plan in part)
    return whole and all(len({plan.weight_bits for plan in part}) == 1 for part in parts)
