"""The heads of the quantized network: their linear operators by name, and their forward pass over one arithmetic."""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn import functional

from mixarray_traces.model.classifier import ClassificationHead, NoHead
from mixarray_traces.model.detector import DetectionHead, repeat_2x2
from mixarray_traces.model.swin import normalise
from mixarray_traces.quantization.arithmetic import Arithmetic

Head = DetectionHead | ClassificationHead | NoHead


def head_linears(head: Head) -> dict[str, nn.Linear]:
    """The head's linear operators under their names in the trace."""
    if isinstance(head, DetectionHead):
        return {"head.fine": head.fine, "head.coarse": head.coarse, "head.fc1": head.fc1, "head.fc2": head.fc2}
    return {"head": head.fc} if isinstance(head, ClassificationHead) else {}


def run_head(head: Head, maps: list[Tensor], arithmetic: Arithmetic, bits: int) -> Tensor:
    """The head's output from the maps of all stages, (images, h, w, C) each; activations at `bits`."""
    if isinstance(head, DetectionHead):
        return _detect(head, maps, arithmetic, bits)
    if isinstance(head, ClassificationHead):
        return arithmetic.linear("head", head.pool(maps), bits)
    return maps[-1]


def _detect(head: DetectionHead, maps: list[Tensor], arithmetic: Arithmetic, bits: int) -> Tensor:
    fine = arithmetic.linear("head.fine", normalise(head.norm_fine, maps[-2]), bits)
    coarse = arithmetic.linear("head.coarse", normalise(head.norm_coarse, maps[-1]), bits)
    joined = fine + repeat_2x2(coarse, fine.shape[1], fine.shape[2])
    hidden = functional.gelu(arithmetic.linear("head.fc1", normalise(head.norm, joined), bits))
    return arithmetic.linear("head.fc2", hidden, bits)
