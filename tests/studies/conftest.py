"""A small untrained detector, quantized on shipped canvases."""

from __future__ import annotations

import pytest
import torch

from mixarray_traces.data.items import Split
from mixarray_traces.model.detector import build_detector
from mixarray_traces.quantization.calibrate import quantize
from mixarray_traces.quantization.options import QuantizationOptions
from mixarray_traces.quantization.quantized import QuantizedDetector


@pytest.fixture(scope="session")
def model() -> QuantizedDetector:
    with torch.random.fork_rng():
        torch.manual_seed(2)
        detector = build_detector().eval()
        with torch.no_grad():
            for name, parameter in detector.named_parameters():
                if "norm" not in name:
                    parameter.mul_(4)  # so that the blocks do more than hand on their input
    options = QuantizationOptions(calibration_split=Split.TEST, calibration_canvases=1, calibration_size=112)
    return quantize(detector, options, source="random")
