"""Cases for the output-stationary array that random ones hardly reach: full sums and many folds."""

from __future__ import annotations

from functools import partial

import numpy as np

from mixarray.accelerator.enums import WeightLoading, WeightLoadRows
from mixarray_analysis.validation.rtl.bench import Directed, Shape
from mixarray_analysis.validation.rtl.draws import Values, draw_codes
from mixarray_analysis.validation.rtl.output_stationary import BITS, LARGEST_ID
from mixarray_analysis.validation.rtl.output_stationary_cases import Case, make_array, make_gemm

WHOLE_ROW_BITS = 1024


def deep(shape: Shape, k: int) -> Case:
    """Sums of k extreme products of one sign."""
    array = make_array(shape, WeightLoading.DOUBLE, WeightLoadRows.ALL, WHOLE_ROW_BITS)
    weights = np.full((k, shape[1]), -128, np.int8)
    weights[:, ::2] = 127
    activations = np.full((shape[0], k), -128, np.int8)
    return Case(array, (make_gemm(array, (shape[0],), activations, weights),), noise_seed=1)


def many_folds(shape: Shape) -> Case:
    """300 folds of one step each: 15 x 20 tiles."""
    draw = np.random.default_rng(1)
    array = make_array(shape, WeightLoading.DOUBLE, WeightLoadRows.ALL, WHOLE_ROW_BITS)
    rows, columns = 15 * shape[0], 20 * shape[1]
    activations, weights = (draw_codes(draw, Values.ALL, BITS, size) for size in ((rows, 1), (1, columns)))
    return Case(array, (make_gemm(array, (rows,), activations, weights),), noise_seed=2)


DIRECTED: tuple[Directed, ...] = (
    Directed((4, 4), partial(deep, k=1031)),
    Directed((4, 4), many_folds),
    Directed((16, 16), partial(deep, k=LARGEST_ID - 1)),
)
