"""A small untrained detector whose activations are spread enough to show every quantizer at work."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest
import torch

from mixarray_traces.data.canvas import open_source
from mixarray_traces.data.items import Split
from mixarray_traces.importance.context import ImageFacts
from mixarray_traces.model.config import DetectorConfig
from mixarray_traces.model.detector import Detector, build_detector, images_to_input
from mixarray_traces.quantization.calibrate import quantize
from mixarray_traces.quantization.options import QuantizationOptions, RepqOptions
from mixarray_traces.quantization.quantized import QuantizedDetector

OPTIONS = QuantizationOptions(calibration_split=Split.TEST, calibration_canvases=2, calibration_size=128)


def random_detector(seed: int, config: DetectorConfig | None = None) -> Detector:
    """A detector of random weights that are far from their beginnings: no norm or bias is neutral."""
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        built = build_detector(config)
        with torch.no_grad():
            for name, parameter in built.named_parameters():
                if "norm" in name or "bias" in name:
                    parameter.add_(0.2 * torch.randn_like(parameter))
                else:
                    parameter.mul_(4)
    return built.eval()


@pytest.fixture(scope="session")
def detector() -> Detector:
    return random_detector(5)


@pytest.fixture(scope="session")
def random_detector_of() -> Callable[[int, DetectorConfig], Detector]:
    return random_detector


@pytest.fixture(scope="session")
def model(detector: Detector) -> QuantizedDetector:
    return quantize(detector, OPTIONS, source="random")


@pytest.fixture(scope="session")
def exact(model: QuantizedDetector) -> QuantizedDetector:
    return model.double()


@pytest.fixture(scope="session")
def images() -> torch.Tensor:
    """Three canvases of 128 px: maps of 32, 16 and 8 tokens, so all stages pad."""
    source = open_source(Split.TEST)
    drawn = [torch.from_numpy(source.draw(7, index, 128).image) for index in range(3)]
    return images_to_input(torch.stack(drawn).numpy())


@pytest.fixture(scope="session")
def facts() -> tuple[ImageFacts, ...]:
    return tuple(ImageFacts(seed) for seed in range(3))


@pytest.fixture(scope="session")
def repq(detector: Detector) -> Callable[[RepqOptions], QuantizedDetector]:
    """The same detector quantized by RepQ-ViT, by its options; each model is made once."""
    made: dict[RepqOptions, QuantizedDetector] = {}

    def build(options: RepqOptions) -> QuantizedDetector:
        if options not in made:
            made[options] = quantize(detector, replace(OPTIONS, method="repq_vit", repq=options), source="random")
        return made[options]

    return build
