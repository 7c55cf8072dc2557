"""An arithmetic that notes the codes entering every multiplier, and computes with another one."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from mixarray_traces.quantization.affine import quantize, quantize_weight
from mixarray_traces.quantization.arithmetic import Arithmetic, Calibration, Weight
from mixarray_traces.record.packing import pack_codes


class CapturingArithmetic:
    """Keeps, per activation tensor and bit width, the codes of the last call: (batch, rows, columns), int8.

    Shapes are those of the topology's tensors, cut to the group that ran: rows of the group's windows in rising window
    order. Keys are stored as `k` was produced: (windows * heads, tokens, head_dim), not transposed.
    """

    def __init__(self, inner: Arithmetic, calibration: Calibration) -> None:
        self._inner = inner
        self._activations = calibration.activations
        self.codes: dict[tuple[str, int], NDArray[np.int8]] = {}

    def linear(self, name: str, inputs: Tensor, bits: int) -> Tensor:
        """See `Arithmetic.linear`."""
        self._keep(f"{name}.input", inputs.reshape(1, -1, inputs.shape[-1]), bits)
        return self._inner.linear(name, inputs, bits)

    def matmul(self, name: str, left: Tensor, right: Tensor, bits: int) -> Tensor:
        """See `Arithmetic.matmul`."""
        self._keep(f"{name}.left", left.flatten(0, 1), bits)
        produced = right.transpose(-2, -1) if name.endswith(".qk") else right
        self._keep(f"{name}.right", produced.flatten(0, 1), bits)
        return self._inner.matmul(name, left, right, bits)

    def _keep(self, tensor: str, values: Tensor, bits: int) -> None:
        codes = quantize(values, self._activations[tensor, bits])
        self.codes[tensor, bits] = codes.contiguous().numpy().astype(np.int8)


def packed(codes: Mapping[tuple[str, int], NDArray[np.int8]]) -> dict[str, NDArray[np.generic]]:
    """What goes into a file: `<tensor>@<bits>`, packed, and its `.shape`."""
    found: dict[str, NDArray[np.generic]] = {}
    for (name, bits), values in codes.items():
        found[f"{name}@{bits}"] = pack_codes(values, bits)
        found[f"{name}@{bits}.shape"] = np.array(values.shape, np.int64)
    return found


def packed_weights(weights: Mapping[str, Weight], calibration: Calibration) -> dict[str, NDArray[np.generic]]:
    """Codes (1, inputs, outputs) of every weight like `packed`, and their `.steps` per output channel."""
    codes, steps = {}, {}
    for name, weight in weights.items():
        params = calibration.weights[name]
        matrix = quantize_weight(weight.matrix, params).T.unsqueeze(0)
        codes[f"{name}.weight", params.bits] = matrix.contiguous().numpy().astype(np.int8)
        steps[f"{name}.weight.steps"] = params.steps.numpy()
    return packed(codes) | steps
