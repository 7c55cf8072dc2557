"""Uniform workloads to compare with: the same model at one precision, from the topology of a bundle."""

from __future__ import annotations

from dataclasses import replace

from mixarray.errors import InputError
from mixarray.trace.bundle import Bundle
from mixarray.trace.model import Operand, Role, Tensor, Topology, Variation
from mixarray.trace.workload import Assignment, WindowCount, Workload, build_workload


def ratio_zero_workload(bundle: Bundle) -> Workload:
    """The default baseline: every window at the high activation bits, weights as recorded."""
    return uniform_workload(bundle, bundle.manifest.activation_bits_high, bundle.manifest.weight_bits)


def uniform_workload(bundle: Bundle, activation_bits: int, weight_bits: int) -> Workload:
    """The bundle's model with all windows at `activation_bits` and block weights of `weight_bits` (W8A8, W4A8, ...).

    Operators outside the blocks keep their bits. No window is pruned. Raises InputError for impossible bits.
    """
    for label, bits in (("activation bits", activation_bits), ("weight bits", weight_bits)):
        if not 1 <= bits <= 32:
            raise InputError("baseline", f"{bits} is not possible; allowed: 1 to 32", label)
    topology = _at(bundle.topology, activation_bits, weight_bits)
    name = f"{bundle.manifest.model} W{weight_bits}A{activation_bits}"
    return build_workload(name, topology, _all_windows(bundle, activation_bits), bundle.manifest.window_size**2)


def _at(topology: Topology, activation_bits: int, weight_bits: int) -> Topology:
    """The topology with block weights of `weight_bits` and every varying tensor at `activation_bits` alone."""
    in_blocks = {
        entry.tensor
        for op in topology.operators
        if op.in_block
        for entry in op.inputs
        if entry.operand is Operand.STATIONARY
    }
    tensors: dict[tuple[int, int], Tensor] = {}
    for tensor in topology.tensors:
        bits = tensor.bits
        if tensor.variation is not Variation.NONE and tensor.role is Role.ACTIVATION:
            bits = activation_bits
        elif tensor.role is Role.WEIGHT and tensor.tensor in in_blocks:
            bits = weight_bits
        key = tensor.tensor, bits
        if key not in tensors or tensor.bits == bits:
            tensors[key] = replace(tensor, bits=bits)
    return Topology(topology.operators, tuple(tensors.values()))


def _all_windows(bundle: Bundle, bits: int) -> Assignment:
    """Every window of the first image at `bits`: sizes are the same for all images."""
    return {
        block: (WindowCount(bits, sum(c.windows for c in counts), sum(c.tokens for c in counts)),)
        for block, counts in bundle.assignment(0).items()
    }
