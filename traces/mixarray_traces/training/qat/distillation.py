"""Learning from the float model: the student's class scores are drawn to the teacher's.

OFQ (methods reference 4a): KL divergence from the teacher's soft targets plus the hard loss, weighed equally; the
teacher is the float model. OFQ classifies: its KL is over one softmax. Ours: a cell of the detector scores every class
by a sigmoid of its own, so the KL is that of the classes' Bernoulli distributions, summed and divided by the teacher's
own sum of scores, which is two to three times the number of cells with an object that the hard loss is divided by; the
hard loss is that of the detector (`training/targets.py`); boxes are not distilled.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

BOX_CHANNELS = 4
"""The last channels of the head's output."""


def distillation_loss(student: Tensor, teacher: Tensor) -> Tensor:
    """A scalar, 0 where both agree; head outputs (batch, h, w, classes + 4)."""
    learned, given = student[..., :-BOX_CHANNELS].float(), teacher[..., :-BOX_CHANNELS].float().detach()
    right = torch.sigmoid(given)
    present = functional.logsigmoid(given) - functional.logsigmoid(learned)
    absent = functional.logsigmoid(-given) - functional.logsigmoid(-learned)
    return (right * present + (1 - right) * absent).sum() / right.sum().clamp_min(1)
