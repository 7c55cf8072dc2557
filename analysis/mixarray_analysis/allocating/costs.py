"""What an allocation costs: bits and BOPs are counted, cycles and energy simulated part by part.

A part is what a machine runs together: a GEMM with the vector operators around it. By itself it loads all it reads and
leaves nothing on the chip, so the sum of the parts is an estimate above the whole network's total; the two stand beside
each other in `steps.csv`. Parts of equal shape and bits are simulated once.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum

from mixarray.mapping.chains import make_chains, make_flow
from mixarray.mapping.plan import Planner
from mixarray.simulation import simulate
from mixarray.trace.model import Operator, OperatorKind, Tensor, Topology
from mixarray.trace.workload import ALL_WINDOWS, Workload
from mixarray_analysis.allocating.decisions import Layer, decisions_of
from mixarray_analysis.allocating.moves import Bits
from mixarray_analysis.search.hardware import Groups, Machine

FJ_PER_PJ = 1000
PJ_PER_UJ = 1e6


class Objective(StrEnum):
    """What a greedy saves. BITS: of weights and activations. BOPS: MACs times the bits of both operands, of the blocks.

    CYCLES, ENERGY: of the whole network on a machine, the sum of its parts.
    """

    BITS = "bits"
    BOPS = "bops"
    CYCLES = "cycles"
    ENERGY = "energy"


class Average(StrEnum):
    """How widths are averaged: every decision counts once (LAYERS), or by its elements, at batch 1 (ELEMENTS)."""

    LAYERS = "layers"
    ELEMENTS = "elements"


@dataclass(frozen=True, slots=True)
class Simulated:
    """Cycles at the array clock, and energy in fJ, whole so that sums are exact."""

    cycles: int
    energy_fj: int

    def plus(self, other: Simulated) -> Simulated:
        """The sum of two."""
        return Simulated(self.cycles + other.cycles, self.energy_fj + other.energy_fj)

    @property
    def energy_uj(self) -> float:
        """In microjoule."""
        return self.energy_fj / FJ_PER_PJ / PJ_PER_UJ


@dataclass(frozen=True, slots=True)
class Counted:
    """Bits and BOPs by counting. macs: of every layer. elements: of every decision's tensor."""

    macs: tuple[int, ...]
    elements: tuple[int, ...]
    average: Average

    def weighted_bits(self, bits: Bits) -> int:
        """The sum of widths, each as often as the average counts it."""
        return sum(width * weight for width, weight in zip(bits, self._weights, strict=True))

    def average_bits(self, bits: Bits) -> float:
        """The mean width."""
        return self.weighted_bits(bits) / sum(self._weights)

    def within(self, bits: Bits, thousandths: int) -> bool:
        """Whether the mean width is at most so many thousandths of a bit."""
        return 1000 * self.weighted_bits(bits) <= thousandths * sum(self._weights)

    def bops(self, bits: Bits) -> int:
        """MACs times both widths, over the blocks."""
        pairs = zip(self.macs, bits[::2], bits[1::2], strict=True)
        return sum(macs * first * second for macs, first, second in pairs)

    @property
    def _weights(self) -> tuple[int, ...]:
        return self.elements if self.average is Average.ELEMENTS else (1,) * len(self.elements)


def count(topology: Topology, layers: Sequence[Layer], average: Average) -> Counted:
    """The MACs and elements of these layers; ratio 0."""
    macs = {op.name: op.macs for op in topology.operators if op.kind is OperatorKind.GEMM}
    sizes = {one.name: one.batch * one.rows * one.columns for one in topology.tensors}
    elements = tuple(sizes[name] for name in decisions_of(layers))
    return Counted(tuple(macs[layer.name] for layer in layers), elements, average)


@dataclass(frozen=True, slots=True)
class Part:
    """Operators that run together. shape: a number, equal where parts differ in names alone. decisions: whose bits."""

    topology: Topology
    shape: int
    decisions: tuple[int, ...]


@dataclass(frozen=True)
class Costs:
    """Simulated costs of one network on one machine, by the widths of its decisions. groups: windows by branch."""

    machine: Machine
    groups: Groups
    layers: tuple[Layer, ...]
    parts: tuple[Part, ...]
    _known: dict[tuple[int, Bits], Simulated] = field(default_factory=dict, repr=False)
    _whole: dict[Bits, Simulated] = field(default_factory=dict, repr=False)

    def estimate(self, bits: Bits) -> Simulated:
        """The sum over all parts, each by itself."""
        total = Simulated(0, 0)
        for part in self.parts:
            total = total.plus(self.part(part, bits))
        return total

    def part(self, part: Part, bits: Bits) -> Simulated:
        """One part by itself."""
        key = part.shape, tuple(bits[decision] for decision in part.decisions)
        if key not in self._known:
            self._known[key] = self._simulated(part.topology, bits)
        return self._known[key]

    def total(self, bits: Bits) -> Simulated:
        """The whole network, simulated as one."""
        if bits not in self._whole:
            self._whole[bits] = self._simulated(self.machine.topology, bits)
        return self._whole[bits]

    def _simulated(self, topology: Topology, bits: Bits) -> Simulated:
        run = simulate(self._workload(topology, bits), self.machine.accelerator)
        return Simulated(run.execution.total_cycles, round(run.energy.total_pj * FJ_PER_PJ))

    def _workload(self, topology: Topology, bits: Bits) -> Workload:
        widths = dict(zip(decisions_of(self.layers), bits, strict=True))
        tensors = tuple(_resized(tensor, widths, self.machine.branch_bits[0]) for tensor in topology.tensors)
        return replace(self.machine, topology=Topology(topology.operators, tensors)).workload(self.groups)


def _resized(tensor: Tensor, widths: Mapping[str, int], high: int) -> Tensor:
    """A tensor at its allocated width; in the low branch it never has more than the branch."""
    width = widths.get(tensor.name)
    if width is None:
        return tensor
    limited = tensor.window_bits not in (ALL_WINDOWS, high)
    return replace(tensor, bits=min(width, tensor.window_bits) if limited else width)


def open_costs(machine: Machine, groups: Groups, layers: Sequence[Layer]) -> Costs:
    """Divide a network into the parts that the machine runs together.

    Raises InputError where the machine cannot run it at its widest.
    """
    whole = machine.workload(groups)
    flow = make_flow(whole)
    chains = make_chains(flow, Planner(whole, machine.accelerator, flow).holds_rows)
    used = tuple(grouped.operator for grouped in whole.operators)
    decisions = {name: number for number, name in enumerate(decisions_of(layers))}
    shapes: dict[Topology, int] = {}
    parts = []
    for chain in chains:
        part = _cut([used[index] for index in chain.operators], machine.topology)
        mine = tuple(dict.fromkeys(decisions[one.name] for one in part.tensors if one.name in decisions))
        parts.append(Part(part, shapes.setdefault(_nameless(part, decisions), len(shapes)), mine))
    return Costs(machine, groups, tuple(layers), tuple(parts))


def _cut(operators: Sequence[Operator], topology: Topology) -> Topology:
    """These operators, and the tensors that they read and make."""
    used = {number for op in operators for number in (*(one.tensor for one in op.inputs), op.output)}
    return Topology(tuple(operators), tuple(tensor for tensor in topology.tensors if tensor.tensor in used))


def _nameless(part: Topology, decisions: Mapping[str, int]) -> Topology:
    """The part without what two blocks of a stage differ in: names, numbers and steps; `decisions` are marked."""
    places = {number: place for place, number in enumerate(dict.fromkeys(one.tensor for one in part.tensors))}

    def operator(op: Operator) -> Operator:
        inputs = tuple(replace(one, tensor=places[one.tensor]) for one in op.inputs)
        return replace(op, operator=0, name="", block=0, inputs=inputs, output=places[op.output])

    def tensor(one: Tensor) -> Tensor:
        name = "decision" if one.name in decisions else ""
        return replace(one, tensor=places[one.tensor], name=name, step=0.0, zero_point=0)

    return Topology(tuple(map(operator, part.operators)), tuple(map(tensor, part.tensors)))
