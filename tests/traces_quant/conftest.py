"""A small untrained detector whose activations are spread enough to show every quantizer at work."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

import pytest
import torch

from mixarray.trace.ratio import group_sizes
from mixarray.trace.workload import Assignment, WindowCount
from mixarray_traces.data.canvas import open_source
from mixarray_traces.data.items import Split
from mixarray_traces.importance.context import ImageFacts
from mixarray_traces.model.config import SWIN_TINY_TEST, DetectorConfig
from mixarray_traces.model.detector import Detector, build_detector, images_to_input
from mixarray_traces.quantization.calibrate import quantize
from mixarray_traces.quantization.options import CalibrationData, OfqOptions, QuantizationOptions, RepqOptions
from mixarray_traces.quantization.quantized import QuantizedDetector
from mixarray_traces.record.shape import DetectionShape, SwinShape
from mixarray_traces.record.topology import block_grids

TINY = DetectorConfig(SWIN_TINY_TEST, head_dim=8, head_hidden_dim=8)
OPTIONS = QuantizationOptions(calibration_split=Split.TEST, calibration_canvases=2, calibration_size=128)
TOY = SwinShape("toy", channels=(32, 64), depths=(2, 2), heads=(1, 2))
HEAD = DetectionShape(channels=64, hidden_channels=64, outputs=14)


def toy_assignment(low_bits: int = 4) -> Assignment:
    """40 % of the windows of every block of the toy at 112 px in the low branch; 0 bits: pruned."""
    assignment = {}
    for place, grid in block_grids(TOY, 112, 112).items():
        high, _, _ = group_sizes(grid.windows, 400)
        tokens = grid.window_tokens()
        counts = (8, high, sum(tokens[:high])), (low_bits, grid.windows - high, sum(tokens[high:]))
        assignment[place] = tuple(WindowCount(*count) for count in counts)
    return assignment


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


@pytest.fixture
def shipped_items(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Training on canvases of the shipped items, with torch's deterministic algorithms, as the command sets them."""
    monkeypatch.setattr("mixarray_traces.training.qat.loop.open_training_canvases", lambda: open_source(Split.TEST))
    torch.use_deterministic_algorithms(True)
    yield
    torch.use_deterministic_algorithms(False)


@pytest.fixture(scope="session")
def teacher() -> Detector:
    """The float model of training runs: two stages of two blocks."""
    return random_detector(2, TINY)


@pytest.fixture(scope="session")
def tiny_images() -> torch.Tensor:
    """Three canvases of 48 px: maps of 12 and 6 tokens, 9 windows of 4x4, then 4 with padding on both axes."""
    source = open_source(Split.TEST)
    drawn = [torch.from_numpy(source.draw(1, index, 48).image) for index in range(3)]
    return images_to_input(torch.stack(drawn).numpy())


@pytest.fixture(scope="session")
def start(teacher: Detector, tiny_images: torch.Tensor) -> QuantizedDetector:
    """The teacher quantized by OFQ at W4A4 and A2: what training begins with."""
    options = QuantizationOptions(
        method="ofq",
        high_bits=4,
        low_bits=2,
        calibration_canvases=len(tiny_images),
        calibration_data=CalibrationData.IMAGES,
        ofq=OfqOptions(),
    )
    return quantize(teacher, options, source="random", batches=[tiny_images])
