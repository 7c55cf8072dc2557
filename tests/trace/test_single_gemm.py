"""A single GEMM is a workload like any other; impossible sizes and bits are refused."""

from __future__ import annotations

import pytest

from mixarray.errors import InputError
from mixarray.trace.workload import single_gemm


def test_one_operator_with_one_group() -> None:
    workload = single_gemm(64, 32, 128, 8, 4)
    ((group,),) = (grouped.groups for grouped in workload.operators)
    assert (group.stream_bits, group.stationary_bits, group.rows) == (8, 4, 64)
    assert workload.macs == 64 * 32 * 128


@pytest.mark.parametrize(
    ("arguments", "message"),
    [((0, 1, 1, 8, 4), "--gemm: M: 0"), ((1, 1, -2, 8, 4), "--gemm: K: -2"), ((1, 1, 1, 0, 4), "--bits: streaming: 0")],
)
def test_impossible_gemms(arguments: tuple[int, int, int, int, int], message: str) -> None:
    with pytest.raises(InputError, match=message):
        single_gemm(*arguments)
