"""From a source on disk to the files of a picture: what `mixarray plot` and the demo call."""

from __future__ import annotations

import json
import re
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from mixarray.errors import InputError
from mixarray.trace.bundle import Bundle, read_bundle
from mixarray_analysis.mistakes import users_mistake
from mixarray_analysis.plots.accuracy import accuracy_shown, plot_accuracy
from mixarray_analysis.plots.energy import plot_energy
from mixarray_analysis.plots.save import plot_files, save_plot
from mixarray_analysis.plots.speedup import plot_speedup, speedup_shown
from mixarray_analysis.plots.utilization import (
    UtilizationRequest,
    count_utilization,
    plot_utilization,
    utilization_shown,
)
from mixarray_analysis.plots.windows import plot_windows, windows_shown
from mixarray_analysis.summary import read_summary
from mixarray_traces.quantization.ratios import RatioChoice

PLOTS = ("speedup", "energy", "accuracy", "windows")
"""Pictures of a source; `utilization` is of a GEMM and has a function of its own."""
UTILIZATION = "utilization"
PJ_PER_UJ = 1e6
ENERGY_COLUMNS = ["accelerator", "ratio", "pruning", "setting", "component", "energy_uj"]


def draw(
    what: str, source: Path, out: Path, *, image: int = 0, picture: Path | None = None, force: bool = False
) -> tuple[Path, ...]:
    """Draw the picture `what` (one of PLOTS) of `source` into out.png, out.pdf and out.csv.

    `image` and `picture` (the file the bundle's image came from) matter for `windows` alone. Raises InputError where
    the source does not hold what the picture shows, or a file exists and `force` is not given.
    """
    plot_files(out, force)
    if what == "windows":
        bundle = read_bundle(source)
        shown = windows_shown(bundle, image)
        figure, _ = plot_windows(shown, find_picture(bundle, image, picture))
    elif what == "energy":
        shown = read_energy(source)
        figure, _ = plot_energy(shown)
    elif what == "accuracy":
        summary = read_summary(source)
        shown = accuracy_shown(summary)
        if shown.empty:
            raise InputError(str(source), "nothing was evaluated, so there is no accuracy to draw", "accuracy")
        figure, _ = plot_accuracy(summary)
    else:
        summary = read_summary(source)
        shown = speedup_shown(summary)
        figure, _ = plot_speedup(summary)
    return save_plot(figure, shown, out, force)


def draw_utilization(request: UtilizationRequest, out: Path, *, force: bool = False) -> tuple[Path, ...]:
    """Draw the heat map of one GEMM on an array into out.png, out.pdf and out.csv.

    Raises InputError where the accelerator or its modes do not allow the GEMM, or a file exists without `force`.
    """
    plot_files(out, force)
    found = count_utilization(request)
    figure, _ = plot_utilization(found)
    return save_plot(figure, utilization_shown(found), out, force)


def find_picture(bundle: Bundle, image: int, picture: Path | None) -> NDArray[np.uint8]:
    """The pixels of a bundle's image: a drawn canvas is drawn again, any other image is read from `picture`.

    Raises InputError where the file is needed, cannot be read, or has another size than the bundle's images.
    """
    manifest, name = bundle.manifest, bundle.images[image]
    if picture is not None:
        from mixarray_traces.data import load_image

        with users_mistake(str(picture)):
            pixels = load_image(picture)
    else:
        from mixarray_traces.data import Split, draw_canvas

        found = re.fullmatch(r"(train|validation|test)-(\d+)-(\d+)", name)
        if found is None:
            raise InputError("--picture", f"the bundle's image {name!r} is no drawn canvas; give its file")
        with users_mistake(name):
            pixels = draw_canvas(Split[found[1].upper()], int(found[2]), int(found[3]), manifest.input_height).image
    size = (manifest.input_height, manifest.input_width)
    if pixels.shape[:2] != size:
        raise InputError(str(picture or name), f"is {pixels.shape[0]}x{pixels.shape[1]} px, the bundle's {size}")
    return pixels


def read_energy(source: Path) -> pd.DataFrame:
    """Energy by component from the runs of a sweep or demo (ENERGY_COLUMNS); InputError without runs."""
    rows = []
    for file in sorted(source.glob("runs/*/ratio_*/run.json")):
        try:
            run = json.loads(file.read_text(encoding="utf-8"))
            choice = RatioChoice.of_stem(file.parent.name)
            summed: dict[str, float] = {}
            for item in run["energy"]:
                summed[item["component"]] = summed.get(item["component"], 0.0) + item["pj"] / PJ_PER_UJ
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise InputError(str(file), f"is no result of a run: {error!r}", "energy") from None
        shares = choice.nominal / 1000, choice.nominal_pruning / 1000, choice.label
        rows += [(run["accelerator"], *shares, component, energy_uj) for component, energy_uj in summed.items()]
    if not rows:
        raise InputError(str(source), "holds no runs (runs/<accelerator>/ratio_*/run.json); give a sweep or a demo")
    return pd.DataFrame(rows, columns=ENERGY_COLUMNS)
