"""GEMMs without a model: one alone, or a list of them one after the other."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from hashlib import sha256

from mixarray.errors import InputError
from mixarray.trace.model import Tensor
from mixarray.trace.workload import RESULT_BITS, GroupedOperator, Workload, single_gemm

MOST_BITS = 32


@dataclass(frozen=True, slots=True)
class Gemm:
    """Activations (m, k) times weights (k, n), whose results are requantized to `result_bits`.

    Raises InputError naming the field that is no whole number, or out of its range.
    """

    m: int
    n: int
    k: int
    activation_bits: int
    weight_bits: int
    result_bits: int = RESULT_BITS
    name: str = "gemm"

    def __post_init__(self) -> None:
        for field in ("m", "n", "k"):
            _check(field, getattr(self, field), None)
        for field in ("activation_bits", "weight_bits", "result_bits"):
            _check(field, getattr(self, field), MOST_BITS)
        if not isinstance(self.name, str):
            raise InputError("Gemm", f"{self.name!r} is no text", "name")

    @property
    def text(self) -> str:
        """What it is in words, without its name."""
        shape = f"{self.m}x{self.n}x{self.k}"
        return f"GEMM {shape}, {self.activation_bits}x{self.weight_bits} bits to {self.result_bits}"

    def workload(self) -> Workload:
        """It alone."""
        return single_gemm(self.m, self.n, self.k, self.activation_bits, self.weight_bits, self.result_bits)


def _check(field: str, value: object, most: int | None) -> None:
    if not isinstance(value, int) or isinstance(value, bool) or value < 1 or (most is not None and value > most):
        allowed = "integers from 1" if most is None else f"integers from 1 to {most}"
        raise InputError("Gemm", f"{value!r} is not possible; allowed: {allowed}", field)


def gemms_workload(name: str, gemms: Iterable[Gemm]) -> Workload:
    """The GEMMs as one workload, as `in_order` puts them."""
    return in_order(name, ((gemm.name, gemm.workload()) for gemm in gemms))


def gemms_sha256(gemms: Iterable[Gemm]) -> str:
    """Identity of a list of GEMMs: shapes, bits, names and their order."""
    return sha256("".join(f"{gemm.name}: {gemm.text}\n" for gemm in gemms).encode()).hexdigest()


def in_order(name: str, parts: Iterable[tuple[str, Workload]]) -> Workload:
    """Named workloads of one GEMM each as one: one after the other, each with tensors of its own.

    Nothing is said of how they feed each other, so nothing stays on the chip between them.
    """
    operators: list[GroupedOperator] = []
    tensors: dict[tuple[int, int], Tensor] = {}
    for number, (label, alone) in enumerate(parts):
        first = len(tensors)
        (grouped,) = alone.operators
        inputs = tuple(replace(entry, tensor=first + entry.tensor) for entry in grouped.operator.inputs)
        operator = replace(
            grouped.operator, operator=number, name=label, inputs=inputs, output=first + grouped.operator.output
        )
        operators.append(replace(grouped, operator=operator))
        for (index, bits), tensor in alone.tensors.items():
            tensors[first + index, bits] = replace(tensor, tensor=first + index, name=f"{label}.{tensor.name}")
    return Workload(name, tuple(operators), tensors, window_rows=1)
