"""An arithmetic that notes the codes entering every multiplier, and computes with another one."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from mixarray.trace.model import Encoding
from mixarray_traces.quantization.allocation import in_block
from mixarray_traces.quantization.arithmetic import Arithmetic, Calibration, Weight
from mixarray_traces.quantization.log_sqrt2 import LogSqrt2Params
from mixarray_traces.quantization.side_names import input_of
from mixarray_traces.record.packing import pack_codes


class CapturingArithmetic:
    """Keeps, per activation tensor and branch, the codes of the last call: (batch, rows, columns), int8.

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

    def linear(self, name: str, inputs: Tensor, branch: int) -> Tensor:
        """See `Arithmetic.linear`."""
        codes = self._codes(input_of(name), inputs, branch)
        self._keep(input_of(name), branch, codes.reshape(1, -1, inputs.shape[-1]))
        return self._inner.linear(name, inputs, branch)

    def matmul(self, name: str, left: Tensor, right: Tensor, branch: int) -> Tensor:
        """See `Arithmetic.matmul`."""
        self._keep(f"{name}.left", branch, self._codes(f"{name}.left", left, branch).flatten(0, 1))
        taken = self._codes(f"{name}.right", right, branch)
        produced = taken.transpose(-2, -1) if name.endswith(".qk") else taken
        self._keep(f"{name}.right", branch, produced.flatten(0, 1))
        return self._inner.matmul(name, left, right, branch)

    def _codes(self, tensor: str, values: Tensor, branch: int) -> Tensor:
        """Codes of a whole operand: a step per position needs it in its own shape."""
        return self._activations[tensor, branch].codes(values)

    def _keep(self, tensor: str, branch: int, found: Tensor) -> None:
        quantizer, codes = self._activations[tensor, branch], found.contiguous().numpy()
        if isinstance(quantizer, LogSqrt2Params) and quantizer.flags_zero:
            self.zeros[tensor, branch] = -(codes == quantizer.zero_code).astype(np.int8)
            codes = np.minimum(codes, quantizer.zero_code - 1)
        self.codes[tensor, branch] = codes.astype(np.int8)


def packed(
    codes: Mapping[tuple[str, int], NDArray[np.int8]], calibration: Calibration
) -> dict[str, NDArray[np.generic]]:
    """What goes into a file: codes packed to their bits under `key_of`, and their `.shape`."""
    found: dict[str, NDArray[np.generic]] = {}
    for (name, branch), values in codes.items():
        quantizer = calibration.activations[name, branch]
        found |= _packed(key_of(name, branch, quantizer.bits), values, quantizer.bits)
    return found


def packed_zeros(
    zeros: Mapping[tuple[str, int], NDArray[np.int8]], calibration: Calibration
) -> dict[str, NDArray[np.generic]]:
    """What goes into a file: `<key>.zeros`, one bit per element, 1 where the value is 0 whatever its code."""
    return {
        f"{key_of(name, branch, calibration.activations[name, branch].bits)}.zeros": pack_codes(values, 1)
        for (name, branch), values in zeros.items()
    }


def key_of(tensor: str, branch: int, bits: int) -> str:
    """What a file calls the codes of an activation: `<tensor>@<branch>`, outside the blocks `<tensor>@<bits>`."""
    return f"{tensor}@{branch if in_block(tensor) else bits}"


def packed_weights(weights: Mapping[str, Weight], calibration: Calibration) -> dict[str, NDArray[np.generic]]:
    """Codes (1, inputs, outputs) of every weight as `<operator>.weight@<bits>`, packed; `.steps` and `.zero_points`.

    These stand beside the codes, per output channel.
    Symmetric weights have no zero points.
    """
    found: dict[str, NDArray[np.generic]] = {}
    for name, weight in weights.items():
        quantizer = calibration.weights[name]
        matrix = quantizer.codes(weight.matrix).T.unsqueeze(0)
        codes = matrix.contiguous().numpy().astype(np.int8)
        found |= _packed(f"{name}.weight@{quantizer.bits}", codes, quantizer.bits)
        found[f"{name}.weight.steps"] = quantizer.steps.numpy()
        if quantizer.zero_points is not None:
            found[f"{name}.weight.zero_points"] = quantizer.zero_points.numpy()
    return found


def position_steps(calibration: Calibration) -> dict[str, NDArray[np.generic]]:
    """`<key>.steps`, float64, of activations with a step per position (rows, 1) or per channel (1, columns).

    Shapes are those of the product: keys enter it transposed. The topology states the mean of such steps.
    """
    return {
        f"{key_of(name, branch, quantizer.bits)}.steps": quantizer.step.numpy()
        for (name, branch), quantizer in sorted(calibration.activations.items(), key=lambda entry: entry[0])
        if isinstance(quantizer.step, Tensor)
    }


def interval_offsets(calibration: Calibration) -> dict[str, NDArray[np.generic]]:
    """`<key>.offset`, float64 (1,), of softmax outputs on an interval: the code that value 0 would have."""
    return {
        f"{key_of(name, branch, quantizer.bits)}.offset": np.array([quantizer.offset])
        for (name, branch), quantizer in sorted(calibration.activations.items(), key=lambda entry: entry[0])
        if quantizer.encoding is Encoding.INTERVAL
    }


def _packed(key: str, codes: NDArray[np.int8], bits: int) -> dict[str, NDArray[np.generic]]:
    return {key: pack_codes(codes, bits), f"{key}.shape": np.array(codes.shape, np.int64)}
