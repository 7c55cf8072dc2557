"""Folding factors and shifts into LayerNorm and weights keeps the function, padded positions included."""

from __future__ import annotations

import dataclasses

import pytest
import torch
from torch import Tensor

from mixarray.trace.padding import Padding
from mixarray_traces.importance.context import ImageFacts
from mixarray_traces.model import windows as model_windows
from mixarray_traces.model.classifier import Classifier
from mixarray_traces.model.config import SWIN_TINY_TEST, ClassifierConfig
from mixarray_traces.model.kinds import Model
from mixarray_traces.model.swin import SwinBlock
from mixarray_traces.quantization.arithmetic import ArithmeticKind
from mixarray_traces.quantization.folding import Fold, Folding, fold_model, foldable_layers
from mixarray_traces.quantization.quantized import QuantizedDetector

# 90 x 123 px: maps of 23x31, 12x16 and 6x8 tokens; stages 0 and 1 pad both axes, on both grids.
SIZES = [(90, 123), (112, 112)]


def random_folding(detector: Model, seed: int = 0) -> Folding:
    generator = torch.Generator().manual_seed(seed)
    folding = {}
    for name, (_, linear) in foldable_layers(detector).items():
        noise = torch.randn(2, linear.in_features, generator=generator, dtype=torch.float64)
        folding[name] = Fold(torch.exp(noise[0]), noise[1])
    return folding


@pytest.fixture(scope="module")
def folded(exact: QuantizedDetector) -> QuantizedDetector:
    return dataclasses.replace(exact, folding=random_folding(exact.detector), _arithmetics={})


def output(model: QuantizedDetector, images: Tensor, ratio: int, padding: Padding = Padding.ATTENTION) -> Tensor:
    plan = model.plan(ratio, tuple(ImageFacts(seed) for seed in range(len(images))), "random", padding)
    return model.run(images, plan, model.arithmetic(ArithmeticKind.FLOAT)).output


def relative(found: Tensor, expected: Tensor) -> float:
    return float((found - expected).abs().max() / expected.abs().max())


def test_every_layer_behind_a_layer_norm_is_folded(exact: QuantizedDetector) -> None:
    # Ten blocks of two, and two mergings.
    assert len(foldable_layers(exact.detector)) == 22


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("ratio", [0, 500])
def test_the_function_stays(
    exact: QuantizedDetector, folded: QuantizedDetector, images: Tensor, size: tuple[int, int], ratio: int
) -> None:
    inputs = images[:, :, : size[0], : size[1]].double()
    assert relative(output(folded, inputs, ratio), output(exact, inputs, ratio)) < 1e-12
    with torch.no_grad():
        assert relative(folded.network(inputs), exact.detector(inputs)) < 1e-12


def test_whole_block_padding_stays_too(exact: QuantizedDetector, folded: QuantizedDetector, images: Tensor) -> None:
    """Padded positions are 0 before the LayerNorm there, and the LayerNorm itself is folded."""
    inputs = images[:, :, :90, :123].double()
    expected = output(exact, inputs, 500, Padding.BLOCK)
    assert relative(output(folded, inputs, 500, Padding.BLOCK), expected) < 1e-12
    assert relative(output(exact, inputs, 500), expected) > 1e-6


@torch.no_grad()
def test_a_classifier_is_folded_like_a_detector(images: Tensor) -> None:
    with torch.random.fork_rng():
        torch.manual_seed(3)
        plain = Classifier(ClassifierConfig(SWIN_TINY_TEST, num_classes=5)).double().eval()
    folded = fold_model(plain, random_folding(plain))
    inputs = images[:, :, :44, :37].double()
    assert relative(folded(inputs), plain(inputs)) < 1e-12


@pytest.mark.parametrize("block", [0, 1], ids=["regular", "shifted"])
def test_padding_with_zero_is_caught_on_either_grid(
    exact: QuantizedDetector, folded: QuantizedDetector, images: Tensor, block: int
) -> None:
    """The inputs pad on both axes: one block of stage 0, on one grid, forgets -b and pads with 0."""
    inputs = images[:1, :, :90, :123].double()
    expected = output(exact, inputs, 0)
    mutant = dataclasses.replace(folded, _arithmetics={})
    part = mutant.network.backbone.layers[0].blocks[block]
    assert isinstance(part, SwinBlock)
    grid = part.grid(23, 31)
    assert (grid.padded_height, grid.padded_width, grid.shift > 0) == (28, 35, block == 1)
    part.padding = None
    assert relative(output(mutant, inputs, 0), expected) > 1e-6
    with torch.no_grad():
        assert relative(mutant.network(inputs), exact.detector(inputs)) > 1e-6


def test_a_map_without_padding_needs_none(exact: QuantizedDetector, folded: QuantizedDetector, images: Tensor) -> None:
    """56 px: maps of 14 and 7 tokens; only where nothing pads, the mutant above is right too."""
    inputs = images[:, :, :56, :56].double()
    mutant = dataclasses.replace(folded, _arithmetics={})
    for stage in mutant.network.backbone.layers[:2]:
        for block in stage.blocks:
            block.padding = None
    assert mutant.network.backbone.layers[2].blocks[0].padding is not None
    assert relative(output(mutant, inputs, 0), output(exact, inputs, 0)) < 1e-12


def test_padding_reaches_every_padded_position() -> None:
    grid = model_windows.WindowGrid(5, 6, 4, 2)
    fill = torch.tensor([7.0, -3.0])
    cut = model_windows.to_windows(torch.zeros(1, 5, 6, 2), grid, fill)
    assert int((cut == fill).all(dim=-1).sum()) == 8 * 8 - 5 * 6
    assert int((cut == 0).all(dim=-1).sum()) == 5 * 6


def test_the_model_as_trained_is_left_alone(exact: QuantizedDetector) -> None:
    before = {name: tensor.clone() for name, tensor in exact.detector.state_dict().items()}
    assert fold_model(exact.detector, {}) is exact.detector
    fold_model(exact.detector, random_folding(exact.detector))
    assert all(torch.equal(before[name], tensor) for name, tensor in exact.detector.state_dict().items())


@pytest.mark.parametrize(
    ("factors", "shifts"), [([1.0, 0.0], [0.0, 0.0]), ([1.0], [0.0, 0.0]), ([1.0, 1.0], [0.0, float("inf")])]
)
def test_impossible_folds_are_refused(factors: list[float], shifts: list[float]) -> None:
    with pytest.raises(ValueError, match="factors"):
        Fold(torch.tensor(factors, dtype=torch.float64), torch.tensor(shifts, dtype=torch.float64))
