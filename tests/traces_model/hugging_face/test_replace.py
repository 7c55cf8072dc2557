"""Hugging Face models with our Swin transformer inside: equal before quantization, quantizable after."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch

from mixarray.errors import InputError
from mixarray_traces.checkpoints.load import load_checkpoint
from mixarray_traces.hugging_face.modules import ReplacedSwin
from mixarray_traces.hugging_face.replace import Setting, quantize_replaced, replace_swin
from mixarray_traces.model.classifier import Classifier

pytestmark = pytest.mark.needs("transformers")
SHAPE = {"embed_dim": 16, "depths": [2, 2, 2, 2], "num_heads": [1, 2, 4, 8], "window_size": 7}


def spread(model: torch.nn.Module) -> Any:
    """Weights that differ from their initial zeros and ones, in evaluation mode."""
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(0.1 * torch.randn_like(parameter))
    return model.eval()


@pytest.fixture
def classifier() -> Any:
    import transformers

    torch.manual_seed(0)
    return spread(transformers.SwinForImageClassification(transformers.SwinConfig(**SHAPE, num_labels=5)))


@pytest.fixture
def segmenter() -> Any:
    """UPerNet reads all four maps of a SwinBackbone."""
    import transformers

    torch.manual_seed(0)
    backbone = transformers.SwinConfig(**SHAPE, out_features=["stage1", "stage2", "stage3", "stage4"])
    config = transformers.UperNetConfig(
        backbone_config=backbone, hidden_size=16, pool_scales=[1, 2], num_labels=3, use_auxiliary_head=False
    )
    return spread(transformers.UperNetForSemanticSegmentation(config))


def pixels(height: int, width: int, count: int = 2) -> torch.Tensor:
    return torch.randn(count, 3, height, width, generator=torch.Generator().manual_seed(1))


@pytest.mark.parametrize("size", [(224, 224), (224, 301)])
@torch.no_grad()
def test_a_classifier_is_the_same_before_quantization(classifier: Any, size: tuple[int, int]) -> None:
    before = classifier(pixels(*size)).logits
    replace_swin(classifier)
    torch.testing.assert_close(classifier(pixels(*size)).logits, before, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("size", [(224, 224), (90, 123)])
@torch.no_grad()
def test_a_segmenter_is_the_same_before_quantization(segmenter: Any, size: tuple[int, int]) -> None:
    theirs = segmenter.backbone(pixels(*size)).feature_maps
    before = segmenter(pixels(*size)).logits
    replace_swin(segmenter)
    for own_map, their_map in zip(segmenter.backbone(pixels(*size)).feature_maps, theirs, strict=True):
        torch.testing.assert_close(own_map, their_map, rtol=1e-5, atol=1e-5)
    torch.testing.assert_close(segmenter(pixels(*size)).logits, before, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize(
    ("changed", "size"),
    [
        ({}, (224, 301)),
        ({"window_size": 3, "patch_size": 2}, (51, 70)),
        ({"window_size": 5}, (163, 200)),
        ({"window_size": 8, "mlp_ratio": 2.0}, (256, 289)),
        ({"window_size": 3, "depths": [1, 3, 2], "num_heads": [2, 2, 4]}, (97, 131)),
        ({"window_size": 3, "hidden_dropout_prob": 0.5, "drop_path_rate": 0.5}, (96, 96)),
    ],
    ids=str,
)
@pytest.mark.parametrize("count", [1, 3])
@torch.no_grad()
def test_other_shapes_are_the_same_too(changed: dict[str, Any], size: tuple[int, int], count: int) -> None:
    """In float64, on sizes that no window, merging or patch divides."""
    import transformers

    torch.manual_seed(1)
    model = spread(transformers.SwinForImageClassification(transformers.SwinConfig(**SHAPE | changed))).double()
    images = pixels(*size, count).double()
    before = model(images).logits
    replace_swin(model)
    torch.testing.assert_close(model(images).logits, before, rtol=1e-11, atol=1e-11)


@torch.no_grad()
def test_training_mode_is_the_same_where_nothing_drops_out() -> None:
    import transformers

    torch.manual_seed(1)
    config = transformers.SwinConfig(**SHAPE | {"window_size": 3, "drop_path_rate": 0.0})
    model = spread(transformers.SwinForImageClassification(config)).train()
    before = model(pixels(96, 96)).logits
    assert replace_swin(model).training
    torch.testing.assert_close(model(pixels(96, 96)).logits, before, rtol=1e-5, atol=1e-5)


@torch.no_grad()
def test_an_earlier_small_image_changes_nothing(classifier: Any) -> None:
    """transformers keeps the smaller window and the missing shift of the first small map; ours decides for each."""
    fresh = classifier(pixels(448, 448)).logits
    classifier(pixels(224, 224))
    assert not torch.allclose(classifier(pixels(448, 448)).logits, fresh, rtol=1e-5, atol=1e-5)
    replace_swin(classifier)
    classifier(pixels(224, 224))
    torch.testing.assert_close(classifier(pixels(448, 448)).logits, fresh, rtol=1e-5, atol=1e-5)


@torch.no_grad()
def test_another_output_norm_is_noticed(segmenter: Any) -> None:
    """The planted fault: norms that differ by 0.01 are outside the tolerance."""
    before = segmenter.backbone(pixels(64, 64)).feature_maps
    replaced = replace_swin(segmenter)
    for norm in replaced.norms:
        norm.weight.add_(0.01)
    after = segmenter.backbone(pixels(64, 64)).feature_maps
    assert not any(torch.allclose(own, theirs, rtol=1e-5, atol=1e-5) for own, theirs in zip(after, before, strict=True))


@torch.no_grad()
def test_quantized_it_differs_a_little_and_ratios_matter(segmenter: Any) -> None:
    replaced = replace_swin(segmenter)
    exact = segmenter(pixels(96, 96)).logits
    quantized = quantize_replaced(replaced, [pixels(96, 96)])
    assert torch.equal(segmenter(pixels(96, 96)).logits, exact), "quantizing alone changes nothing"
    error = {}
    for ratio in (0, 1000):
        replaced.run_with(Setting(quantized, ratio).maps)
        error[ratio] = (segmenter(pixels(96, 96)).logits - exact).square().mean().sqrt() / exact.std()
    assert 0 < error[0] < error[1000]
    replaced.run_with(None)
    assert torch.equal(segmenter(pixels(96, 96)).logits, exact)


@torch.no_grad()
def test_a_saved_model_loads_as_a_checkpoint(classifier: Any, tmp_path: Path) -> None:
    """What Hugging Face itself writes, under its saved names."""
    classifier.save_pretrained(tmp_path)
    loaded = load_checkpoint(tmp_path / "model.safetensors")
    assert isinstance(loaded, Classifier)
    torch.testing.assert_close(loaded(pixels(224, 224)), classifier(pixels(224, 224)).logits, rtol=1e-5, atol=1e-5)


def test_what_cannot_be_replaced_is_refused(classifier: Any) -> None:
    import transformers

    with pytest.raises(InputError, match="one SwinBackbone or SwinModel is expected; found: none"):
        replace_swin(torch.nn.Sequential(torch.nn.Linear(2, 2)))
    with pytest.raises(InputError, match="stands alone"):
        replace_swin(classifier.swin)
    both = torch.nn.ModuleList([classifier, classifier.swin.encoder, transformers.SwinModel(classifier.config)])
    with pytest.raises(InputError, match=r"found: 0\.swin, 2"):
        replace_swin(both)
    odd = transformers.SwinForImageClassification(transformers.SwinConfig(**SHAPE, hidden_act="relu"))
    with pytest.raises(InputError, match="hidden_act: 'relu'; only 'gelu' is possible here"):
        replace_swin(odd)


def test_inner_states_are_refused(classifier: Any) -> None:
    replaced = replace_swin(classifier)
    for batches in ([], [pixels(224, 224)[0]]):
        with pytest.raises(InputError, match="one batch or more"):
            quantize_replaced(replaced, batches)
    assert isinstance(replaced, ReplacedSwin)
    with pytest.raises(ValueError, match="output_attentions: a replaced Swin"):
        replaced(pixels(224, 224), output_attentions=True)
    with pytest.raises(ValueError, match="bool_masked_pos"):
        replaced(pixels(224, 224), bool_masked_pos=torch.zeros(1))
