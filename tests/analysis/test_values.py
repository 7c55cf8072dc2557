from __future__ import annotations

import pytest

from mixarray.errors import InputError
from mixarray_analysis.cli.values import (
    read_bits,
    read_gemm,
    read_ratio,
    read_ratios,
    read_size,
    read_uniform,
    split_list,
)


@pytest.mark.parametrize(
    ("text", "ratios"),
    [
        ("0:0.8:0.2", (0, 200, 400, 600, 800)),
        ("0:0.3:0.1", (0, 100, 200, 300)),
        ("0.8,0,0.35", (0, 350, 800)),
        ("1", (1000,)),
        ("0,1", (0, 1000)),
        ("0.2,0.20", (200,)),
    ],
)
def test_ratios(text: str, ratios: tuple[int, ...]) -> None:
    assert read_ratios(text) == ratios


@pytest.mark.parametrize(
    "text",
    ["", "x", "nan", "inf", "-0.1", "0.9", "1.1", "0.0005", "0:0.8", "0:0.8:0", "0.8:0:0.2", "0:0.8:0.3", "0,,1"],
)
def test_impossible_ratios_are_refused(text: str) -> None:
    with pytest.raises(InputError, match="--ratios"):
        read_ratios(text)


def test_a_range_may_not_pass_through_what_no_ratio_can_be() -> None:
    with pytest.raises(InputError, match="out of range"):
        read_ratios("0:1:0.1")


@pytest.mark.parametrize("text", ["nan", "NaN", "0.81", "two"])
def test_an_impossible_ratio_is_refused(text: str) -> None:
    with pytest.raises(InputError, match="--ratio"):
        read_ratio(text)


def test_shapes_and_bits() -> None:
    assert read_gemm("64, 32,16") == (64, 32, 16)
    assert read_bits("8,4") == (8, 4)
    assert read_size("800x1333") == (800, 1333)
    assert read_uniform("W4A8") == (8, 4)


@pytest.mark.parametrize("text", ["64,64", "64,64,0", "64,64,64,64", "a,b,c", "1e3,2,2", "-1,2,2", "1.5,2,2", ""])
def test_impossible_gemms_are_refused(text: str) -> None:
    with pytest.raises(InputError, match="--gemm"):
        read_gemm(text)


@pytest.mark.parametrize("text", ["A8W4", "W4", "4,8", ""])
def test_impossible_uniform_precisions_are_refused(text: str) -> None:
    with pytest.raises(InputError, match="--uniform"):
        read_uniform(text)


def test_lists_name_what_stands_twice() -> None:
    assert split_list("a, b", "--accelerator") == ("a", "b")
    with pytest.raises(InputError, match="a stands twice"):
        split_list("a,a", "--accelerator")
