"""Codes of two regions: the nearest level, integers for the multiplier, one code for 0; and their search."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from mixarray.array.regions import Regions
from mixarray.errors import InputError
from mixarray_traces.quantization.affine import WeightParams
from mixarray_traces.quantization.kinds import activation_from_json, activation_to_json
from mixarray_traces.quantization.region_search import (
    SHARES,
    largest_shift,
    linear_error,
    product_error,
    search_two_region,
    value_error,
)
from mixarray_traces.quantization.two_region import TwoRegionParams

KINDS = st.integers(2, 8).flatmap(
    lambda bits: st.builds(TwoRegionParams, st.just(bits), st.just(0.25), st.integers(0, bits), st.booleans())
)


def levels(quantizer: TwoRegionParams) -> Tensor:
    """All numbers that some code stands for, in units of the step."""
    magnitudes = torch.arange(1 << (quantizer.bits - 1), dtype=torch.float64)
    fine = -magnitudes if quantizer.negative else magnitudes
    return torch.cat([fine, magnitudes * 2**quantizer.shift])


def drawn(quantizer: TwoRegionParams, seed: int) -> Tensor:
    """Values over the range of the levels and somewhat beyond, 0 among them."""
    generator = torch.Generator().manual_seed(seed)
    low, high = (1.2 * float(end) * quantizer.step for end in levels(quantizer).aminmax())
    return torch.cat([torch.zeros(1), torch.rand(200, generator=generator) * (high - low) + low]).double()


@given(KINDS, st.integers(0, 2**31))
def test_a_value_gets_the_nearest_level(quantizer: TwoRegionParams, seed: int) -> None:
    values = drawn(quantizer, seed)
    found = quantizer.multiplicands(values)
    distance = (levels(quantizer) - (values / quantizer.step).unsqueeze(1)).abs().amin(dim=1)
    torch.testing.assert_close((found - values / quantizer.step).abs(), distance, rtol=0, atol=1e-9)
    assert torch.equal(found, found.round())
    assert bool(torch.isin(found, levels(quantizer)).all())


@given(KINDS, st.integers(0, 2**31))
def test_the_machine_reads_from_the_codes_what_fake_quantization_multiplies(
    quantizer: TwoRegionParams, seed: int
) -> None:
    values = drawn(quantizer, seed)
    codes = quantizer.codes(values)
    (term,) = quantizer.terms(values)
    meant = Regions(quantizer.bits, quantizer.shift, quantizer.negative).multiplicands(codes.long().numpy())
    assert torch.equal(torch.from_numpy(meant).double(), quantizer.multiplicands(values))
    assert torch.equal(term.codes * term.factor, quantizer.multiplicands(values))
    half = 1 << (quantizer.bits - 1)
    assert -half <= int(codes.min()) <= int(codes.max()) < half
    assert bool((codes[quantizer.multiplicands(values) == 0] == 0).all()), "0 has one code"


def test_codes_by_hand() -> None:
    """4 bits, m = 2: 0 to -7 in steps of 1, 0 to 28 in steps of 4; the flag is worth -8 in a signed code."""
    quantizer = TwoRegionParams(4, 0.5, 2, negative=True)
    values = torch.tensor([0.0, -0.5, -3.4, -9.0, 0.9, 1.1, 2.0, 13.9, 99.0]).double()
    assert quantizer.multiplicands(values).tolist() == [0, -1, -7, -7, 0, 4, 4, 28, 28]
    assert quantizer.codes(values).tolist() == [0, 1, 7, 7, 0, -7, -7, -1, -1]
    softmax = TwoRegionParams(4, 0.5, 2, negative=False)
    assert softmax.multiplicands(torch.tensor([0.4, 3.5, 3.9, 5.9]).double()).tolist() == [1, 7, 8, 12]


@pytest.mark.parametrize("fault", [Regions(4, 3, True), Regions(4, 2, False), Regions(5, 2, True)])
def test_a_reader_of_another_shift_sign_or_width_is_noticed(fault: Regions) -> None:
    quantizer = TwoRegionParams(4, 0.25, 2, negative=True)
    values = drawn(quantizer, 0)
    meant = fault.multiplicands(quantizer.codes(values).long().numpy())
    assert not torch.equal(torch.from_numpy(meant).double(), quantizer.multiplicands(values))


@pytest.mark.parametrize(("step", "shift"), [(0.0, 1), (float("nan"), 1), (1.0, -1), (1.0, 5)])
def test_impossible_ones_are_refused(step: float, shift: int) -> None:
    with pytest.raises(ValueError, match=r"step|shift"):
        TwoRegionParams(4, step, shift, negative=True)


def test_saved_and_read_again() -> None:
    quantizer = TwoRegionParams(4, 0.1, 3, negative=False)
    assert activation_from_json(4, activation_to_json(quantizer)) == quantizer
    with pytest.raises(ValueError, match="negative"):
        activation_from_json(4, activation_to_json(quantizer) | {"negative": 1})


def gelu(count: int, seed: int = 0) -> Tensor:
    generator = torch.Generator().manual_seed(seed)
    return torch.nn.functional.gelu(2 * torch.randn(count, generator=generator, dtype=torch.float64))


def test_the_search_finds_the_least_error_and_the_first_of_equals() -> None:
    values = gelu(4000)
    high = float(values.max())
    found = search_two_region(value_error(values), high, 4, True, 4)
    every = [
        TwoRegionParams(4, high * share / (7 << shift), shift, negative=True) for shift in range(5) for share in SHARES
    ]
    assert value_error(values)(found) == min(map(value_error(values), every))
    assert found.shift > 0, "two equal regions are the worse choice behind a GELU"
    first = search_two_region(lambda one: 0.0, high, 4, True, 4)
    assert (first.shift, first.step) == (0, high / 7)
    assert search_two_region(value_error(values), high, 4, True, 1).shift <= 1
    assert search_two_region(value_error(values), 0.0, 4, True, 4) == TwoRegionParams(4, 1.0, 0, negative=True)


def test_the_layer_behind_decides() -> None:
    """Weights that see large inputs alone: its output is worth a coarser step than the values are."""
    inputs = gelu(256 * 8).reshape(256, 8)
    inputs[:, 0] *= 6
    matrix = torch.zeros(3, 8, dtype=torch.float64)
    matrix[:, 0] = torch.tensor([1.0, -2.0, 0.5])
    error = linear_error(inputs, matrix, WeightParams(8, torch.full((3,), 2 / 127, dtype=torch.float64)))
    high = float(inputs.max())
    by_output = search_two_region(error, high, 4, True, 4)
    by_values = search_two_region(value_error(inputs.flatten()), high, 4, True, 4)
    assert error(by_output) < error(by_values)


def test_products_are_judged_over_all_their_elements() -> None:
    generator = torch.Generator().manual_seed(1)
    left = torch.softmax(4 * torch.randn(3, 5, 5, generator=generator, dtype=torch.float64), dim=-1)
    right = torch.randn(3, 5, 2, generator=generator, dtype=torch.float64)
    quantizer = TwoRegionParams(4, 0.02, 3, negative=False)
    expected = ((quantizer.multiplicands(left) * 0.02 - left) @ right).square().mean()
    found = product_error([(left[:2], right[:2]), (left[2:], right[2:])])(quantizer)
    assert found == pytest.approx(float(expected), rel=1e-12)


@given(st.integers(2, 8), st.integers(2, 8), st.integers(1, 20_000))
def test_the_largest_shift_is_the_last_whose_sums_fit(bits: int, other: int, depth: int) -> None:
    shift = largest_shift("a layer", bits, other, depth)
    worst = depth * ((1 << (bits - 1)) - 1) * (1 << (other - 1))
    assert (worst << shift) < 2**31 <= (worst << (shift + 1))


def test_sums_that_fit_at_no_shift_are_refused() -> None:
    with pytest.raises(InputError, match="200000 products of 8 by 8 bits leave 32-bit"):
        largest_shift("a layer", 8, 8, 200_000)
