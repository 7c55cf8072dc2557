"""`mixarray plot`: files, sizes, notes, and what it refuses and how."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest
from PIL import Image

from mixarray_analysis.cli import main


def test_a_picture_is_three_files_named_after_its_kind(
    place: Path, elsewhere: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["plot", "roofline", str(place / "packed"), "--paper"]) == 0
    assert capsys.readouterr().out.split() == ["roofline.png", "roofline.pdf", "roofline.csv"]
    assert Image.open(elsewhere / "roofline.png").width == 660


@pytest.mark.full
def test_runs_stand_beside_each_other_in_a_wide_picture(place: Path, elsewhere: Path) -> None:
    assert main(["plot", "energy", str(place / "packed"), str(place / "plain"), "-q", "-o", "wide"]) == 0
    assert Image.open(elsewhere / "wide.png").width == 1600
    assert set(pd.read_csv(elsewhere / "wide.csv")["run"]) == {"packed", "plain"}


def test_points_of_a_sweep_are_chosen(place: Path, elsewhere: Path) -> None:
    assert main(["plot", "ratios", str(place / "shapes"), "--where", "rows=8", "--where", "columns=16", "-q"]) == 0
    assert pd.read_csv(elsewhere / "ratios.csv")["series"].nunique() == 2


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        (("roofline", "shapes"), "sweep of a specification; roofline needs a run (mixarray simulate BUNDLE -o RUN)"),
        (("tornado", "demo"), "is a sweep of ratios or demo; tornado needs a run"),
        (("windows", "packed"), "is a run; windows needs a bundle (mixarray record --ratio 0.4 -o BUNDLE)"),
        (("speedup", "packed"), "or a sweep of a specification (mixarray sweep SPEC.yaml -o SWEEP)"),
        (("pareto", "shapes"), "or a search (mixarray search run -o SEARCH)"),
        (("latency", "shapes"), "latency needs a run"),
        (("latency", "packed", "demo"), "of several sources each must be a run"),
        (("waterfall", "shapes"), "an explanation (mixarray explain RUN -o EXPLANATION)"),
        (("energy", "."), "is nothing that plots are made of: it holds none of run.json"),
        (("energy", "nowhere"), "no such file or directory"),
        (("tornado", "packed", "--x", "bops"), "--x: a field of the accelerator changes no bit operations"),
        (("roofline", "packed", "--x", "energy"), "--x: does not go with roofline; it is for pareto, tornado"),
        (("utilization", "packed", "--where", "rows=8"), "--where: does not go with utilization of a run"),
        (("ratios", "shapes", "--where", "rows"), "--where: 'rows' is not COLUMN=VALUE"),
        (("ratios", "shapes", "--where", "foo=1"), "--where: foo: no such column; there are point, "),
        (("pie", "demo"), "error: Invalid value for 'kind': 'pie' is not one of 'speedup', 'ratios', 'pareto', "),
        (("pareto", "demo", "--x", "area"), "error: Invalid value for '--x': 'area' is not one of 'bops', 'latency', "),
    ],
)
def test_what_does_not_fit_is_one_line_that_says_what_would(
    arguments: tuple[str, ...], named: str, place: Path, elsewhere: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    kind, *rest = arguments
    known = {one.name for one in place.iterdir()}
    assert main(["plot", kind, *(str(place / one) if one in known else one for one in rest)]) == 2
    error = capsys.readouterr().err
    assert named in error
    assert error.count("\n") == 1
    assert not list(elsewhere.iterdir())
