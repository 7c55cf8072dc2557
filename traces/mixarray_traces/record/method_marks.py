"""What a quantization method leaves in a trace, without a model: encodings and offsets, and so the sums they ask for.

Steps, zero points and shifts are stand-ins: that they are not 0 is what makes work, not which number they are.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from mixarray.errors import InputError
from mixarray.trace.model import Encoding
from mixarray_traces.quantization.side_names import is_side
from mixarray_traces.record.graph import UNCALIBRATED, ActivationFacts, Quantizers, WeightFacts

SOFTMAX, GELU = ".av.left", ".mlp.fc2.input"
STEP, ASYMMETRIC, SYMMETRIC, SHIFT = 1.0, -1, 0, 3


def _of(marked: Mapping[str, ActivationFacts], other: ActivationFacts, weights: WeightFacts) -> Quantizers:
    """Activations by how their names end; weights of side paths have steps alone."""

    def activation(tensor: str, branch: int) -> ActivationFacts:
        return next((facts for ending, facts in marked.items() if tensor.endswith(ending)), other)

    return Quantizers(activation, lambda name: WeightFacts() if is_side(name) else weights)


_OFFSET = ActivationFacts(STEP, ASYMMETRIC)
_CENTRED = ActivationFacts(STEP, SYMMETRIC)
_ROW_SUMS = WeightFacts(needs_row_sums=True)
_MARKS: Mapping[str, Quantizers] = MappingProxyType(
    {
        "uniform_affine": UNCALIBRATED,
        "repq_vit": _of({SOFTMAX: ActivationFacts(STEP, ASYMMETRIC, Encoding.LOG_SQRT2)}, _OFFSET, _ROW_SUMS),
        "ofq": _of({SOFTMAX: _OFFSET, GELU: _OFFSET}, _CENTRED, WeightFacts(Encoding.HALF_INT, needs_row_sums=True)),
        "mptq_vit": _of(
            {SOFTMAX: _OFFSET, GELU: ActivationFacts(STEP, SYMMETRIC, Encoding.TWO_REGION, SHIFT)},
            _CENTRED,
            WeightFacts(),
        ),
        "aiqvit": _of({SOFTMAX: ActivationFacts(STEP, ASYMMETRIC, Encoding.INTERVAL)}, _OFFSET, _ROW_SUMS),
    }
)


def marks_of(method: str) -> Quantizers:
    """The marks of a method with its default options; a side path is `compensated`. InputError for an unknown one."""
    if method not in _MARKS:
        raise InputError("--method", f"{method!r} is unknown; allowed: {', '.join(_MARKS)}")
    return _MARKS[method]
