"""What the figures show."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from matplotlib.axes import Axes

from mixarray_analysis.reproduction.cells import cost_of
from mixarray_analysis.reproduction.figures import FEWER, MIXED, PRUNED, QAT_SHOWN, drawn, ptq_points
from mixarray_analysis.reproduction.results import Results
from mixarray_analysis.reproduction.runs import FEWER_BITS, PTQ_MACHINES, QAT_MACHINES


def test_points_are_costs_and_changes(results: Results) -> None:
    points = ptq_points("shipped", MIXED, None, results)
    assert [point.cost for point in points] == pytest.approx([1 - q / 2000 for q, _ in MIXED.settings])
    assert [point.change.mean for point in points] == pytest.approx([-0.05 * q / 1000 for q, _ in MIXED.settings])


def test_cycles_are_those_of_the_machine(results: Results) -> None:
    points = ptq_points("shipped", PRUNED, PTQ_MACHINES[0], results)
    assert [point.cost for point in points] == pytest.approx([1 - p / 2000 for _, p in PRUNED.settings])


def test_fewer_bits_cost_their_share(results: Results) -> None:
    points = ptq_points("repq_vit", FEWER, None, results)
    assert [point.cost for point in points] == [bits / 8 for bits in FEWER_BITS]


def test_captions_say_n_and_seeds(results: Results) -> None:
    captions = {name: caption for name, (_, caption) in drawn(results).items()}
    assert "n = 64" in captions["ptq"]
    assert "one seed" in captions["ptq"]
    assert "n = 64" in captions["qat"]
    assert "(3)" in captions["qat"]


def test_dots_are_the_rows_after_training(results: Results) -> None:
    by_bops, *by_cycles = drawn(results)["qat"][0].axes

    def dots(ax: Axes) -> list[tuple[float, float]]:
        lines = [line for line in ax.get_lines() if line.get_marker() not in ("None", "")]
        return sorted((float(x), float(y)) for line in lines for x, y in line.get_xydata())

    rows = [
        (cost_of(model, q, p, results), shown.beside, results.measured(f"{model}/ratios", q, p).ap50)
        for shown in QAT_SHOWN
        for q, p in shown.series.settings
        for model in shown.models
    ]
    assert dots(by_bops) == sorted((cost.bops + beside, ap50) for cost, beside, ap50 in rows)
    for ax, machine in zip(by_cycles, QAT_MACHINES, strict=True):
        assert dots(ax) == sorted((cost.cycles[machine], ap50) for cost, _, ap50 in rows)


def test_a_model_that_is_not_all_measured_is_left_out(results: Results, tmp_path: Path) -> None:
    copy = Results(Path(shutil.copytree(results.directory, tmp_path / "results")))
    (copy.directory / "repq_vit_a5" / "ratios.csv").unlink()
    panels = drawn(copy)["ptq"][0].axes
    assert [ax.get_title() for ax in panels if ax.get_title()] == ["shipped (uniform affine)"]
    assert len(drawn(results)["ptq"][0].axes) == 2 * len(panels)


def test_nothing_is_drawn_of_nothing(tmp_path: Path) -> None:
    assert drawn(Results(tmp_path)) == {}
