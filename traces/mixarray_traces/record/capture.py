"""An arithmetic that notes the codes entering every multiplier, and computes with another one."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from mixarray_traces.quantization.arithmetic import Arithmetic, Calibration, Weight
from mixarray_traces.quantization.log_sqrt2 import LogSqrt2Params
from mixarray_traces.record.packing import pack_codes


class CapturingArithmetic:
    """Keeps, per activation tensor and bit width, the codes of the last call: (batch, rows, columns), int8.

    Shapes are those of the topology's tensors, cut to the group that ran: rows of the group's windows in rising window
    order. Keys are stored as `k` was produced: (windows * heads, tokens, head_dim), not transposed. Where 0 is a symbol
    beside the codes of a log-sqrt2 tensor, `zeros` holds -1 at its places and 0 elsewhere, and the code is the last
    one.
    """

    def __init__(self, inner: Arithmetic, calibration: Calibration) -> None:
        self._inner = inner
        self._activations = calibration.activations
        self.codes: dict[tuple[str, int], NDArray[np.int8]] = {}
        self.zeros: dict[tuple[str, int], NDArray[np.int8]] = {}

    def linear(self, name: str, inputs: Tensor, bits: int) -> Tensor:
        """See `Arithmetic.linear`."""
        self._keep(f"{name}.input", bits, self._codes(f"{name}.input", inputs, bits).reshape(1, -1, inputs.shape[-1]))
        return self._inner.linear(name, inputs, bits)

    def matmul(self, name: str, left: Tensor, right: Tensor, bits: int) -> Tensor:
        """See `Arithmetic.matmul`."""
        self._keep(f"{name}.left", bits, self._codes(f"{name}.left", left, bits).flatten(0, 1))
        taken = self._codes(f"{name}.right", right, bits)
        produced = taken.transpose(-2, -1) if name.endswith(".qk") else taken
        self._keep(f"{name}.right", bits, produced.flatten(0, 1))
        return self._inner.matmul(name, left, right, bits)

    def _codes(self, tensor: str, values: Tensor, bits: int) -> Tensor:
        """Codes of a whole operand: a step per position needs it in its own shape."""
        return self._activations[tensor, bits].codes(values)

    def _keep(self, tensor: str, bits: int, found: Tensor) -> None:
        quantizer, codes = self._activations[tensor, bits], found.contiguous().numpy()
        if isinstance(quantizer, LogSqrt2Params) and quantizer.flags_zero:
            self.zeros[tensor, bits] = -(codes == quantizer.zero_code).astype(np.int8)
            codes = np.minimum(codes, quantizer.zero_code - 1)
        self.codes[tensor, bits] = codes.astype(np.int8)


def packed(codes: Mapping[tuple[str, int], NDArray[np.int8]]) -> dict[str, NDArray[np.generic]]:
    """What goes into a file: `<tensor>@<bits>`, packed, and its `.shape`."""
    found: dict[str, NDArray[np.generic]] = {}
    for (name, bits), values in codes.items():
        found[f"{name}@{bits}"] = pack_codes(values, bits)
        found[f"{name}@{bits}.shape"] = np.array(values.shape, np.int64)
    return found


def packed_zeros(zeros: Mapping[tuple[str, int], NDArray[np.int8]]) -> dict[str, NDArray[np.generic]]:
    """What goes into a file: `<tensor>@<bits>.zeros`, one bit per element, 1 where the value is 0 whatever its code."""
    return {f"{name}@{bits}.zeros": pack_codes(values, 1) for (name, bits), values in zeros.items()}


def packed_weights(weights: Mapping[str, Weight], calibration: Calibration) -> dict[str, NDArray[np.generic]]:
    """Codes (1, inputs, outputs) of every weight like `packed`, their `.steps` per output channel, and `.zero_points`.

    Symmetric weights have no zero points.
    """
    codes: dict[tuple[str, int], NDArray[np.int8]] = {}
    beside: dict[str, NDArray[np.generic]] = {}
    for name, weight in weights.items():
        quantizer = calibration.weights[name]
        matrix = quantizer.codes(weight.matrix).T.unsqueeze(0)
        codes[f"{name}.weight", quantizer.bits] = matrix.contiguous().numpy().astype(np.int8)
        beside[f"{name}.weight.steps"] = quantizer.steps.numpy()
        if quantizer.zero_points is not None:
            beside[f"{name}.weight.zero_points"] = quantizer.zero_points.numpy()
    return packed(codes) | beside


def position_steps(calibration: Calibration) -> dict[str, NDArray[np.generic]]:
    """`<tensor>@<bits>.steps`, float64, of activations with a step per position (rows, 1) or per channel (1, columns).

    Shapes are those of the product: keys enter it transposed. The topology states the mean of such steps.
    """
    return {
        f"{name}@{bits}.steps": quantizer.step.numpy()
        for (name, bits), quantizer in sorted(calibration.activations.items(), key=lambda entry: entry[0])
        if isinstance(quantizer.step, Tensor)
    }
