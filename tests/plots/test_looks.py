"""What has a colour and a hatch has the same in every picture, and stays apart in grey print; numbers break no line."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pandas as pd
import pytest
from matplotlib.axes import Axes
from matplotlib.colors import to_rgb
from matplotlib.patches import Patch

from mixarray.accelerator.load import list_accelerators, load_accelerator
from mixarray.mapping.schedule import JobKind
from mixarray_analysis.plots import energy, latency
from mixarray_analysis.plots.frames.energy import COLUMNS as ENERGY_COLUMNS
from mixarray_analysis.plots.frames.energy import component_words
from mixarray_analysis.plots.frames.latency import COLUMNS as LATENCY_COLUMNS
from mixarray_analysis.plots.frames.latency import REST
from mixarray_analysis.plots.frames.speedup import COLUMNS as SPEEDUP_COLUMNS
from mixarray_analysis.plots.frames.windows import COLUMNS as WINDOW_COLUMNS
from mixarray_analysis.plots.speedup import plot_speedup
from mixarray_analysis.plots.style import DEMO, OKABE_ITO, PAPER, Size
from mixarray_analysis.plots.windows import GAMMA, plot_windows
from mixarray_analysis.sentence import words_for

ALIKE = 0.1
"""Colours whose brightness differs by less look alike in grey print."""


def brightness(shade: str) -> float:
    """Luma of ITU-R BT.601, 0 to 1."""
    return float(np.dot(to_rgb(shade), (0.299, 0.587, 0.114)))


def stacked(causes: list[str], size: Size) -> dict[str, tuple[object, object]]:
    """Colour and hatch by cause, of a run whose causes stand in this order."""
    rows = [("machine", "run", cause, 1, 10 - place, 10.0 - place) for place, cause in enumerate(causes)]
    _, ax = latency.plot_latency(pd.DataFrame(rows, columns=LATENCY_COLUMNS), size=size)
    return looks(ax)


def looks(ax: Axes) -> dict[str, tuple[object, object]]:
    bars = {str(bars.get_label()): bars.patches[0] for bars in ax.containers if hasattr(bars, "patches")}
    return {name: (bar.get_facecolor(), bar.get_hatch()) for name, bar in bars.items()}


@pytest.mark.parametrize("size", [DEMO, PAPER])
def test_a_kind_of_work_looks_the_same_whatever_stands_beside_it(size: Size) -> None:
    one = stacked(["softmax", words_for("stream"), "LayerNorm", REST], size)
    other = stacked([words_for("stream"), words_for("dram_store"), "GELU", "LayerNorm", "softmax", REST], size)
    assert {name: other[name] for name in one} == one
    assert len(set(other.values())) == len(other)


def test_every_kind_of_work_has_a_look_of_its_own_and_in_grey_too() -> None:
    assert set(latency.LOOKS) == set(JobKind)
    every = {**{kind.value: look for kind, look in latency.LOOKS.items()}, REST: latency.look_of(REST)}
    assert {shade for shade, _ in every.values()} == set(OKABE_ITO)
    assert alike(every) == []
    assert [latency.look_of(words_for(kind.value)) for kind in JobKind] == [latency.LOOKS[kind] for kind in JobKind]


def alike(every: dict[str, tuple[str, str]]) -> list[tuple[str, str]]:
    """What cannot be told apart in grey print: equal hatches on colours of nearly equal brightness."""
    return [
        (one, other)
        for (one, (shade, pattern)), (other, (another, hatched)) in combinations(every.items(), 2)
        if pattern == hatched and abs(brightness(shade) - brightness(another)) < ALIKE
    ]


@pytest.mark.parametrize("accelerator", sorted(list_accelerators()))
def test_every_component_of_a_machine_has_a_look_of_its_own(accelerator: str) -> None:
    machine = load_accelerator(accelerator)
    names = [f"buffers.{name}" for name in type(machine.buffers).model_fields]
    for part in ("arrays", "vector_units", "dram_channels"):
        names += [f"{part}.{number}" for number in range(len(getattr(machine, part)))]
    every = {name: energy.look_of(component_words(name)) for name in names}
    assert energy.OTHER not in every.values()
    assert alike(every) == []


def test_a_second_array_changes_no_other_component() -> None:
    def drawn(*components: str) -> dict[str, tuple[object, object]]:
        rows = [("machine", "run", name, 1.0, 0.9, 1.2) for name in components]
        return looks(energy.plot_energy(pd.DataFrame(rows, columns=ENERGY_COLUMNS))[1])

    one, two = drawn("array", "DRAM", "weight buffer"), drawn("array", "array 2", "weight buffer", "DRAM")
    assert {name: two[name] for name in one} == one
    assert two["array 2"][0] == two["array"][0]
    assert two["array 2"][1] != two["array"][1]
    assert energy.look_of("array 3") != energy.look_of("array 2")


@pytest.mark.parametrize("size", [DEMO, PAPER])
@pytest.mark.parametrize("most", [0.9, 1.3, 4.0])
def test_no_number_of_a_bar_breaks_the_line_at_1(most: float, size: Size) -> None:
    rows = [
        ("uniform W4A4", series, label, most - place / 20, 1)
        for place, series in enumerate(("BOPs, weight bits counted", "one", "other"))
        for label in ("0", "20", "40", "60", "80", "mean")
    ]
    rows += [("uniform W4A4", "one", "100", 0.5, 1)]
    figure, (ax,) = plot_speedup(pd.DataFrame(rows, columns=SPEEDUP_COLUMNS), size=size)
    figure.draw_without_rendering()
    line = ax.transData.transform((0, 1))[1]
    boxes = {text: text.get_window_extent() for text in ax.texts}
    assert len(boxes) == len(rows)
    assert [text.get_text() for text, box in boxes.items() if box.y0 <= line + 1 and box.y1 >= line - 1] == []
    assert all(box.y1 <= ax.bbox.y1 for box in boxes.values())
    assert {text.get_text() for text in boxes} == {f"{row[3]:.2f}" for row in rows}


@pytest.mark.parametrize(("level", "size", "strokes"), [(30, DEMO, "//"), (200, PAPER, "////")])
def test_the_legend_of_windows_has_the_colours_of_the_picture(level: int, size: Size, strokes: str) -> None:
    """Of an even picture: what the window's tint makes of it."""
    rows = [(0, place, bits, bits == 4, 28 * place, 0, 28, 28) for place, bits in enumerate((8, 4))]
    picture = np.full((28, 56, 3), level, np.uint8)
    figure, (panel,) = plot_windows(pd.DataFrame(rows, columns=WINDOW_COLUMNS), picture, size=size)
    under = np.rint(255 * (level / 255) ** GAMMA) / 255
    for window, swatch in zip(panel.patches, figure.legends[0].get_patches(), strict=True):
        *tint, opacity = window.get_facecolor()
        assert isinstance(swatch, Patch)
        assert swatch.get_facecolor() == pytest.approx([*(opacity * np.array(tint) + (1 - opacity) * under), 1])
        assert swatch.get_hatch() == (strokes if window is panel.patches[1] else "")
