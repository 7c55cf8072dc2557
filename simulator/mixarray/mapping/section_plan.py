"""Plans chains as sections: every part by itself, those that run together for their share of the buffers."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace

from mixarray.accelerator.model import Accelerator
from mixarray.errors import InputError
from mixarray.mapping.chains import Chain
from mixarray.mapping.choice import Choice
from mixarray.mapping.fused_plan import FusedForm, Planned, members
from mixarray.mapping.pairs import Pair
from mixarray.mapping.parts import Part, Section, halved, sections
from mixarray.mapping.plan import Planner

Choose = Callable[[Planner, Chain], Choice | None]
"""Says how a part of a chain's GEMM is laid on the machine; None: the fixed form."""


@dataclass(slots=True)
class SectionPlanner:
    """Plans the chains of one workload. known: planners by their part and the buffers that it sees."""

    planner: Planner
    choose: Choose | None
    known: dict[tuple[Part, int, int], Planner] = field(default_factory=dict)

    def plan(self, chain: Chain | Pair) -> tuple[tuple[Planned, ...], ...]:
        """The sections of one chain, or of a pair.

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
        return tuple(self._section(chain, section) for section in found.pop())

    def _sections(self, gemm: int) -> tuple[Section, ...]:
        return sections(self.planner.workload.operators[gemm].groups, self.planner.accelerator)

    def _section(self, chain: Chain | Pair, section: Section) -> tuple[Planned, ...]:
        accelerator = self.planner.accelerator
        if len(section) == 1:
            return self._parts(chain, section, accelerator)
        slot = accelerator.buffers.weight.slot_bits
        if all(self.planner.amounts.weight_bits(each) <= slot for each in _chains(chain)):
            plans = self._parts(chain, section, halved(accelerator, weights=False))
            if not members(plans[0])[0].weight_bits or _one_fetch(plans):
                return plans
        return self._parts(chain, section, halved(accelerator, weights=True))

    def _parts(self, chain: Chain | Pair, section: Section, accelerator: Accelerator) -> tuple[Planned, ...]:
        return tuple(self._part(chain, self._planner(part, accelerator)) for part in section)

    def _part(self, chain: Chain | Pair, planner: Planner) -> Planned:
        """Fused pairs have the fixed form."""
        if isinstance(chain, Pair):
            return FusedForm(planner.amounts).plan(chain)
        return planner.plan(chain, None if self.choose is None else self.choose(planner, chain))

    def _planner(self, part: Part, accelerator: Accelerator) -> Planner:
        buffers = accelerator.buffers
        key = part, buffers.activation.capacity_kib, buffers.weight.capacity_kib
        if key not in self.known:
            self.known[key] = replace(self.planner, accelerator=accelerator, array=part.array, groups=part.groups)
        return self.known[key]


def _chains(chain: Chain | Pair) -> tuple[Chain, ...]:
    return chain.chains if isinstance(chain, Pair) else (chain,)


def _one_fetch(plans: tuple[Planned, ...]) -> bool:
    """Whether one slot of weights can serve all of these plans; for a pair, one slot for each of its chains."""
    parts = list(zip(*(members(plan) for plan in plans), strict=True))
    whole = all(plan.holding.weights_whole and plan.holding.weight_slots == 1 for part in parts for plan in part)
    return whole and all(len({plan.weight_bits for plan in part}) == 1 for part in parts)
