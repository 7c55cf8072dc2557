"""The quantizers of the shipped detector: calibrated once on the validation split, shipped beside its weights.

So the demo needs no calibration data. After a new detector was put in place, run
`python -m mixarray_traces.quantization.ship`.
"""

from __future__ import annotations

import hashlib
import json

from mixarray.errors import InputError
from mixarray_traces.json_file import read_json
from mixarray_traces.model.detector import load_shipped_detector
from mixarray_traces.quantization.calibrate import quantize
from mixarray_traces.quantization.options import QuantizationOptions
from mixarray_traces.quantization.quantized import QuantizedDetector
from mixarray_traces.quantization.store import quantizers_from_json, quantizers_to_json
from mixarray_traces.shipped import shipped_path

WEIGHTS = "detector.safetensors"
QUANTIZERS = "quantization.json"
_KEY = "detector_sha256"


def load_shipped_quantized() -> QuantizedDetector:
    """The shipped detector with its quantizers; InputError if the two files do not belong together."""
    file = shipped_path(QUANTIZERS)
    described = read_json(file)
    if described.get(_KEY) != _weights_sha256():
        raise InputError(str(file), f"was calibrated for another {WEIGHTS}", _KEY)
    return quantizers_from_json(load_shipped_detector(), described, str(file))


def write_shipped_quantizers(options: QuantizationOptions | None = None) -> QuantizedDetector:
    """Calibrate the shipped detector and write its quantizers beside it."""
    model = quantize(load_shipped_detector(), options, source="trained")
    described = quantizers_to_json(model) | {_KEY: _weights_sha256()}
    text = json.dumps(described, sort_keys=True, separators=(",", ":"))
    shipped_path(QUANTIZERS).write_text(text + "\n", encoding="utf-8")
    return model


def _weights_sha256() -> str:
    return hashlib.sha256(shipped_path(WEIGHTS).read_bytes()).hexdigest()


if __name__ == "__main__":
    write_shipped_quantizers()
