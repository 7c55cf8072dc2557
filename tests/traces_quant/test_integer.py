"""The integer mode: every GEMM from its codes, equal to fake quantization."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import Tensor

from mixarray_traces.data.canvas import open_source
from mixarray_traces.data.items import Split
from mixarray_traces.importance.context import ImageFacts
from mixarray_traces.model.decode import Detections, decode
from mixarray_traces.model.detector import images_to_input
from mixarray_traces.quantization import integer
from mixarray_traces.quantization.affine import dequantize, quantize, quantize_weight
from mixarray_traces.quantization.arithmetic import Arithmetic, ArithmeticKind
from mixarray_traces.quantization.integer import linear_from_codes, matmul_from_codes
from mixarray_traces.quantization.network import named_weights
from mixarray_traces.quantization.quantized import QuantizedDetector
from mixarray_traces.quantization.ship import load_shipped_quantized


def random_codes(rng: np.random.Generator, *shape: int) -> np.ndarray:
    return rng.integers(-128, 128, shape)


def test_row_and_column_sums_replace_the_zero_points() -> None:
    rng = np.random.default_rng(0)
    left, right = random_codes(rng, 3, 5, 17), random_codes(rng, 3, 17, 4)
    expected = (left - 11) @ (right + 7)
    found = matmul_from_codes(torch.from_numpy(left).double(), 11, torch.from_numpy(right).double(), -7)
    assert np.array_equal(found.numpy(), expected)


def test_the_zero_point_of_a_linear_layer_is_static() -> None:
    rng = np.random.default_rng(1)
    codes, weight = random_codes(rng, 6, 33), rng.integers(-7, 8, (9, 33))
    expected = (codes + 5) @ weight.T
    found = linear_from_codes(torch.from_numpy(codes).double(), -5, torch.from_numpy(weight).double())
    assert np.array_equal(found.numpy(), expected)


class Compared:
    """Runs every GEMM in fake and in integer arithmetic on the same inputs, and in textbook form; notes the error."""

    def __init__(self, model: QuantizedDetector) -> None:
        self.fake: Arithmetic = model.arithmetic(ArithmeticKind.FAKE)
        self.integer: Arithmetic = model.arithmetic(ArithmeticKind.INTEGER)
        self.calibration = model.calibration
        self.weights = named_weights(model.detector)
        self.errors: dict[str, float] = {}

    def linear(self, name: str, inputs: Tensor, branch: int) -> Tensor:
        params, weight = self.calibration.activations[f"{name}.input", branch], self.weights[name]
        steps = self.calibration.weights[name].steps.unsqueeze(1)
        matrix = quantize_weight(weight.matrix, self.calibration.weights[name]) * steps
        bias = 0 if weight.bias is None else weight.bias
        textbook = dequantize(quantize(inputs, params), params) @ matrix.T + bias
        fake, codes = self.fake.linear(name, inputs, branch), self.integer.linear(name, inputs, branch)
        return self._note(name, fake, codes, textbook)

    def matmul(self, name: str, left: Tensor, right: Tensor, branch: int) -> Tensor:
        one, two = (self.calibration.activations[f"{name}.{side}", branch] for side in ("left", "right"))
        textbook = dequantize(quantize(left, one), one) @ dequantize(quantize(right, two), two)
        fake, codes = self.fake.matmul(name, left, right, branch), self.integer.matmul(name, left, right, branch)
        return self._note(name, fake, codes, textbook)

    def _note(self, name: str, fake: Tensor, codes: Tensor, textbook: Tensor) -> Tensor:
        error = max(float((codes - fake).abs().max()), float((textbook - fake).abs().max()))
        self.errors[name] = max(self.errors.get(name, 0.0), error / max(1.0, float(fake.abs().max())))
        return fake


def test_every_gemm_agrees_on_equal_codes(
    exact: QuantizedDetector, images: Tensor, facts: tuple[ImageFacts, ...]
) -> None:
    compared = Compared(exact)
    exact.run(images.double(), exact.plan(400, facts), compared)
    # 10 blocks of 6 GEMMs, the embedding, two mergings, four of the head.
    assert len(compared.errors) == 10 * 6 + 1 + 2 + 4
    assert max(compared.errors.values()) < 1e-9


def same_detections(one: Detections, other: Detections) -> bool:
    return (
        torch.equal(one.labels, other.labels)
        and torch.allclose(one.boxes, other.boxes, rtol=0, atol=1e-6)
        and torch.allclose(one.scores, other.scores, rtol=0, atol=1e-9)
    )


def agreement(model: QuantizedDetector, n: int, ratio: int) -> list[bool]:
    source, same = open_source(Split.TEST), []
    for index in range(n):
        inputs = images_to_input(source.draw(3, index, 224).image[None], torch.float64)
        found = [
            decode(
                model.run(inputs, model.plan(ratio, (ImageFacts(),)), model.arithmetic(kind)).output,
                model.detector.config.stride,
                224,
                224,
            )[0]
            for kind in (ArithmeticKind.FAKE, ArithmeticKind.INTEGER)
        ]
        assert len(found[0].scores)
        same.append(same_detections(*found))
    return same


def test_detections_agree_one_by_one(exact: QuantizedDetector) -> None:
    assert all(agreement(exact, 2, 400))


@pytest.mark.full
def test_detections_of_the_shipped_model_agree_on_a_hundred_canvases() -> None:
    assert all(agreement(load_shipped_quantized().double(), 100, 400))


def test_a_forgotten_column_sum_is_caught(
    exact: QuantizedDetector, images: Tensor, facts: tuple[ImageFacts, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    def without_column_sums(left: Tensor, left_zero: int, right: Tensor, right_zero: int) -> Tensor:
        constant = left.shape[-1] * left_zero * right_zero
        return left @ right - right_zero * left.sum(dim=-1, keepdim=True) + constant

    monkeypatch.setattr(integer, "matmul_from_codes", without_column_sums)
    compared = Compared(exact)
    exact.run(images.double(), exact.plan(400, facts), compared)
    wrong = {name for name, error in compared.errors.items() if error > 1e-9}
    assert wrong
    assert all(name.endswith((".qk", ".av")) for name in wrong)
