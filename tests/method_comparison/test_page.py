"""The page: what the results say, a row per method and precision, nothing invented."""

from __future__ import annotations

from pathlib import Path

import pytest

from mixarray.errors import InputError
from mixarray_analysis.method_comparison.cost import read_costs
from mixarray_analysis.method_comparison.draw import draw, page
from mixarray_analysis.method_comparison.page import page_text
from mixarray_analysis.method_comparison.published import PUBLISHED
from mixarray_analysis.method_comparison.results import Compared, every_model, every_shape
from mixarray_analysis.method_comparison.subjects import MACHINES, MARKS, METHODS, MIXED, PRECISIONS, W4A4, W6A6
from mixarray_analysis.method_comparison.tables import (
    COMPARED_HEADINGS,
    SHAPE_HEADINGS,
    compared_rows,
    rounded_rows,
    shape_rows,
    shape_side_rows,
    side_rows,
    time_rows,
    version_rows,
)

from .conftest import write_accuracy

DOCS = Path(__file__).parents[2] / "docs"
LARGEST_FIGURE_BYTES = 160_000
REVISION_DIGITS = 40


def test_the_committed_page_is_what_the_committed_results_give() -> None:
    assert page(DOCS) == (DOCS / "methods.md").read_text(encoding="utf-8")


def test_the_committed_figure_is_small() -> None:
    sizes = {path.name: path.stat().st_size for path in (DOCS / "methods").glob("*.png")}
    assert all(size < LARGEST_FIGURE_BYTES for size in sizes.values()), sizes


def test_every_committed_cost_says_what_made_it() -> None:
    costs = [cost for path in (DOCS / "methods" / "results").rglob("costs.csv") for cost in read_costs(path)]
    assert costs
    assert {cost.accelerator for cost in costs} == set(MACHINES)
    for cost in costs:
        assert cost.version
        assert cost.engine == "fast"
        assert len(cost.trace_sha256) == len(cost.accelerator_sha256) == 64
        assert len(cost.git_revision.removesuffix("-dirty")) == REVISION_DIGITS


def test_rows_are_complete(compared: Compared) -> None:
    for precision in PRECISIONS:
        rows = list(compared_rows(precision, compared))
        assert [row[0] for row in rows] == [method.label for method in METHODS]
        assert all(len(row) == len(COMPARED_HEADINGS) for row in rows)
        shapes = list(shape_rows(precision, compared))
        assert [row[0] for row in shapes] == [one.label for one in MARKS if not (precision.mixed and one.rank)]
        assert all(len(row) == len(SHAPE_HEADINGS) and row[1] == "n/a" for row in shapes)
    assert "not measured yet" not in page_text(compared, "")


def test_without_results_every_row_says_so(tmp_path: Path) -> None:
    empty = Compared(tmp_path)
    for precision in PRECISIONS:
        for method, row in zip(METHODS, compared_rows(precision, empty), strict=True):
            assert f"not measured yet: {method.name}_{precision.slug}/accuracy" in row
            assert f"not measured yet: {method.name}_{precision.slug}/costs" in row
    assert not list(side_rows(empty))
    assert not list(version_rows(empty))


def test_guessed_methods_are_called_inspired() -> None:
    labels = [one.label for one in (*METHODS, *MARKS) if "MPTQ" in one.label or "AIQ" in one.label]
    assert len(labels) == 7
    assert all(label.startswith("inspired by ") for label in labels)


def test_a_row_says_what_the_results_say(compared: Compared) -> None:
    rows = {row[0]: row for row in compared_rows(W4A4, compared)}
    assert rows["uniform affine"][1:4] == ("0.600 [0.580, 0.620]", "", "64")
    assert rows["uniform affine"][4:8] == ("0.250", "500 (0.500)", "0.5000", "50.00")
    side = rows["inspired by AIQViT, side path"]
    assert side[1:4] == ("0.650 [0.630, 0.670]", "+0.050 [+0.050, +0.050]", "64")
    assert side[8] == f"{100 * 115 / 600:.1f} %"


def test_a_planted_change_in_a_result_changes_the_page(compared: Compared) -> None:
    before = page_text(compared, "")
    write_accuracy(compared.directory, "repq_vit_w6a6", 0.123)
    after = page_text(compared, "")
    changed = [line for line, old in zip(after.splitlines(), before.splitlines(), strict=True) if line != old]
    assert len(changed) == 1
    assert "| RepQ-ViT | 0.123 [0.103, 0.143] |" in changed[0]


def test_unlike_canvases_are_not_compared(compared: Compared) -> None:
    write_accuracy(compared.directory, "repq_vit_w6a6", 0.123, n=128)
    row = next(row for row in compared_rows(W6A6, compared) if row[0] == "RepQ-ViT")
    assert "on equal canvases (now 64, 128)" in row[2]
    assert (row[1], row[3]) == ("0.123 [0.103, 0.143]", "128")


@pytest.mark.parametrize("fault", ["a column less", "no number"])
def test_damaged_costs_are_refused(compared: Compared, fault: str) -> None:
    path = compared.directory / "uniform_affine_w4a8" / "costs.csv"
    text = path.read_text(encoding="utf-8")
    path.write_text(text.replace("mode_bops,", "", 1) if fault == "a column less" else text.replace(",800,", ",x,"))
    with pytest.raises(InputError, match="holds no costs"):
        page_text(compared, "")


def test_rounding_up_is_told(compared: Compared) -> None:
    rows = [row for row in rounded_rows(compared) if row[1] == "W6A6"]
    assert len(rows) == 2 * len(MACHINES)
    assert all(row[3:6] == (f"{36 / 64:.3f}", "1.000", "1.000") for row in rows)
    assert "43.8 % fewer BOPs than W8A8 save nothing of its cycles on packed_w4_32x32" in page_text(compared, "")


def test_side_work_is_of_its_methods_alone(compared: Compared) -> None:
    for rows in (list(side_rows(compared)), list(shape_side_rows(compared))):
        assert {row[0] for row in rows if row[5] != "0"} == {row[0] for row in rows if "side path" in row[0]}
        assert {row[0] for row in rows if row[6] != "0"} == {"inspired by MPTQ-ViT"}
    thin = next(row for row in side_rows(compared) if "side path" in row[0] and row[1] == MIXED.name)
    assert thin[7] == "1.111"


def test_times_and_versions(compared: Compared) -> None:
    assert all(row[1:] == ("12 s",) * 4 + ("32 canvases of 224 px", "0", "2") for row in time_rows(compared))
    (row,) = version_rows(compared)
    assert row[:3] == ("0.1.0", "abc", "fast")
    assert row[3].split(", ") == [*every_model(), *every_shape()]


def test_published_numbers_name_their_source(compared: Compared) -> None:
    text = page_text(compared, "")
    assert all(source and f"| {what} | {numbers} | {source} |" in text for _, what, numbers, source in PUBLISHED)


def test_all_is_drawn(compared: Compared) -> None:
    docs = compared.directory.parents[1]
    written = draw(docs)
    assert [path.name for path in written] == ["accuracy_cycles.png", "methods.md"]
    assert "(methods/accuracy_cycles.png)" in written[-1].read_text(encoding="utf-8")
    assert page(docs) == written[-1].read_text(encoding="utf-8")


def test_nothing_is_drawn_of_nothing(tmp_path: Path) -> None:
    assert [path.name for path in draw(tmp_path)] == ["methods.md"]
