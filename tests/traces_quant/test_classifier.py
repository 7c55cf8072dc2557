"""A classifier through the whole path: calibrated on a folder per class, quantized, saved, evaluated, recorded."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from mixarray.errors import InputError
from mixarray.trace.bundle import read_bundle
from mixarray.trace.model import OperatorKind
from mixarray_traces.classification.evaluate import evaluate_classifier
from mixarray_traces.data.image_folder import ImageFolder, open_image_folder
from mixarray_traces.data.preparation import Preparation
from mixarray_traces.model.classifier import Backbone, Classifier
from mixarray_traces.model.config import BackboneConfig, ClassifierConfig, SwinConfig
from mixarray_traces.model.normalization import IMAGENET, Normalization
from mixarray_traces.quantization import QuantizationOptions, load_quantized, save_quantized
from mixarray_traces.quantization.arithmetic import ArithmeticKind
from mixarray_traces.quantization.calibrate import quantize
from mixarray_traces.quantization.options import CalibrationData
from mixarray_traces.quantization.own_images import quantize_on
from mixarray_traces.quantization.quantized import QuantizedDetector
from mixarray_traces.record import RecordImage, TensorMode, record

CONFIG = ClassifierConfig(SwinConfig(8, (2, 2), (1, 2), window_size=4), 3)
OPTIONS = QuantizationOptions(calibration_canvases=4, calibration_size=64)


def spread(model: Classifier | Backbone) -> None:
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            change = 0.2 * torch.randn_like(parameter)
            parameter.add_(change) if "norm" in name or "bias" in name else parameter.mul_(8)


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> ImageFolder:
    root, random = tmp_path_factory.mktemp("data"), np.random.default_rng(0)
    for name in "abc":
        (root / name).mkdir()
        for copy in range(4):
            Image.fromarray(random.integers(0, 256, (64, 80, 3), dtype=np.uint8)).save(root / name / f"{copy}.png")
    return open_image_folder(root, Preparation(64, 64))


@pytest.fixture(scope="module")
def classifier() -> Iterator[Classifier]:
    with torch.random.fork_rng():
        torch.manual_seed(2)
        built = Classifier(CONFIG)
        spread(built)
        yield built.eval()


@pytest.fixture(scope="module")
def quantized(classifier: Classifier, data: ImageFolder) -> QuantizedDetector:
    return quantize_on(classifier, data, OPTIONS)


def inputs(classifier: Classifier, data: ImageFolder) -> torch.Tensor:
    return classifier.to_input(np.stack([data.image(index) for index in range(len(data.files))]))


def logits(model: QuantizedDetector, images: torch.Tensor, kind: ArithmeticKind, ratio: int = 0) -> torch.Tensor:
    from mixarray_traces.importance.context import ImageFacts

    plan = model.plan(ratio, (ImageFacts(),) * len(images))
    return model.run(images, plan, model.arithmetic(kind)).output


def test_normalisation_by_hand() -> None:
    pixels = np.array([[[[0, 51, 255]]]], dtype=np.uint8)
    made = Normalization((0.5, 0.0, 0.25), (0.5, 0.1, 0.25)).apply(pixels, torch.float64)
    assert made.shape == (1, 3, 1, 1)
    torch.testing.assert_close(made.flatten(), torch.tensor([-1.0, 2.0, 3.0], dtype=torch.float64))


def test_off_quantizers_are_the_plain_model(
    quantized: QuantizedDetector, classifier: Classifier, data: ImageFolder
) -> None:
    images = inputs(classifier, data)
    with torch.no_grad():
        expected = classifier(images)
    for ratio in (0, 500):
        found = logits(quantized, images, ArithmeticKind.FLOAT, ratio)
        torch.testing.assert_close(found, expected, rtol=1e-5, atol=1e-5)
    assert not torch.allclose(logits(quantized, images, ArithmeticKind.FAKE), expected, rtol=1e-5, atol=1e-5)


def test_integer_codes_give_the_same_logits(
    quantized: QuantizedDetector, classifier: Classifier, data: ImageFolder
) -> None:
    exact, images = quantized.double(), inputs(classifier, data).double()
    for ratio in (0, 500):
        fake, integer = (logits(exact, images, kind, ratio) for kind in (ArithmeticKind.FAKE, ArithmeticKind.INTEGER))
        torch.testing.assert_close(integer, fake, rtol=1e-9, atol=1e-9)


def test_a_saved_classifier_is_the_same(quantized: QuantizedDetector, data: ImageFolder, tmp_path: Path) -> None:
    again = load_quantized(save_quantized(quantized, tmp_path / "q"))
    assert again.detector.config == CONFIG
    assert again.options.calibration_data is CalibrationData.IMAGES
    images = inputs(again.detector, data)  # type: ignore[arg-type]
    found, expected = (logits(model, images, ArithmeticKind.FAKE, 500) for model in (again, quantized))
    assert torch.equal(found, expected)


def test_rows_are_counted_by_hand(quantized: QuantizedDetector, classifier: Classifier, data: ImageFolder) -> None:
    images, truth = inputs(classifier, data), torch.tensor([file.label for file in data.files])
    rows = evaluate_classifier(quantized, data, (0, 500))
    assert [row.arithmetic for row in rows] == [ArithmeticKind.FLOAT, ArithmeticKind.FAKE, ArithmeticKind.FAKE]
    kinds = ((ArithmeticKind.FLOAT, 0), (ArithmeticKind.FAKE, 0), (ArithmeticKind.FAKE, 500))
    for row, (kind, ratio) in zip(rows, kinds, strict=True):
        right = logits(quantized, images, kind, ratio).argmax(1) == truth
        assert row.top1 == pytest.approx(float(right.float().mean()))
        assert row.top1_low <= row.top1 <= row.top1_high
        assert row.n == 12
    assert (rows[1].difference_low, rows[1].difference_high) == (0, 0)
    assert [row.ratio_actual for row in rows] == [0, 0, 0.5]


def test_chosen_photographs_only(quantized: QuantizedDetector, data: ImageFolder) -> None:
    assert [row.n for row in evaluate_classifier(quantized, data, (0,), data.sample(5, 0), batch=2)] == [5, 5]


def test_the_trace_has_the_classifiers_head(quantized: QuantizedDetector, data: ImageFolder, tmp_path: Path) -> None:
    images = [RecordImage(data.name(index), data.image(index)) for index in (0, 5)]
    bundle = read_bundle(record(quantized, images, tmp_path / "b", 500, tensors=TensorMode.SAMPLED))
    assert bundle.manifest.model == "swin_classifier"
    assert bundle.manifest.images == ("a/0.png", "b/1.png")
    head = [operator for operator in bundle.topology.operators if operator.name == "head"]
    assert [(one.kind, one.m, one.n, one.k) for one in head] == [(OperatorKind.GEMM, 1, 3, 16)]


def test_a_backbone_has_maps_and_no_head(data: ImageFolder, tmp_path: Path) -> None:
    torch.manual_seed(4)
    model = Backbone(BackboneConfig(CONFIG.backbone)).eval()
    spread(model)
    images = IMAGENET.apply(np.stack([data.image(0), data.image(1)]))
    options = replace(OPTIONS, calibration_canvases=2, calibration_data=CalibrationData.IMAGES)
    made = load_quantized(save_quantized(quantize(model, options, batches=[images]), tmp_path / "q"))
    with torch.no_grad():
        expected = model.backbone.forward_features(images)
    run = made.run(images, made.plan(0, ()), made.arithmetic(ArithmeticKind.FLOAT))
    for found, own in zip(run.maps, expected, strict=True):
        torch.testing.assert_close(found, own, rtol=1e-5, atol=1e-5)
    assert torch.equal(run.output, run.maps[-1])
    assert not any(name.startswith("head") for name in made.weights())


def test_refusals(quantized: QuantizedDetector, classifier: Classifier, data: ImageFolder) -> None:
    fewer = replace(data, classes=("a", "b"))
    with pytest.raises(InputError, match="has 2 class folders; the model has 3 classes"):
        quantize_on(classifier, fewer, OPTIONS)
    with pytest.raises(InputError, match="holds 12 photographs; 13 are asked for"):
        quantize_on(classifier, data, replace(OPTIONS, calibration_canvases=13))
    with pytest.raises(InputError, match="oracle looks at boxes"):
        evaluate_classifier(quantized, data, (0,), score="oracle")
    with pytest.raises(InputError, match="no photograph is chosen"):
        evaluate_classifier(quantized, data, (0,), ())
    with pytest.raises(ValueError, match="calibration on canvases, but batches are given"):
        quantize(classifier, OPTIONS, batches=[])
    with pytest.raises(ValueError, match="0 images to calibrate on; the options say 4"):
        quantize(classifier, replace(OPTIONS, calibration_data=CalibrationData.IMAGES), batches=[])


def test_classes_in_another_order_are_noticed(
    quantized: QuantizedDetector, classifier: Classifier, data: ImageFolder
) -> None:
    """Labels are what the model says, so all are right; the planted fault numbers the classes one further: none is."""
    said = logits(quantized, inputs(classifier, data), ArithmeticKind.FAKE).argmax(1).tolist()
    top1 = []
    for step in (0, 1):
        labelled = zip(data.files, said, strict=True)
        files = tuple(replace(file, label=(label + step) % 3) for file, label in labelled)
        top1.append(evaluate_classifier(quantized, replace(data, files=files), (0,))[1].top1)
    assert top1 == [1, 0]
