"""Low-rank weights: merged and on a side path, in every arithmetic, saved and read."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch

from mixarray.errors import InputError
from mixarray_traces.quantization.affine import AffineParams
from mixarray_traces.quantization.allocation import LayerBits
from mixarray_traces.quantization.arithmetic import Calibration, FakeArithmetic, Weight
from mixarray_traces.quantization.integer import IntegerArithmetic
from mixarray_traces.quantization.low_rank import (
    LowRank,
    SidePathArithmetic,
    merged,
    side_allocation,
    with_side_path,
    with_sides,
)
from mixarray_traces.quantization.low_rank_store import (
    LOW_RANK_FILE,
    check_low_rank,
    low_rank_content,
    low_rank_to_json,
    read_low_rank,
)
from mixarray_traces.quantization.options import RangeRule
from mixarray_traces.quantization.ranges import weight_params
from mixarray_traces.quantization.side_names import between, input_of, side_a, side_b

ROWS, INPUTS, OUTPUTS, RANK = 5, 12, 7, 3


def draw(*size: int, seed: int = 0) -> torch.Tensor:
    return torch.randn(*size, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def pair() -> LowRank:
    return LowRank(draw(RANK, INPUTS, seed=1), draw(OUTPUTS, RANK, seed=2), bits=8)


def weights() -> dict[str, Weight]:
    return {"fc": Weight(draw(OUTPUTS, INPUTS, seed=3), draw(OUTPUTS, seed=4))}


def test_the_names_of_a_side_path() -> None:
    assert (side_a("fc"), side_b("fc"), between("fc")) == ("fc.low_rank.a", "fc.low_rank.b", "fc.low_rank.b.input")
    assert [input_of(name) for name in ("fc", side_a("fc"), side_b("fc"))] == ["fc.input", "fc.input", between("fc")]


def test_merged_weights_are_the_sum() -> None:
    found = merged(weights() | {"other": weights()["fc"]}, {"fc": pair()})
    torch.testing.assert_close(found["fc"].matrix, weights()["fc"].matrix + pair().b @ pair().a)
    assert torch.equal(found["other"].matrix, weights()["fc"].matrix)


def test_a_side_path_is_the_sum_of_both_products_in_both_arithmetics() -> None:
    """Q(W) x + B (A x), with x, A x, A and B quantized: textbook, fake and integer agree; without B they differ."""
    inputs, plain = draw(ROWS, INPUTS), weights()
    both = with_sides(plain, {"fc": pair()})
    bits = {"fc": 4, side_a("fc"): 8, side_b("fc"): 8}
    quantizers = {name: weight_params(one.matrix, bits[name], RangeRule.MSE) for name, one in both.items()}
    stream, few = AffineParams(4, 0.4, 2), AffineParams(8, 0.1, -3)
    calibration = Calibration({("fc.input", 8): stream, (between("fc"), 8): few}, quantizers)
    w, a, b = (
        quantizers[name].multiplicands(both[name].matrix) * quantizers[name].steps.unsqueeze(1)
        for name in ("fc", side_a("fc"), side_b("fc"))
    )
    x = stream.multiplicands(inputs) * stream.step
    bias = plain["fc"].bias
    assert bias is not None
    expected = x @ w.T + bias + (few.multiplicands(x @ a.T) * few.step) @ b.T
    for inner in (FakeArithmetic(both, calibration), IntegerArithmetic(both, calibration)):
        found = with_side_path(inner, ["fc"]).linear("fc", inputs, 8)
        torch.testing.assert_close(found, expected, rtol=0, atol=1e-10)
        assert float((inner.linear("fc", inputs, 8) - expected).abs().max()) > 0.1
        assert with_side_path(inner, []) is inner
        assert isinstance(with_side_path(inner, ["fc"]), SidePathArithmetic)


def test_bits_of_a_side_path_are_an_allocation() -> None:
    """In the low branch what passes between has no more bits than the branch."""
    layers = LayerBits(4, (8, 4), 8, side_allocation(None, {"s.blocks.0.fc": pair()}))
    assert layers.weight(side_a("s.blocks.0.fc")) == layers.weight(side_b("s.blocks.0.fc")) == 8
    assert layers.weight("s.blocks.0.fc") == 4
    assert layers.activation(between("s.blocks.0.fc")) == {8: 8, 4: 4}


@pytest.mark.parametrize(
    ("a", "b"),
    [
        (draw(RANK, INPUTS), draw(OUTPUTS, RANK + 1)),
        (draw(0, INPUTS), draw(OUTPUTS, 0)),
        (draw(OUTPUTS + 1, INPUTS), draw(OUTPUTS, OUTPUTS + 1)),
        (draw(RANK, INPUTS) / 0, draw(OUTPUTS, RANK)),
    ],
)
def test_impossible_ranks_are_refused(a: torch.Tensor, b: torch.Tensor) -> None:
    with pytest.raises(ValueError, match=r"rank|finite"):
        LowRank(a, b, 8)


def test_saved_ranks_are_read_again_and_broken_ones_refused(tmp_path: Path) -> None:
    low_rank = {"fc": pair()}
    described = low_rank_to_json(low_rank)
    file = tmp_path / LOW_RANK_FILE
    file.write_bytes(low_rank_content(low_rank))
    found = read_low_rank(tmp_path, described, "manifest")
    assert torch.equal(found["fc"].a, pair().a)
    assert torch.equal(found["fc"].b, pair().b)
    assert low_rank_to_json(found) == described
    assert described["low_rank"]["layers"] == {"fc": {"rank": RANK, "bits": 8}}
    assert low_rank_to_json({}) == {}
    check_low_rank(found, described, weights(), "manifest")
    with pytest.raises(InputError, match="fits no"):
        check_low_rank(found, described, {"fc": Weight(draw(OUTPUTS, INPUTS + 1), None)}, "manifest")
    with pytest.raises(InputError, match="names low-rank weights"):
        check_low_rank({}, described, weights(), "manifest")
    lied = {"low_rank": described["low_rank"] | {"layers": {"fc": {"rank": 2, "bits": 8}}}}
    with pytest.raises(InputError, match="has rank 3"):
        read_low_rank(tmp_path, lied, "manifest")
    file.write_bytes(low_rank_content({"fc": replace(pair(), a=pair().a + 1)}))
    with pytest.raises(InputError, match="not the file"):
        read_low_rank(tmp_path, described, "manifest")
    file.unlink()
    with pytest.raises(InputError, match="cannot be read"):
        read_low_rank(tmp_path, described, "manifest")
