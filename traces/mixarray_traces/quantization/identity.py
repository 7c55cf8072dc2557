"""By what a model is known again: SHA-256 over its weights, and over everything that quantizes them."""

from __future__ import annotations

import hashlib
import json

from mixarray_traces.model.kinds import Model
from mixarray_traces.quantization.quantized import QuantizedDetector
from mixarray_traces.quantization.store import quantizers_to_json


def weights_sha256(model: Model) -> str:
    """Names and values of all weights."""
    return hashlib.sha256(_weights(model)).hexdigest()


def quantized_sha256(model: QuantizedDetector) -> str:
    """A quantized model's weights and quantizers; not how it was trained."""
    quantizers = json.dumps(quantizers_to_json(model), sort_keys=True).encode()
    return hashlib.sha256(quantizers + _weights(model.detector)).hexdigest()


def _weights(model: Model) -> bytes:
    state = sorted(model.state_dict().items())
    return b"".join(name.encode() + value.detach().cpu().contiguous().numpy().tobytes() for name, value in state)
