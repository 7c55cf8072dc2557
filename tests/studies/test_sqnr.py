"""SQNR: closed forms for known noise, exact windows, both references, and energies that miss nothing."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from torch import Tensor

from mixarray.errors import InputError
from mixarray_traces.importance.context import ImageFacts
from mixarray_traces.quantization.arithmetic import Arithmetic, ArithmeticKind
from mixarray_traces.quantization.network import BlockStep
from mixarray_traces.quantization.quantized import QuantizedDetector
from mixarray_traces.quantization.ratios import RatioChoice
from mixarray_traces.studies.sqnr import Reference, WindowBranch, decibels, sqnr_rows, window_energies

MIXED = RatioChoice(400, 200)


@pytest.fixture(scope="module")
def images() -> Tensor:
    return torch.randn(2, 3, 96, 128, generator=torch.Generator().manual_seed(3))


FACTS = (ImageFacts(1), ImageFacts(2))


def test_decibels_by_hand() -> None:
    found = decibels(np.array([1.0, 4.0, 1.0, 0.0]), np.array([0.01, 1.0, 0.0, 0.0]))
    assert found[:2] == pytest.approx([20, 10 * math.log10(4)])
    assert found[2] == math.inf
    assert math.isnan(found[3])


class Scaled:
    """The float arithmetic whose fc2 of one block gives its own result plus a known one."""

    def __init__(self, exact: Arithmetic, block: str, share: float) -> None:
        self._exact, self._name, self._share = exact, f"{block}.mlp.fc2", share
        self.added: list[Tensor] = []

    def linear(self, name: str, inputs: Tensor, branch: int) -> Tensor:
        result = self._exact.linear(name, inputs, branch)
        if name != self._name:
            return result
        self.added.append(self._share * torch.ones_like(result))
        return result + self.added[-1]

    def matmul(self, name: str, left: Tensor, right: Tensor, branch: int) -> Tensor:
        return self._exact.matmul(name, left, right, branch)


def test_known_noise_gives_its_closed_form(model: QuantizedDetector, images: Tensor) -> None:
    """A constant c added to every channel of every token: noise c * c * tokens * channels, window by window."""
    plan = model.plan(400, FACTS, "random")
    noisy = Scaled(model.arithmetic(ArithmeticKind.FLOAT), "stages.2.blocks.5", 0.125)
    quiet = model.arithmetic(ArithmeticKind.FLOAT)
    model._arithmetics[ArithmeticKind.INTEGER] = noisy  # stands in for a quantized arithmetic
    try:
        parts = window_energies(model, images, plan, tuple(Reference), ArithmeticKind.INTEGER)
    finally:
        del model._arithmetics[ArithmeticKind.INTEGER]
    noise = dict.fromkeys(Reference, 0.0)
    for part in parts:
        noise[part.key[0]] += float(part.noise.sum())
        assert part.key[1] == 2 or part.noise == pytest.approx(0, abs=1e-6)
    channels, tokens = 128, len(images) * 6 * 8  # 96x128 px at 16 px per token in the last stage
    expected = 0.125**2 * channels * tokens
    assert noise == pytest.approx(dict.fromkeys(Reference, expected), rel=1e-4)
    assert sum(part.numel() for part in noisy.added) == channels * tokens
    assert quiet is model.arithmetic(ArithmeticKind.FLOAT)


def test_without_quantization_every_window_is_exact(model: QuantizedDetector, images: Tensor) -> None:
    parts = window_energies(model, images, model.plan(0, FACTS), tuple(Reference), ArithmeticKind.FLOAT)
    assert all((part.noise == 0).all() and (part.signal > 0).all() for part in parts)
    quantized = window_energies(model, images, model.plan(0, FACTS), tuple(Reference))
    assert all((part.noise > 0).all() for part in quantized)


def test_energies_are_those_of_whole_maps(model: QuantizedDetector, images: Tensor) -> None:
    """Windows of all branches together hold every real token once: their sums are those of the maps."""
    plan = model.plan(MIXED, FACTS, "random")
    steps: list[BlockStep] = []
    model.run(images, plan, watch=steps.append)
    floats: list[BlockStep] = []
    model.run(images, model.plan(0, FACTS), model.arithmetic(ArithmeticKind.FLOAT), floats.append)
    expected = sum(
        float((one.after - other.after).double().square().sum()) for one, other in zip(steps, floats, strict=True)
    )
    parts = window_energies(model, images, plan, (Reference.NETWORK,))
    assert sum(float(part.noise.sum()) for part in parts) == pytest.approx(expected)
    kept_only = sum(float(part.noise.sum()) for part in parts if part.key[2] is not WindowBranch.PRUNED)
    assert kept_only < 0.999 * expected


def test_low_bits_are_noisier_and_earlier_errors_count(model: QuantizedDetector) -> None:
    """The same windows all high and all low; block by block, and with the errors of all blocks before."""
    high, low = (sqnr_rows(model, ratio, n=1, size=224) for ratio in (0, 1000))
    for one, other in zip(high, low, strict=True):
        assert (one.branch, other.branch) == (WindowBranch.HIGH, WindowBranch.LOW)
        assert one.sqnr_db > other.sqnr_db + 1  # 4-bit weights are most of the noise in both
        assert one.pooled_db > other.pooled_db + 1
    network, block = high[:3], high[3:]
    assert [row.reference for row in (*network, *block)] == [Reference.NETWORK] * 3 + [Reference.BLOCK] * 3
    assert all(one.sqnr_db < other.sqnr_db for one, other in zip(network[1:], block[1:], strict=True))


def test_rows_count_the_windows_of_their_branch(model: QuantizedDetector) -> None:
    rows = {(row.reference, row.stage, row.branch): row for row in sqnr_rows(model, MIXED, n=2, size=224)}
    assert len(rows) == 2 * 3 * 3
    # 64, 16 and 4 windows in 2, 2 and 6 blocks of two canvases; 0.6 and then 0.8 of them are above the cuts
    counts = [rows[Reference.BLOCK, stage, WindowBranch.HIGH].windows for stage in range(3)]
    assert counts == [2 * 2 * 25, 2 * 2 * 6, 2 * 6 * 1]
    assert all(row.exact == 0 and row.images == 2 for row in rows.values())


def test_branches_without_windows_have_no_row_and_bad_input_is_refused(model: QuantizedDetector) -> None:
    rows = sqnr_rows(model, 1000, n=1, size=112, references=(Reference.BLOCK,))
    assert {row.branch for row in rows} == {WindowBranch.LOW}
    for ratio, n in ((900, 1), (0, 0)):
        with pytest.raises(InputError):
            sqnr_rows(model, ratio, n=n, size=112)
