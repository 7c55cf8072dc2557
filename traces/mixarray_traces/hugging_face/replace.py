"""Put our Swin transformer in the place of Hugging Face's, inside any model of `transformers` that holds one.

`replace_swin(model)` finds the one `SwinBackbone` (as in Mask2Former, UPerNet, DETR) or `SwinModel` (as in
`SwinForImageClassification`) and installs a module with the same inputs and outputs that runs our blocks on the same
weights. It computes the same function, then can be quantized and run at any ratio. Nothing is downloaded. Written
against transformers 5; its modules have no stable names, so weights are converted once and nothing is hooked by name.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

from torch import Tensor, nn

from mixarray.errors import InputError
from mixarray_traces.checkpoints.load import CheckpointOptions, load_backbone_state
from mixarray_traces.checkpoints.naming import NamingScheme
from mixarray_traces.hugging_face.modules import ReplacedBackbone, ReplacedModel, ReplacedSwin
from mixarray_traces.importance.context import ImageFacts
from mixarray_traces.importance.default import DEFAULT_SCORE
from mixarray_traces.model.classifier import Backbone
from mixarray_traces.model.swin import NORM_EPSILON
from mixarray_traces.model.windows import SmallMapRule
from mixarray_traces.quantization.calibrate import quantize
from mixarray_traces.quantization.options import CalibrationData, QuantizationOptions
from mixarray_traces.quantization.quantized import QuantizedDetector
from mixarray_traces.quantization.ratios import AnyRatios


@dataclass(frozen=True, slots=True)
class Setting:
    """A quantized backbone, and the ratios and score it is run with."""

    model: QuantizedDetector
    ratios: AnyRatios = 0
    score: str = DEFAULT_SCORE

    def maps(self, pixel_values: Tensor) -> tuple[Tensor, ...]:
        """The map (images, h, w, C) of every stage."""
        plan = self.model.plan(self.ratios, (ImageFacts(),) * len(pixel_values), self.score)
        return self.model.run(pixel_values, plan).maps


def replace_swin(model: nn.Module) -> ReplacedSwin:
    """Replace the one Swin transformer inside a model of Hugging Face, in place.

    Returns the module that now stands there; it runs in float until `run_with` gives it a setting. Raises InputError
    where there is no Swin transformer, more than one, or one with parts that ours has not.
    """
    place, peer = _the_one_swin(model)
    replaced = _replacement(peer, f"{type(model).__name__}.{place}")
    parent, _, name = place.rpartition(".")
    setattr(model.get_submodule(parent), name, replaced.train(model.training))
    return replaced


def quantize_replaced(
    replaced: ReplacedSwin, batches: Iterable[Tensor], options: QuantizationOptions | None = None
) -> QuantizedDetector:
    """Quantize a replaced backbone, calibrated on pixel values (images, 3, height, width) as its model is given them.

    Raises InputError for anything else. Does not change what the model runs:
    `replaced.run_with(Setting(quantized, ratio).maps)` does.
    """
    given = list(batches)
    if not given or any(batch.dim() != 4 for batch in given):
        raise InputError("batches", "pixel values (images, 3, height, width) are expected, one batch or more")
    chosen = replace(
        options or QuantizationOptions(),
        calibration_data=CalibrationData.IMAGES,
        calibration_canvases=sum(map(len, given)),
    )
    return quantize(replaced.own, chosen, source="user", batches=given)


def _the_one_swin(model: nn.Module) -> tuple[str, Any]:
    """The name and module of the outermost Swin transformer."""
    try:
        from transformers.models.swin.modeling_swin import SwinBackbone, SwinModel
    except ImportError:
        raise InputError("transformers", "is not installed: pip install 'mixarray[hf]'") from None
    if isinstance(model, (SwinBackbone, SwinModel)):
        raise InputError(type(model).__name__, "stands alone; give the model that holds it, which is changed in place")
    parts = list(model.named_modules())
    found: list[tuple[str, Any]] = [(name, part) for name, part in parts if isinstance(part, SwinBackbone)]
    found = found or [(name, part) for name, part in parts if isinstance(part, SwinModel)]
    if len(found) != 1:
        names = ", ".join(name for name, _ in found) or "none"
        raise InputError(type(model).__name__, f"one SwinBackbone or SwinModel is expected; found: {names}")
    return found[0]


def _replacement(peer: Any, where: str) -> ReplacedSwin:
    from transformers.models.swin.modeling_swin import SwinBackbone

    _refuse_other_parts(peer.config, where)
    detects = isinstance(peer, SwinBackbone)
    rule = SmallMapRule.PAD if detects else SmallMapRule.SHRINK
    options = CheckpointOptions(naming=NamingScheme.HUGGING_FACE, small_map_rule=rule)
    own = load_backbone_state(dict(peer.state_dict()), where, options)
    _place_like(own, peer)
    if not detects:
        return ReplacedModel(own, peer.layernorm, pooled=peer.pooler is not None)
    if "stem" in peer.out_features:
        raise InputError(where, "hands on the stem, which is no map of a stage", "out_features")
    stages = tuple(peer.stage_names.index(name) - 1 for name in peer.out_features)
    return ReplacedBackbone(own, nn.ModuleList(peer.hidden_states_norms[name] for name in peer.out_features), stages)


def _place_like(own: Backbone, peer: nn.Module) -> None:
    parameter = next(peer.parameters())
    own.to(parameter.device, parameter.dtype)


def _refuse_other_parts(config: Any, where: str) -> None:
    """Our Swin transformer has the published parts only."""
    expected = {
        "use_absolute_embeddings": False,
        "qkv_bias": True,
        "hidden_act": "gelu",
        "layer_norm_eps": NORM_EPSILON,
        "num_channels": 3,
    }
    for name, value in expected.items():
        found = getattr(config, name)
        if found != value:
            raise InputError(where, f"{found!r}; only {value!r} is possible here", name)
