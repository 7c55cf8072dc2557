"""The kinds of model that can be quantized: the same backbone, different heads; and their shapes as plain data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from enum import StrEnum
from typing import Any

from mixarray.errors import InputError
from mixarray_traces.model.classifier import Backbone, Classifier
from mixarray_traces.model.config import BackboneConfig, ClassifierConfig, DetectorConfig, SwinConfig
from mixarray_traces.model.detector import Detector
from mixarray_traces.model.normalization import Normalization
from mixarray_traces.model.swin import SwinBlock, SwinStage
from mixarray_traces.model.windows import SmallMapRule

Model = Detector | Classifier | Backbone
ModelConfig = DetectorConfig | ClassifierConfig | BackboneConfig


class ModelKind(StrEnum):
    """What a model is for; the field of a manifest that holds its shape."""

    DETECTOR = "detector"
    CLASSIFIER = "classifier"
    BACKBONE = "backbone"


def kind_of(config: ModelConfig) -> ModelKind:
    """The kind of model that has this shape."""
    if isinstance(config, DetectorConfig):
        return ModelKind.DETECTOR
    return ModelKind.CLASSIFIER if isinstance(config, ClassifierConfig) else ModelKind.BACKBONE


def build_model(config: ModelConfig) -> Model:
    """An untrained model, initialised from torch's current random state."""
    if isinstance(config, DetectorConfig):
        return Detector(config)
    return Classifier(config) if isinstance(config, ClassifierConfig) else Backbone(config)


def shape_to_json(config: ModelConfig) -> dict[str, Any]:
    """The shape as plain JSON values, under the name of its kind."""
    values = asdict(config)
    values["backbone"]["small_map_rule"] = config.backbone.small_map_rule.name.lower()
    return {kind_of(config).value: _lists(values)}


def shape_from_json(where: str, described: Mapping[str, Any]) -> ModelConfig:
    """The shape that `shape_to_json` wrote; InputError, with the field, where it is missing or broken."""
    kinds = [kind for kind in ModelKind if isinstance(described.get(kind.value), dict)]
    if len(kinds) != 1:
        allowed = ", ".join(ModelKind)
        raise InputError(where, f"is missing or no object; one of {allowed} describes the model", "detector")
    kind = kinds[0]
    saved = dict(described[kind.value])
    try:
        saved["backbone"] = _swin_config(saved["backbone"])
        if kind is ModelKind.DETECTOR:
            return DetectorConfig(**saved)
        saved["normalization"] = _normalization(saved["normalization"])
        return ClassifierConfig(**saved) if kind is ModelKind.CLASSIFIER else BackboneConfig(**saved)
    except (KeyError, ValueError, TypeError, AttributeError) as error:
        raise InputError(where, f"is wrong: {error}", kind.value) from None


def _swin_config(saved: Mapping[str, Any]) -> SwinConfig:
    values = dict(saved)
    values |= {key: tuple(values[key]) for key in ("depths", "num_heads")}
    values["small_map_rule"] = SmallMapRule[values["small_map_rule"].upper()]
    return SwinConfig(**values)


def _normalization(saved: Mapping[str, Any]) -> Normalization:
    values = {key: tuple(map(float, entries)) for key, entries in saved.items()}
    return Normalization(**values)  # type: ignore[arg-type]  # Normalization refuses other lengths itself


def _lists(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _lists(entry) for key, entry in value.items()}
    return [_lists(entry) for entry in value] if isinstance(value, tuple) else value


def blocks_by_name(model: Model) -> dict[str, SwinBlock]:
    """Every block under its name in the trace, in order."""
    return {
        f"stages.{index}.blocks.{number}": block
        for index, stage in enumerate(model.backbone.layers)
        if isinstance(stage, SwinStage)
        for number, block in enumerate(stage.blocks)
        if isinstance(block, SwinBlock)
    }
