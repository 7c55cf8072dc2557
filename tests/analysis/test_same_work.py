"""Whether two runs did the same work: known by content, not by the name of a directory."""

from __future__ import annotations

import pytest

from mixarray.accelerator.load import load_accelerator
from mixarray.result.run import RunResult, TraceUse, run_result
from mixarray.simulation import simulate
from mixarray.trace.workload import single_gemm
from mixarray_analysis.same_work import work_differences

HERE = TraceUse(path="bundle", uniform=None, image=None)


@pytest.fixture(scope="module")
def template() -> RunResult:
    """A real result whose trace is then replaced."""
    done = simulate(single_gemm(8, 8, 8, 8, 8), load_accelerator("plain_int8_32x32"))
    return run_result([(done, 1)], source="bundle", trace_sha256="a" * 64, seed=None, speedup=None, trace=HERE)


def changed(result: RunResult, **values: object) -> RunResult:
    return result.model_copy(update=values)


def test_a_moved_bundle_is_the_same_work(template: RunResult) -> None:
    moved = changed(template, source="elsewhere", trace=TraceUse(path="far/elsewhere", uniform=None, image=None))
    assert work_differences(template, moved) == ()


def test_other_content_at_the_same_place_is_other_work(template: RunResult) -> None:
    assert work_differences(template, changed(template, trace_sha256="b" * 64)) == ("another trace",)


def test_images_and_precisions_are_part_of_the_work(template: RunResult) -> None:
    one = changed(template, trace=TraceUse(path="bundle", uniform=None, image=1))
    uniform = changed(template, trace=TraceUse(path="bundle", uniform=(8, 4), image=None), images=2)
    everything = changed(template, images=2)
    assert work_differences(everything, one) == ("all images and image 1",)
    assert work_differences(everything, uniform) == ("precision as recorded and W4A8",)


def test_the_only_image_is_all_images(template: RunResult) -> None:
    """Of a bundle of one image, image 0 is what runs where none is named."""
    named = changed(template, trace=TraceUse(path="bundle", uniform=None, image=0))
    assert work_differences(template, named) == ()


def test_without_a_bundle_the_words_decide(template: RunResult) -> None:
    gemm = changed(template, source="GEMM 8x8x8, 8x8 bits to 8", trace=None, trace_sha256=None)
    other = changed(gemm, source="GEMM 8x8x8, 4x4 bits to 8")
    assert work_differences(gemm, gemm) == ()
    assert work_differences(gemm, other) == ("GEMM 8x8x8, 8x8 bits to 8 and GEMM 8x8x8, 4x4 bits to 8",)
    assert work_differences(gemm, template) == ("another trace",)
