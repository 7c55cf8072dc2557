"""Plans chains: in the fixed form, or as a choice says."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from mixarray.accelerator.model import Accelerator
from mixarray.mapping.chain_amounts import Amounts
from mixarray.mapping.chain_plan import ChainPlan
from mixarray.mapping.chains import Chain, Flow
from mixarray.mapping.choice import Choice
from mixarray.mapping.chosen import ChosenForm
from mixarray.mapping.cuts import Cuts
from mixarray.mapping.fixed import FixedForm
from mixarray.mapping.parts import sections
from mixarray.trace.workload import Workload


@dataclass(frozen=True)
class Planner:
    """Plans chains of one workload for array number `array` of one accelerator.

    groups: those of a chain's GEMM that the plan is for (None: all).
    """

    workload: Workload
    accelerator: Accelerator
    flow: Flow
    array: int = 0
    groups: tuple[int, ...] | None = None

    @cached_property
    def amounts(self) -> Amounts:
        """What the operators move and compute in all."""
        return Amounts(self.workload, self.accelerator, self.flow, self.array, self.groups)

    def holds_rows(self, gemm: int) -> bool:
        """Whether an accumulator slot holds whole rows of a GEMM: all of a tile, or enough to hide a weight load.

        It has to on all arrays that the GEMM runs on.
        """
        op, groups = self.flow.operators[gemm], self.workload.operators[gemm].groups
        parts = (part for section in sections(groups, self.accelerator) for part in section)
        arrays = [Cuts(self.accelerator, part.array) for part in parts]
        return all(cuts.stripe_rows(op.n, True) >= min(op.m, cuts.fold_rows) for cuts in arrays)

    def legal(self, chain: Chain, choice: Choice) -> str | None:
        """Why `choice` cannot lay out the GEMM of a chain; None if it can."""
        return ChosenForm(self.amounts).reason(chain, choice)

    def plan(self, chain: Chain, choice: Choice | None = None) -> ChainPlan:
        """Loops and amounts of one chain, in the fixed form or as `choice` says.

        Raises InputError if the fixed form's smallest part that moves at once is larger than a slot, IllegalChoiceError
        where `legal` has a reason.
        """
        return FixedForm(self.amounts).plan(chain) if choice is None else ChosenForm(self.amounts).plan(chain, choice)

    def tensor_bits(self, tensor: int) -> int:
        """All bits of a tensor in this workload."""
        return self.amounts.tensor_bits(tensor)

    def is_weight(self, index: int) -> bool:
        """Whether the stationary operand of a GEMM is a weight, shared by all of its rows."""
        return self.amounts.is_weight(index)
