"""The model under training: a network with live weights and learners, made from a quantized model and frozen to one."""

from __future__ import annotations

import copy
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from mixarray.errors import InputError
from mixarray_traces.model.detector import Detector
from mixarray_traces.quantization.arithmetic import Calibration
from mixarray_traces.quantization.low_norms import (
    attach_low_norms,
    copies_of_norms,
    detach_low_norms,
    read_low_norms,
)
from mixarray_traces.quantization.lsq import SMALLEST_LEARNED_STEP, LsqLearner, LsqParams
from mixarray_traces.quantization.network import live_weights, named_weights, weights_by_bits
from mixarray_traces.quantization.options import LowBranch, OfqOptions, QuantizationOptions
from mixarray_traces.quantization.quantized import QuantizedDetector
from mixarray_traces.quantization.quantizers import ActivationQuantizer
from mixarray_traces.quantization.query_key import quantized_as
from mixarray_traces.quantization.statsq import statsq_params
from mixarray_traces.training.qat.arithmetic import TrainableArithmetic
from mixarray_traces.training.qat.low_branch import with_fresh_low_branch

METHOD = "ofq"


@dataclass(frozen=True)
class TrainState:
    """What is trained.

    Attributes:
        start: the quantized model that training began with.
        network: its network, float32, with gradients; where the low branch trains, with its LayerNorms attached.
        learners: of every activation that trains, by (tensor name, branch); tensors that share a quantizer share one.
        bits: of every weight, by operator.
        low_trains: whether the low branch is part of it.
    """

    start: QuantizedDetector
    network: Detector
    learners: dict[tuple[str, int], LsqLearner]
    bits: dict[str, int]
    low_trains: bool

    @classmethod
    def of(cls, start: QuantizedDetector, low_trains: bool, device: str) -> TrainState:
        """Begin from a quantized detector; InputError for another kind of model or another method."""
        detector, options = start.detector, start.options
        if not isinstance(detector, Detector):
            raise InputError("qat", "trains detectors; this is another kind of model", "model")
        if options.method != METHOD:
            raise InputError("qat", f"a model of {options.method}; training goes on from one of {METHOD}", "model")
        network = _network(start, detector, low_trains).to(device)
        weights = named_weights(network)
        left_out = options.low_bits if not low_trains else None
        learners = {
            (name, branch): _learner(quantizer, device)
            for (name, branch), quantizer in start.calibration.activations.items()
            if quantized_as(name, weights) == name and not (".blocks." in name and branch == left_out)
        }
        return cls(start, network, learners, weights_by_bits(weights, options.layer_bits), low_trains)

    def parameters(self) -> dict[str, Tensor]:
        """Every trained tensor by name, in a fixed order."""
        found: dict[str, Tensor] = dict(self.network.named_parameters())
        for (name, branch), learner in self.learners.items():
            found |= {f"{name}@{branch}.{part}": value for part, value in learner.parameters().items()}
        return found

    def arithmetic(self) -> TrainableArithmetic:
        """The arithmetic of one step."""
        return TrainableArithmetic(live_weights(self.network), self.bits, self.learners)

    def matrices(self) -> dict[str, Tensor]:
        """The weight matrices by operator, views of the trained tensors without gradients."""
        return {name: one.matrix for name, one in named_weights(self.network).items()}

    @torch.no_grad()
    def keep_steps_positive(self) -> None:
        """After an optimizer step: no step below the smallest one."""
        for learner in self.learners.values():
            learner.steps.clamp_min_(SMALLEST_LEARNED_STEP)

    def freeze(self) -> QuantizedDetector:
        """The quantized model as it stands; an untrained low branch is made anew from the high one."""
        network = copy.deepcopy(self.network).cpu().requires_grad_(False).eval()
        weights = named_weights(network)
        frozen = {key: learner.freeze() for key, learner in self.learners.items()}
        activations: dict[tuple[str, int], ActivationQuantizer] = {
            (name, branch): frozen.get((quantized_as(name, weights), branch), before)
            for (name, branch), before in self.start.calibration.activations.items()
        }
        quantizers = {name: statsq_params(one.matrix, self.bits[name]) for name, one in weights.items()}
        calibration = Calibration(activations, quantizers)
        options = _with_low_branch(self.start.options, LowBranch.TRAINED)
        low_norms, plain = read_low_norms(network), detach_low_norms(network)
        start = self.start
        model = QuantizedDetector(
            plain, options, calibration, start.source, low_norms=low_norms, training=start.training
        )
        return model if self.low_trains else with_fresh_low_branch(model)


def low_branch_is_trained(model: QuantizedDetector) -> bool:
    """Whether a model's low branch was trained."""
    return model.options.ofq is not None and model.options.ofq.low_branch is LowBranch.TRAINED


def _network(start: QuantizedDetector, detector: Detector, low_trains: bool) -> Detector:
    norms = start.low_norms or copies_of_norms(detector)
    network = attach_low_norms(detector, norms) if low_trains else copy.deepcopy(detector)
    if not isinstance(network, Detector):
        raise TypeError("a detector is attached to a detector")
    return network.float().requires_grad_(True).train()


def _learner(quantizer: ActivationQuantizer, device: str) -> LsqLearner:
    if not isinstance(quantizer, LsqParams):
        raise InputError("qat", f"{type(quantizer).__name__} in a model of {METHOD}; allowed: LsqParams", "model")
    return LsqLearner.of(quantizer, device)


def _with_low_branch(options: QuantizationOptions, low_branch: LowBranch) -> QuantizationOptions:
    return replace(options, ofq=replace(options.ofq or OfqOptions(), low_branch=low_branch))
