"""Cases for the packed W4 array that random ones hardly reach: full sums, many numbers, tiles of every height."""

from __future__ import annotations

from functools import partial

import numpy as np

from mixarray.accelerator.enums import WeightLoading, WeightLoadRows
from mixarray.accelerator.model import Array
from mixarray.accelerator.modes import Bits
from mixarray.array.fold import RowRun
from mixarray.array.problem import Problem, stationary_folds
from mixarray_analysis.validation.rtl.bench import SHAPES, Directed, Shape
from mixarray_analysis.validation.rtl.draws import Codes, Values, draw_codes
from mixarray_analysis.validation.rtl.packed_w4_cases import Case, make_array
from mixarray_analysis.validation.rtl.packed_w4_feed import Gemm

WHOLE_ROW_BITS = 1024
DEEPEST = 131_071
"""-128 times -128 added up so many times is the greatest multiple of it that 32 bits hold."""


def deep(shape: Shape, k: int) -> Case:
    """Sums of k extreme products of one sign, and one tile per array height of K, so that fold numbers grow too."""
    array = make_array(shape, WeightLoading.DOUBLE, WeightLoadRows.ALL, WHOLE_ROW_BITS)
    weights = np.full((k, 2), -128, np.int8)
    weights[:, 1] = 127
    return Case(array, (_gemm(array, ((2, (8, 8)),), np.full((2, k), -128, np.int8), weights),), noise_seed=1)


def many_rows(shape: Shape) -> Case:
    """700 rows by three column tiles: more than half of the accumulator entries."""
    draw = np.random.default_rng(1)
    array = make_array(shape, WeightLoading.SINGLE, WeightLoadRows.ALL, WHOLE_ROW_BITS)
    activations = draw_codes(draw, Values.ALL, 4, (700, shape[0] + 1))
    weights = draw_codes(draw, Values.ALL, 4, (shape[0] + 1, 3 * shape[1]))
    return Case(array, (_gemm(array, ((400, (4, 4)), (300, (8, 4))), activations, weights),), noise_seed=2)


def every_height(shape: Shape) -> Case:
    """K = 1 .. R, loaded without a pause just before the rows stream: each array row is once the last one written."""
    draw = np.random.default_rng(2)
    array = make_array(shape, WeightLoading.SINGLE, WeightLoadRows.USED, WHOLE_ROW_BITS)
    gemms = []
    for k in range(1, shape[0] + 1):
        activations, weights = (draw_codes(draw, Values.ALL, 4, size) for size in ((2, k), (k, shape[1])))
        gemms.append(_gemm(array, ((1, (8, 4)), (1, (4, 4))), activations, weights))
    return Case(array, tuple(gemms), noise_seed=3)


def _gemm(array: Array, runs: tuple[tuple[int, Bits], ...], activations: Codes, weights: Codes) -> Gemm:
    k, n = weights.shape
    problem = Problem(tuple(RowRun(rows, array.mode(*bits)) for rows, bits in runs), n, k)
    return Gemm(stationary_folds(array, problem), activations, weights)


DIRECTED: tuple[Directed, ...] = (
    Directed((4, 4), partial(deep, k=1031)),
    Directed((4, 4), many_rows),
    Directed((16, 16), partial(deep, k=DEEPEST)),
    *(Directed(shape, every_height) for shape in SHAPES),
)
