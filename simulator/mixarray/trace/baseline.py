"""Workloads to compare with: the same model with all windows in the high branch, or all of it at one precision."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

from mixarray.errors import InputError
from mixarray.trace.bundle import Bundle
from mixarray.trace.model import Operand, Role, Tensor, Topology, Variation
from mixarray.trace.workload import Assignment, WindowCount, Workload, build_workload


def ratio_zero_workload(bundle: Bundle) -> Workload:
    """The default baseline: every window in the high branch, all layers at their own bits.

    Where no layer has bits of its own, that is the uniform model at the manifest's high bits.
    """
    manifest = bundle.manifest
    high = manifest.activation_bits_high
    if not has_layer_bits(bundle):
        return uniform_workload(bundle, high, manifest.weight_bits)
    name = f"{manifest.model} ratio 0"
    return build_workload(name, bundle.topology, _all_windows(bundle, high), manifest.window_size**2)


def has_layer_bits(bundle: Bundle) -> bool:
    """Whether some layers have bits of their own: then ratio 0 is no uniform precision."""
    return bundle.manifest.allocation is not None


def uniform_workload(bundle: Bundle, activation_bits: int, weight_bits: int) -> Workload:
    """The bundle's model with all windows at `activation_bits` and block weights of `weight_bits` (W8A8, W4A8, ...).

    Bits of their own that layers of the blocks have are left out: a uniform precision stands for a model without them.
    Operators outside the blocks keep theirs. No window is pruned. Raises InputError for impossible bits.
    """
    for label, bits in (("activation bits", activation_bits), ("weight bits", weight_bits)):
        if not 1 <= bits <= 32:
            raise InputError("baseline", f"{bits} is not possible; allowed: 1 to 32", label)
    topology = _at(bundle.topology, activation_bits, weight_bits)
    name = f"{bundle.manifest.model} W{weight_bits}A{activation_bits}"
    return build_workload(name, topology, _all_windows(bundle, activation_bits), bundle.manifest.window_size**2)


def mean_weight_bits(bundle: Bundle) -> Fraction:
    """Bits of the blocks' weights, each counted as often as it multiplies an activation bit at ratio 0.

    Where no layer has bits of its own, those of the manifest.
    """
    workload = ratio_zero_workload(bundle)
    weights = {number for (number, _), tensor in workload.tensors.items() if tensor.role is Role.WEIGHT}
    products = bit_products = 0
    for grouped in workload.operators:
        op = grouped.operator
        if op.in_block and any(entry.tensor in weights for entry in op.inputs):
            for group in grouped.groups:
                bits = group.batch * group.rows * op.n * op.k * group.stream_bits
                products, bit_products = products + bits, bit_products + bits * group.stationary_bits
    return Fraction(bit_products, products)


def _at(topology: Topology, activation_bits: int, weight_bits: int) -> Topology:
    """The topology with block weights of `weight_bits` and every varying tensor at `activation_bits` alone."""
    in_blocks = {
        entry.tensor
        for op in topology.operators
        if op.in_block
        for entry in op.inputs
        if entry.operand is Operand.STATIONARY
    }
    weights = [one for one in topology.tensors if one.role is Role.WEIGHT and one.tensor in in_blocks]
    own_weights = all(one.bits == weight_bits for one in weights)
    tensors: dict[tuple[int, int], Tensor] = {}
    for tensor in topology.tensors:
        bits, window_bits = tensor.bits, tensor.window_bits
        if tensor.variation is not Variation.NONE and tensor.role is Role.ACTIVATION:
            bits = window_bits = activation_bits
        elif tensor.role is Role.WEIGHT and tensor.tensor in in_blocks:
            bits = weight_bits
        key = tensor.tensor, window_bits
        if key not in tensors or tensor.bits == bits:
            # found for the model's own bits of both operands, and no part of what a shift costs
            shift = tensor.region_shift if own_weights and bits == tensor.bits else 0
            tensors[key] = replace(tensor, bits=bits, window_bits=window_bits, region_shift=shift)
    return Topology(topology.operators, tuple(tensors.values()))


def _all_windows(bundle: Bundle, bits: int) -> Assignment:
    """Every window of the first image at `bits`: sizes are the same for all images."""
    return {
        block: (WindowCount(bits, sum(c.windows for c in counts), sum(c.tokens for c in counts)),)
        for block, counts in bundle.assignment(0).items()
    }
