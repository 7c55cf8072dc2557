"""A user's checkpoint file as one of our models. Nothing is downloaded, and no code of the file is run."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypeVar

from mixarray.errors import InputError
from mixarray_traces.checkpoints.naming import NamingScheme, to_own_names, without_prefix
from mixarray_traces.checkpoints.shape import swin_config_of, tensor_of
from mixarray_traces.model.classifier import Backbone, Classifier
from mixarray_traces.model.config import BackboneConfig, ClassifierConfig, DetectorConfig, SwinConfig
from mixarray_traces.model.detector import Detector
from mixarray_traces.model.normalization import IMAGENET, Normalization
from mixarray_traces.model.weights import StateDict, load_into, read_state_dict
from mixarray_traces.model.windows import SmallMapRule

_OTHERS_HEAD = re.compile(r"^(norm\d*|head|hidden_states_norms)\.")
"""What stands behind a backbone's maps: not part of a backbone."""
_OUR_HEAD = re.compile(r"^head\.(norm_fine|fine|norm_coarse|coarse|norm|fc1|fc2)\.")
_OUR_HEAD_MARK = "head.fine.weight"

Kind = TypeVar("Kind", Detector, Classifier, Backbone)


@dataclass(frozen=True, slots=True)
class CheckpointOptions:
    """How a checkpoint is to be read.

    arch: the backbone's shape, None to read it from the tensors. naming: whose names the file uses, None to tell from
    them. prefix: only names that begin with this are read. normalization: of the model's input, which no checkpoint
    states; unused by our detector, whose own is fixed. small_map_rule: what a block does on a map not larger than the
    window, which no checkpoint states either: classification code shrinks, detection code pads.
    """

    arch: SwinConfig | None = None
    naming: NamingScheme | None = None
    prefix: str = ""
    normalization: Normalization = IMAGENET
    small_map_rule: SmallMapRule = SmallMapRule.SHRINK


def load_checkpoint(path: Path, options: CheckpointOptions | None = None) -> Detector | Classifier:
    """The classifier, or the detector with our head, in a file, in evaluation mode, float32.

    Raises InputError for a file that is unreadable, that holds neither, or whose tensors do not fit; it names them,
    with the shape found and the shape expected.
    """
    state = _read(path)
    if _OUR_HEAD_MARK in state:
        return load_detector_state(state, str(path), options)
    return load_classifier_state(state, str(path), options)


def load_classifier_state(state: StateDict, where: str, options: CheckpointOptions | None = None) -> Classifier:
    """The classifier in a state dict; see `load_checkpoint`."""
    chosen = options or CheckpointOptions()
    own = _own(state, where, chosen)
    if not any(name.startswith("head.fc.") for name in own):
        message = "holds a backbone without a head; a classifier, or a detector with our head, is needed"
        raise InputError(where, message, "head.fc.weight")
    classes = tensor_of(own, where, "head.fc.weight", 2).shape[0]
    config = ClassifierConfig(_backbone_config(own, where, chosen), classes, chosen.normalization)
    last_norm = f"norm{config.backbone.num_stages - 1}."
    return _filled(Classifier(config), own, where, lambda name: _classifier_name(name, last_norm))


def load_backbone_state(state: StateDict, where: str, options: CheckpointOptions | None = None) -> Backbone:
    """The backbone in a state dict; whatever head or output norm follows it there is left out."""
    chosen = options or CheckpointOptions()
    own = {name: tensor for name, tensor in _own(state, where, chosen).items() if not _OTHERS_HEAD.match(name)}
    config = BackboneConfig(_backbone_config(own, where, chosen), chosen.normalization)
    return _filled(Backbone(config), own, where, lambda name: f"backbone.{name}")


def load_detector_state(state: StateDict, where: str, options: CheckpointOptions | None = None) -> Detector:
    """The detector in a state dict: `backbone.*` under any known names, `head.*` under ours; see `load_checkpoint`."""
    chosen = options or CheckpointOptions()
    if chosen.prefix:
        raise InputError(where, "is read whole: it holds our detector", "prefix")
    head = {name: tensor for name, tensor in state.items() if _OUR_HEAD.match(name)}
    backbone = {name: tensor for name, tensor in state.items() if not _OUR_HEAD.match(name)}
    own = _own(backbone, where, chosen)
    head_dim, hidden = (tensor_of(head, where, f"head.{part}.weight", 2).shape[0] for part in ("fine", "fc1"))
    outputs = tensor_of(head, where, "head.fc2.weight", 2).shape[0]
    if outputs < 5:
        raise InputError(where, f"has {outputs} outputs; at least a class and four distances", "head.fc2.weight")
    try:
        config = DetectorConfig(_backbone_config(own, where, chosen), head_dim, hidden, outputs - 4)
    except ValueError as error:
        raise InputError(where, str(error)) from None
    return _filled(Detector(config), own | head, where, _detector_name)


def _read(path: Path) -> StateDict:
    try:
        return without_prefix(read_state_dict(path))
    except ValueError as error:
        raise InputError(str(path), str(error).removeprefix(f"{path}: ")) from None


def _own(state: StateDict, where: str, options: CheckpointOptions) -> StateDict:
    try:
        return to_own_names(state, options.naming, options.prefix)
    except ValueError as error:
        raise InputError(where, str(error)) from None


def _backbone_config(own: StateDict, where: str, options: CheckpointOptions) -> SwinConfig:
    found = options.arch or swin_config_of(own, where)
    if found.in_channels != 3:
        message = f"reads {found.in_channels} channels of an image; images here have 3"
        raise InputError(where, message, "patch_embed.proj.weight")
    return replace(found, num_classes=None, small_map_rule=options.small_map_rule)


def _classifier_name(own: str, last_norm: str) -> str:
    """`last_norm` is what mmpretrain calls the norm before the head, as if it were a detection backbone's."""
    if own.startswith(("norm.", last_norm)):
        return f"head.norm.{own.partition('.')[2]}"
    return own if own.startswith("head.") else f"backbone.{own}"


def _detector_name(own: str) -> str:
    return own if own.startswith("head.") else f"backbone.{own}"


def _filled(model: Kind, own: StateDict, where: str, name: Callable[[str], str]) -> Kind:
    try:
        load_into(model, {name(key): tensor for key, tensor in own.items()}, where)
    except ValueError as error:
        raise InputError(where, str(error).removeprefix(f"{where}: ")) from None
    return model.eval()
