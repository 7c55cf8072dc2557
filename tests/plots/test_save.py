"""Files of a picture, and pictures in axes that the caller has."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from matplotlib.figure import Figure

from mixarray.errors import InputError
from mixarray_analysis.plots.frames.windows import COLUMNS
from mixarray_analysis.plots.ratios import plot_ratios
from mixarray_analysis.plots.save import save_plot
from mixarray_analysis.plots.speedup import plot_speedup
from mixarray_analysis.plots.windows import plot_windows


@pytest.fixture
def shown() -> pd.DataFrame:
    rows = [
        (name, "", f"{low / 100:g}", low, 0.0, 1 + share * low / 100)
        for name, share in (("BOPs", 0.8), ("packed", 0.3))
        for low in (0.0, 40.0, 80.0)
    ]
    return pd.DataFrame(rows, columns=["series", "network", "setting", "low_percent", "pruned_percent", "speedup"])


def test_curves_are_the_numbers(shown: pd.DataFrame) -> None:
    _, ax = plot_ratios(shown)
    drawn = {str(line.get_label()): np.asarray(line.get_xydata()) for line in ax.lines}
    assert drawn["simulated: packed"] == pytest.approx(np.array([[0, 1], [40, 1.12], [80, 1.24]]))
    assert drawn["promised: BOPs of the blocks"] == pytest.approx(np.array([[0, 1], [40, 1.32], [80, 1.64]]))


def test_settings_of_pairs_are_points_and_no_line(shown: pd.DataFrame) -> None:
    _, ax = plot_ratios(shown.assign(setting="0.2/0.4"))
    assert {line.get_linestyle() for line in ax.lines[:2]} == {"None"}


def test_pictures_are_drawn_into_given_axes(shown: pd.DataFrame) -> None:
    figure = Figure()
    ax = figure.add_subplot()
    assert plot_ratios(shown, ax=ax) == (figure, ax)
    bars = pd.DataFrame({"baseline": "ratio 0", "series": ["BOPs", "packed"], "label": "40", "speedup": [2.0, 1.5]})
    with pytest.raises(ValueError, match="1 baselines need 1 axes, not 2"):
        plot_speedup(bars, [ax, ax])
    _, axes = plot_speedup(bars, [figure.add_subplot()])
    assert [bar.get_height() for bar in axes[0].patches] == [2.0, 1.5]


def test_windows_cover_the_picture_in_the_tint_and_hatch_of_their_bits() -> None:
    rows = [(0, index, bits, bits == 4, 28 * index, 0, 28, 28) for index, bits in enumerate((8, 4))]
    rows += [(1, 0, 4, True, 0, 0, 56, 28)]
    figure, panels = plot_windows(pd.DataFrame(rows, columns=COLUMNS), np.zeros((28, 56, 3), np.uint8))
    looks = [(patch.get_facecolor(), patch.get_hatch()) for patch in panels[0].patches]
    assert len(panels) == 2
    assert looks[0][0] != looks[1][0]
    assert looks[0][1] != looks[1][1]
    assert panels[1].patches[0].get_facecolor() == looks[1][0]
    assert panels[0].get_title() == "stage 0: 1 of 2 windows low"
    assert [text.get_text() for text in figure.legends[0].get_texts()] == ["8-bit activations", "4-bit activations"]


def test_small_windows_are_hatched_more_densely() -> None:
    """A window of 4 px on a panel of 448 px is narrower than the distance of sparse strokes."""
    rows = [(0, 0, 4, True, 0, 0, 4, 4), (0, 1, 4, True, 4, 0, 444, 448)]
    _, (panel,) = plot_windows(pd.DataFrame(rows, columns=COLUMNS), np.zeros((448, 448, 3), np.uint8))
    small, large = (str(patch.get_hatch()) for patch in panel.patches)
    assert set(small) == set(large) == {"/"}
    assert len(small) > 2 * len(large) == 4


def test_a_place_that_cannot_be_written_is_the_users_mistake(shown: pd.DataFrame, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("no directory")
    with pytest.raises(InputError, match=r"ratios: --out: cannot be written: "):
        save_plot(plot_ratios(shown)[0], shown, tmp_path / "file" / "ratios")


def test_an_existing_plot_is_kept_unless_forced(shown: pd.DataFrame, tmp_path: Path) -> None:
    (tmp_path / "ratios.pdf").write_text("mine")
    figure, _ = plot_ratios(shown)
    with pytest.raises(InputError, match=r"ratios\.pdf"):
        save_plot(figure, shown, tmp_path / "ratios")
    assert len(list(tmp_path.iterdir())) == 1
    save_plot(figure, shown, tmp_path / "ratios.png", force=True)
    assert (tmp_path / "ratios.pdf").read_bytes().startswith(b"%PDF")
    read = pd.read_csv(tmp_path / "ratios.csv", dtype={"setting": str}, keep_default_na=False)
    pd.testing.assert_frame_equal(read, shown)
