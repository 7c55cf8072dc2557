"""The flags of `mixarray quantize --method mptq_vit`; without torch."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from mixarray.errors import InputError
from mixarray_analysis.cli.members import read_member
from mixarray_analysis.cli.method_flags import refuse_elsewhere

if TYPE_CHECKING:
    from mixarray_traces.quantization.mptq_options import MptqOptions

MPTQ_VIT = "mptq_vit"

SmoothingAlphaOption = Annotated[
    float | None,
    typer.Option("--smoothing-alpha", help="mptq_vit: exponent of the smoothing, 0 to 1 (default: 0.5)."),
]
NoBiasOption = Annotated[
    bool, typer.Option("--no-bias", help="mptq_vit: smooth channels without shifting them (SmoothQuant alone).")
]
SmoothedRangeOption = Annotated[
    str | None,
    typer.Option("--smoothed-range", help="mptq_vit: smooth by the range of the shifted channel (default), or raw."),
]
SoftmaxQuantizerOption = Annotated[
    str | None,
    typer.Option("--softmax-quantizer", help="mptq_vit: softmax outputs uniform (default), or two_region."),
]
RegionSearchOption = Annotated[
    str | None,
    typer.Option(
        "--region-search", help="mptq_vit: two regions by the error of the layer's output (default), or of the values."
    ),
]


def mptq_options(
    method: str,
    smoothing_alpha: float | None,
    no_bias: bool,
    smoothed_range: str | None,
    softmax_quantizer: str | None,
    region_search: str | None,
) -> MptqOptions | None:
    """The options of `mptq_vit`; None, and InputError for a flag that was given, for any other method."""
    from mixarray_traces.quantization.mptq_options import (
        MptqOptions,
        RegionSearch,
        SmoothedRange,
        SoftmaxQuantizer,
    )

    given = {
        "--smoothing-alpha": smoothing_alpha,
        "--no-bias": no_bias or None,
        "--smoothed-range": smoothed_range,
        "--softmax-quantizer": softmax_quantizer,
        "--region-search": region_search,
    }
    if method != MPTQ_VIT:
        refuse_elsewhere(given, MPTQ_VIT, method, says_value=False)
        return None
    if no_bias and smoothed_range is not None:
        raise InputError("--smoothed-range", f"{smoothed_range} needs shifted channels; leave out --no-bias, or this")
    defaults = MptqOptions()
    return MptqOptions(
        defaults.alpha if smoothing_alpha is None else smoothing_alpha,
        not no_bias,
        read_member("--smoothed-range", smoothed_range, SmoothedRange, defaults.smoothed_range),
        read_member("--softmax-quantizer", softmax_quantizer, SoftmaxQuantizer, defaults.softmax),
        read_member("--region-search", region_search, RegionSearch, defaults.region_search),
    )
