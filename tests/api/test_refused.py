"""Bad input from Python: one InputError that names the argument, the file or the field."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

import mixarray

PACKED = "packed_w4_32x32"
GEMM = mixarray.Gemm(16, 16, 16, 8, 8)
OTHER = mixarray.Gemm(16, 16, 32, 8, 8)


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        ((0, 1, 1, 8, 8), "Gemm: m: 0 is not possible; allowed: integers from 1"),
        ((1, 1.0, 1, 8, 8), "Gemm: n: 1.0 is not possible"),
        ((1, 1, "1", 8, 8), "Gemm: k: '1' is not possible"),
        ((1, 1, 1, 33, 8), "Gemm: activation_bits: 33 is not possible; allowed: integers from 1 to 32"),
        ((1, 1, 1, 8, True), "Gemm: weight_bits: True is not possible"),
        ((1, 1, 1, 8, 8, 0), "Gemm: result_bits: 0 is not possible"),
        ((1, 1, 1, 8, 8, 8, 3), "Gemm: name: 3 is no text"),
    ],
)
def test_a_gemm_that_is_none(arguments: tuple[Any, ...], text: str) -> None:
    with pytest.raises(mixarray.InputError) as caught:
        mixarray.Gemm(*arguments)
    assert str(caught.value).startswith(text)


@pytest.mark.parametrize(
    ("trace", "accelerator", "options", "text"),
    [
        (3, PACKED, {}, "simulate: trace: is a int; allowed: a bundle or its directory, a mixarray.Gemm, or several"),
        ([], PACKED, {}, "simulate: trace: holds nothing"),
        ([GEMM, (1, 2, 3)], PACKED, {}, "simulate: trace: holds a tuple"),
        ("nowhere", PACKED, {}, "nowhere: no such bundle"),
        (__file__, PACKED, {}, f"{__file__}: is a file, and a bundle is a directory; a SCALE-Sim topology"),
        (GEMM, "packed_w4_32x3", {}, "packed_w4_32x3: no such accelerator; did you mean 'packed_w4_32x32'?"),
        (GEMM, 3, {}, "simulate: accelerator: is a int; allowed: a name, a path, an Accelerator"),
        (GEMM, PACKED, {"overrides": {"arrays.0.row": 3}}, "overrides: arrays.0.row: arrays.0 has no 'row'; allowed:"),
        (GEMM, PACKED, {"overrides": {"arrays.0.rows": 0}}, f"{PACKED} with overrides: arrays.0.rows: "),
        (GEMM, PACKED, {"overrides": {"sources": {}}}, "overrides: sources: this cannot be set"),
        (GEMM, PACKED, {"overrides": {3: 3}}, "simulate: overrides: is no mapping of paths to values"),
        (GEMM, PACKED, {"overrides": ["arrays.0.rows=3"]}, "simulate: overrides: is no mapping of paths to values"),
        (GEMM, PACKED, {"engine": "slow"}, "simulate: engine: 'slow' is not possible; allowed: event, fast"),
        (GEMM, PACKED, {"uniform": "W4A4"}, "simulate: uniform: is for a bundle"),
        (GEMM, PACKED, {"image": 0}, "simulate: image: is for a bundle"),
        (GEMM, PACKED, {"baseline": 1.0}, "simulate: baseline: is a float; allowed: what mixarray.simulate gave"),
    ],
)
def test_what_cannot_be_simulated(trace: Any, accelerator: Any, options: Mapping[str, Any], text: str) -> None:
    assert refusal(trace, accelerator, options).startswith(text)


@pytest.mark.parametrize(
    ("options", "text"),
    [
        ({"image": 1}, "has no image 1; it has images 0 to 0"),
        ({"image": -1}, "has no image -1"),
        ({"image": 0.0}, "simulate: image: 0.0 is no number of an image"),
        ({"image": 0, "uniform": "W4A4"}, "simulate: image: has no meaning with uniform"),
        ({"uniform": "4/4"}, "simulate: uniform: '4/4' is not W<weight bits>A<activation bits>"),
        ({"uniform": "W4A33"}, "33 is not possible; allowed: 1 to 32"),
    ],
)
def test_what_a_bundle_cannot(bundle: Path, options: Mapping[str, Any], text: str) -> None:
    assert text in refusal(bundle, PACKED, options)


def test_a_baseline_of_other_work_or_another_clock(bundle: Path) -> None:
    other = mixarray.simulate(OTHER, PACKED)
    expected = "simulate: baseline: (GEMM 16x16x32, 8x8 bits to 8 on packed_w4_32x32) computes other GEMMs than this"
    assert refusal(GEMM, PACKED, {"baseline": other}) == expected
    assert "computes other GEMMs" in refusal(bundle, PACKED, {"baseline": other})
    assert refusal(OTHER, PACKED, {"baseline": other, "overrides": {"clock_mhz": 700}}).startswith(
        "simulate: baseline: ran at 500 MHz and this at 700"
    )


def refusal(trace: Any, accelerator: Any, options: Mapping[str, Any]) -> str:
    with pytest.raises(mixarray.InputError) as caught:
        mixarray.simulate(trace, accelerator, **options)
    return str(caught.value)
