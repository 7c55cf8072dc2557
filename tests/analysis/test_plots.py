from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from matplotlib.container import BarContainer, ErrorbarContainer
from matplotlib.figure import Figure

from mixarray.errors import InputError
from mixarray_analysis.plots.accuracy import accuracy_shown, plot_accuracy
from mixarray_analysis.plots.energy import component_words, plot_energy
from mixarray_analysis.plots.save import save_plot
from mixarray_analysis.plots.speedup import plot_speedup, speedup_shown
from mixarray_analysis.plots.windows import SHOWN, plot_windows

RATIOS = (0.0, 0.4, 0.8)
ACCELERATORS = ("packed", "plain")


@pytest.fixture
def summary() -> pd.DataFrame:
    rows = [
        {
            "accelerator": name,
            "ratio": ratio,
            "bops_speedup": 1 / (1 - ratio / 2),
            "simulated_speedup": 1 + share * ratio,
            "latency_ms": 2 - share * ratio,
            "accuracy": 0.6 - 0.1 * ratio,
            "accuracy_low": 0.55 - 0.1 * ratio,
            "accuracy_high": 0.65 - 0.1 * ratio,
            "n": 100,
        }
        for name, share in zip(ACCELERATORS, (0.5, 0.1), strict=True)
        for ratio in RATIOS
    ]
    return pd.DataFrame(rows)


@pytest.fixture
def energy() -> pd.DataFrame:
    parts = {"arrays.0": 10.0, "dram_channels.0": 5.0}
    rows = [(name, ratio, part, value) for name in ACCELERATORS for ratio in RATIOS for part, value in parts.items()]
    return pd.DataFrame(rows, columns=["accelerator", "ratio", "component", "energy_uj"])


def bars(container: BarContainer) -> list[float]:
    return [float(patch.get_height()) for patch in container.patches]


def test_speedup_bars_are_the_numbers_and_the_axes_say_what_they_are(summary: pd.DataFrame) -> None:
    figure, ax = plot_speedup(summary)
    containers = [container for container in ax.containers if isinstance(container, BarContainer)]
    heights = [height for container in containers for height in bars(container)]
    assert heights == pytest.approx(list(speedup_shown(summary)["speedup"]))
    assert ax.get_ylabel() == "speedup over ratio 0 (x)"
    assert ax.get_xlabel() == "windows at low bits, nominal (%)"
    labels = [text.get_text() for legend in figure.legends for text in legend.get_texts()]
    assert labels == ["promised: BOPs of the blocks", "simulated: packed", "simulated: plain"]


def test_accuracy_points_carry_their_intervals(summary: pd.DataFrame) -> None:
    _, ax = plot_accuracy(summary)
    errors = [container for container in ax.containers if isinstance(container, ErrorbarContainer)]
    assert len(errors) == len(RATIOS) * len(ACCELERATORS)
    low, high = errors[0][2][0].get_segments()[0][:, 1]
    assert (low, high) == pytest.approx((0.55, 0.65))
    assert "(ms)" in ax.get_xlabel()
    assert "n = 100" in ax.get_ylabel()


def test_ratios_without_an_accuracy_are_not_drawn(summary: pd.DataFrame) -> None:
    summary.loc[summary["ratio"] == 0.4, "accuracy"] = float("nan")
    assert len(accuracy_shown(summary)) == 4


def test_energy_stacks_reach_the_totals(energy: pd.DataFrame) -> None:
    _, ax = plot_energy(energy)
    tops: dict[float, float] = {}
    for container in ax.containers:
        assert isinstance(container, BarContainer)
        for patch in container.patches:
            tops[patch.get_x()] = max(tops.get(patch.get_x(), 0), patch.get_y() + patch.get_height())
    assert list(tops.values()) == pytest.approx([15.0] * len(RATIOS) * len(ACCELERATORS))
    assert "µJ" in ax.get_ylabel()


def test_windows_cover_the_picture_in_the_tint_of_their_bits() -> None:
    rows = [(0, index, bits, bits == 4, 28 * index, 0, 28, 28) for index, bits in enumerate((8, 4))]
    rows += [(1, 0, 4, True, 0, 0, 56, 28)]
    shown = pd.DataFrame(rows, columns=SHOWN)
    figure, panels = plot_windows(shown, np.zeros((28, 56, 3), np.uint8))
    colours = [patch.get_facecolor() for patch in panels[0].patches]
    assert len(panels) == 2
    assert colours[0] != colours[1]
    assert panels[1].patches[0].get_facecolor() == colours[1]
    assert panels[0].get_title() == "stage 0: 1 of 2 windows low"
    assert [text.get_text() for text in figure.legends[0].get_texts()] == ["8-bit activations", "4-bit activations"]


def test_components_of_energy_have_plain_names(energy: pd.DataFrame) -> None:
    figure, _ = plot_energy(energy)
    assert [text.get_text() for text in figure.legends[0].get_texts()] == ["DRAM", "array"]
    assert component_words("buffers.activation") == "activation buffer"
    assert component_words("arrays.1") == "array 2"


def test_a_place_that_cannot_be_written_is_the_users_mistake(summary: pd.DataFrame, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("no directory")
    with pytest.raises(InputError, match=r"speedup: --out: cannot be written: "):
        save_plot(plot_speedup(summary)[0], speedup_shown(summary), tmp_path / "file" / "speedup")


def test_plots_draw_into_given_axes(summary: pd.DataFrame) -> None:
    figure = Figure()
    ax = figure.add_subplot()
    assert plot_speedup(summary, ax=ax) == (figure, ax)


def test_saving_gives_three_files_and_the_same_bytes_each_time(summary: pd.DataFrame, tmp_path: Path) -> None:
    shown = speedup_shown(summary)
    for name in ("first", "second"):
        save_plot(plot_speedup(summary)[0], shown, tmp_path / name)
    for suffix in (".png", ".pdf", ".csv"):
        assert (tmp_path / f"first{suffix}").read_bytes() == (tmp_path / f"second{suffix}").read_bytes()
    pd.testing.assert_frame_equal(pd.read_csv(tmp_path / "first.csv"), shown)
    assert len(list(tmp_path.iterdir())) == 6


def test_an_existing_plot_is_kept_unless_forced(summary: pd.DataFrame, tmp_path: Path) -> None:
    (tmp_path / "speedup.pdf").write_text("mine")
    figure, _ = plot_speedup(summary)
    with pytest.raises(InputError, match=r"speedup\.pdf"):
        save_plot(figure, speedup_shown(summary), tmp_path / "speedup")
    save_plot(figure, speedup_shown(summary), tmp_path / "speedup.png", force=True)
    assert (tmp_path / "speedup.pdf").read_bytes().startswith(b"%PDF")
