"""The contract of every quantizer, and how a method says what it chose.

What the arithmetic, the store and the recorder ask of a quantizer is written here; each kind is a class of its own:

    affine.AffineParams                 activations, one step and integer zero point          (Encoding.INT)
    fractional.FractionalParams         RepQ-ViT as published: a zero point that is no integer (measured only)
    log_sqrt2.LogSqrt2Params            softmax outputs, powers of 1/sqrt(2)                   (Encoding.LOG_SQRT2)
    two_region.TwoRegionParams          behind a GELU or a softmax, a flag and a magnitude     (Encoding.TWO_REGION)
    interval.IntervalParams             softmax outputs, uniform on a learned interval        (Encoding.INTERVAL)
    lsq.LsqParams                       activations, learned steps, per position or channel    (Encoding.INT)
    affine.WeightParams                 weights, symmetric, a step per output                  (Encoding.INT)
    asymmetric.AsymmetricWeightParams   weights, a step and integer zero point per output      (Encoding.INT)
    statsq.StatsqParams                 weights, half-integers, a step per output              (Encoding.HALF_INT)

A new kind is a frozen dataclass that fulfils a protocol below, plus an entry in `kinds.py`, which saves and reads it.

Values are step * multiplicand. A multiplicand is what a multiplier sees after all offsets are taken off:
code - zero_point for INT, code + 1/2 for HALF_INT (StatsQ of OFQ: offset -1/2), 0 or a power of 1/sqrt(2) for
LOG_SQRT2, plus or minus a magnitude or a magnitude shifted for TWO_REGION, code - offset with a real offset for
INTERVAL. Fake quantization multiplies multiplicands in floating point. Integer execution multiplies the integer `terms`
and takes the offsets off through row and column sums.

Steps may be tensors (LSQ per window position, OFQ): a step must have size 1 along the summed dimension of its operand
and otherwise broadcast with it, so that it can be taken out of the sum. For `<name>.input` (windows, positions, K) that
is (positions, 1); for a left operand (..., M, K) it is (M, 1); for a right one (..., K, N) it is (1, N). The inputs of
the MLP are (tokens, K) of real tokens alone: they have no position, so their step is one number. LSQ may add a vector
to its values besides: the arithmetic folds it into the bias of a linear operator (`lsq.bias_with`).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol, runtime_checkable

from torch import Tensor

from mixarray.trace.model import Encoding


@dataclass(frozen=True, slots=True)
class Term:
    """Integers that enter a multiplier: `codes` (float64, integer-valued), worth `factor` steps each."""

    factor: float
    codes: Tensor


@runtime_checkable
class ActivationQuantizer(Protocol):
    """The quantizer of one activation tensor at one bit width."""

    @property
    def bits(self) -> int:
        """Width of a code."""
        ...

    @property
    def encoding(self) -> Encoding:
        """How a code becomes a value."""
        ...

    @property
    def step(self) -> float | Tensor:
        """Value of multiplicand 1; a tensor broadcasts as the module says."""
        ...

    @property
    def zero_point(self) -> int:
        """The zero point that a trace states: HALF_INT: 0; LOG_SQRT2: the code of exponent 0; INTERVAL: that of b1."""
        ...

    @property
    def offset(self) -> float:
        """What sums of codes must be corrected for: value = step * sum of factor * (code - offset) over all `terms`.

        0 needs no correction.
        """
        ...

    def codes(self, values: Tensor) -> Tensor:
        """Signed codes of `bits` bits, as integers in the dtype of `values`."""
        ...

    def multiplicands(self, values: Tensor) -> Tensor:
        """The quantized values in units of the step, in the dtype of `values`."""
        ...

    def terms(self, values: Tensor) -> tuple[Term, ...]:
        """What enters the multiplier: one term, but even and odd exponents apart for LOG_SQRT2."""
        ...


@runtime_checkable
class WeightQuantizer(Protocol):
    """The quantizer of one weight matrix (outputs, inputs)."""

    @property
    def bits(self) -> int:
        """Width of a code."""
        ...

    @property
    def encoding(self) -> Encoding:
        """How a code becomes a value."""
        ...

    @property
    def steps(self) -> Tensor:
        """Steps per output, float64 (outputs,)."""
        ...

    @property
    def zero_points(self) -> Tensor | None:
        """Integer zero points per output, int64 (outputs,), or None where all are 0 (symmetric, HALF_INT)."""
        ...

    @property
    def offsets(self) -> Tensor | None:
        """What the sums must be corrected for per output, float64 (outputs,): a row sum of the activations at run time.

        The zero points; -1/2 for HALF_INT; None where nothing is to be corrected.
        """
        ...

    def codes(self, matrix: Tensor) -> Tensor:
        """Signed codes of `bits` bits, as integers in the dtype of `matrix`."""
        ...

    def multiplicands(self, matrix: Tensor) -> Tensor:
        """The quantized weights in units of their step, in the dtype of `matrix`."""
        ...
