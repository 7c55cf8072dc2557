"""Whether two runs did the same work, by what run.json holds of it: a bundle may have been moved since."""

from __future__ import annotations

from mixarray.result.run import RunResult, TraceUse
from mixarray_analysis.plan import uniform_name


def work_differences(first: RunResult, second: RunResult) -> tuple[str, ...]:
    """In what the work of two runs differs, in words; empty where it is the same.

    A bundle is known by its hash, whatever its place; a topology file by its hash and its words (name and bits); a GEMM
    by its words.
    """
    one, other = first.trace, second.trace
    if first.trace_sha256 != second.trace_sha256:
        return ("another trace",)
    if one is None or other is None:
        return () if first.source == second.source else (f"{first.source} and {second.source}",)
    differs = []
    if one.uniform != other.uniform:
        differs.append(f"{_precision(one)} and {_precision(other)}")
    images = _image(first, one), _image(second, other)
    if images[0] != images[1]:
        differs.append(f"{images[0]} and {images[1]}")
    return tuple(differs)


def _precision(trace: TraceUse) -> str:
    return "precision as recorded" if trace.uniform is None else uniform_name(trace.uniform)


def _image(result: RunResult, trace: TraceUse) -> str:
    """Which images ran. A bundle of which one image ran as all has only that: image 0."""
    if trace.image is None and trace.uniform is None and result.images == 1:
        return "image 0"
    return "all images" if trace.image is None else f"image {trace.image}"
