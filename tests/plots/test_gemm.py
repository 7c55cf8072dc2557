"""The heat map of an array: its numbers, its words, and what the command line refuses."""

from __future__ import annotations

import time
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from matplotlib.figure import Figure
from numpy.typing import NDArray

from mixarray.errors import InputError
from mixarray_analysis.cli import main
from mixarray_analysis.plots.frames.gemm import COLUMNS, GemmRequest, gemm_frame
from mixarray_analysis.plots.utilization import plot_utilization

PACKED, PLAIN = "packed_w4_32x32", "plain_int8_32x32"
WINDOW = ("plot", "utilization", "--gemm", "49,49,32", "--bits", "8,8")


def request(gemm: tuple[int, int, int], accelerator: str = PACKED, batch: int = 1, **sizes: str) -> GemmRequest:
    overrides = tuple(f"arrays.0.{name}={value}" for name, value in sizes.items())
    return GemmRequest(gemm, (8, 8), batch, accelerator, overrides)


def active(shown: pd.DataFrame, rows: int = 32, columns: int = 32) -> NDArray[np.int64]:
    return shown["active_cycles"].to_numpy().reshape(rows, columns)


def total(shown: pd.DataFrame) -> int:
    return int(shown["total_cycles"].iloc[0])


def texts(figure: Figure) -> list[str]:
    return [text.get_text() for text in figure.axes[0].texts]


def test_windows_of_49_tokens_leave_the_ragged_columns_half_idle() -> None:
    """N = 49 on 32 columns: every column serves the first tile, 17 serve the second too."""
    wanted = request((49, 49, 32), batch=192)
    shown = gemm_frame(wanted)
    assert active(shown)[:, :17].tolist() == [[192 * 2 * 98] * 17] * 32
    assert active(shown)[:, 17:].tolist() == [[192 * 98] * 15] * 32
    assert total(shown) == 32 + 192 * 2 * 98 + 62
    figure, ax = plot_utilization(shown, wanted)
    assert texts(figure) == ["99.8 %", "49.9 %"]
    assert "32 x 32 packed_w4, weight-stationary\ndouble loading, all rows\n" in ax.get_title(loc="left")
    assert "192 x GEMM 49x49x32 at 8x8 bits, 37,726 cycles" in ax.get_title(loc="left")
    assert f"{100 * active(shown).sum() / (1024 * 37_726):.1f} %" in ax.get_title(loc="left")
    assert (ax.get_ylabel(), ax.get_xlabel()) == ("array row (K)", "array column (N)")


def test_a_batch_is_one_stream_of_folds() -> None:
    one, many = (gemm_frame(request((49, 49, 32), batch=batch)) for batch in (1, 50))
    assert np.array_equal(active(many), 50 * active(one))
    assert total(many) < 50 * total(one)


def test_the_table_has_every_pe_once_and_the_picture_shows_it() -> None:
    wanted = request((9, 5, 3), rows="4", columns="8")
    shown = gemm_frame(wanted)
    assert list(shown.columns) == COLUMNS
    assert len(shown.drop_duplicates(["row", "column"])) == 32
    _, ax = plot_utilization(shown, wanted)
    drawn = np.asarray(ax.images[0].get_array())
    assert np.allclose(drawn, 100 * shown["active_share"].to_numpy().reshape(4, 8))
    assert ax.images[0].get_clim() == (0, 100)
    share = shown["active_cycles"] / shown["total_cycles"]
    pd.testing.assert_series_equal(shown["active_share"], share, check_names=False)


@pytest.mark.parametrize(
    ("dataflow", "labels", "where"),
    [
        ("weight_stationary", ("array row (K)", "array column (N)"), (slice(0, 3), slice(0, 5))),
        ("input_stationary", ("array row (K)", "array column (M)"), (slice(0, 3), slice(0, 9))),
        ("output_stationary", ("array row (M)", "array column (N)"), (slice(32 - 9, 32), slice(0, 5))),
    ],
)
def test_the_axes_say_what_lies_on_them(dataflow: str, labels: tuple[str, str], where: tuple[slice, slice]) -> None:
    wanted = request((9, 5, 3), PLAIN, dataflow=dataflow)
    shown = gemm_frame(wanted)
    busy = np.zeros((32, 32), bool)
    busy[where] = True
    assert np.array_equal(active(shown) > 0, busy)
    figure, ax = plot_utilization(shown, wanted)
    assert (ax.get_ylabel(), ax.get_xlabel()) == labels
    assert dataflow.replace("_", "-") in ax.get_title(loc="left")
    assert "idle" in texts(figure)


def test_slow_ports_are_named() -> None:
    wanted = request((9, 5, 3), weight_port_bits="64")
    title = plot_utilization(gemm_frame(wanted), wanted)[1].get_title(loc="left")
    assert "double loading, all rows, port: 4 cycles a row" in title


@pytest.mark.parametrize("size", ["1", "16", "128"])
def test_every_size_has_few_and_distinct_ticks(size: str) -> None:
    wanted = request((5, 4, 3), rows=size, columns=size)
    _, ax = plot_utilization(gemm_frame(wanted), wanted)
    labels = [label.get_text() for label in ax.get_xticklabels()]
    assert labels[0] == "0"
    assert labels[-1] == str(int(size) - 1)
    assert len(labels) == len(set(labels)) <= 9


def test_it_draws_into_given_axes() -> None:
    figure = Figure()
    ax = figure.add_subplot()
    wanted = request((5, 4, 3))
    assert plot_utilization(gemm_frame(wanted), wanted, ax=ax) == (figure, ax)


def test_what_cannot_be_expanded_is_refused_at_once() -> None:
    began = time.monotonic()
    for accelerator in (PACKED, PLAIN):
        for dataflow in ("weight_stationary",) if accelerator == PACKED else ("input_stationary", "output_stationary"):
            with pytest.raises(InputError, match=r"--gemm: takes about .* events on this array"):
                gemm_frame(request((999_999_999,) * 3, accelerator, dataflow=dataflow))
    assert time.monotonic() - began < 5


@pytest.mark.parametrize(
    ("gemm", "batch", "sizes", "named"),
    [
        ((1, 1, 1), 50_001, {}, r"--batch: 50,001 such GEMMs take about 50,001 folds on this array; at most 50,000"),
        ((1, 1, 1), 10**12, {}, r"--batch: .* such GEMMs take about .* events on this array"),
        ((1, 50_001, 1), 2, {"columns": "1", "rows": "1"}, r"--gemm: takes about 50,001 folds on this array"),
        ((1, 1, 1), 1, {"rows": "4096", "columns": "4096"}, r"arrays\.0: has 16,777,216 PEs; at most 1,048,576"),
    ],
)
def test_the_error_names_what_is_too_much(
    gemm: tuple[int, int, int], batch: int, sizes: dict[str, str], named: str
) -> None:
    began = time.monotonic()
    with pytest.raises(InputError, match=named):
        gemm_frame(request(gemm, PACKED, batch, **{"rows": "8", **sizes}))
    assert time.monotonic() - began < 5


@pytest.mark.full
def test_the_largest_that_is_accepted_is_drawn_in_seconds() -> None:
    """As many folds and nearly as many events as are allowed."""
    began = time.process_time()
    shown = gemm_frame(request((39, 1, 1), batch=50_000, rows="1", columns="1"))
    assert time.process_time() - began < 15
    assert active(shown, 1, 1).tolist() == [[50_000 * 2 * 39]]


def test_the_command_writes_three_files_the_same_each_time(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for name in ("one", "two"):
        assert (
            main([*WINDOW, "--batch", "3", "-a", PLAIN, "--set", "arrays.0.rows=16", "-o", str(tmp_path / name)]) == 0
        )
    assert str(tmp_path / "one.png") in capsys.readouterr().out
    for suffix in ("png", "pdf", "csv"):
        assert (tmp_path / f"one.{suffix}").read_bytes() == (tmp_path / f"two.{suffix}").read_bytes()
    assert len(pd.read_csv(tmp_path / "one.csv")) == 16 * 32


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        (("plot", "utilization"), "utilization needs a run (mixarray simulate BUNDLE -o RUN)"),
        (("plot", "utilization", "--gemm", "4,4,4"), "needs --gemm M,N,K with --bits A,W"),
        ((*WINDOW[:2], "somewhere", *WINDOW[2:]), "takes no source"),
        ((*WINDOW, "--image", "1"), "--image: does not go with utilization; it is for windows"),
        ((*WINDOW, "--batch", "0"), "--batch"),
        ((*WINDOW, "-a", "nothing"), "no such accelerator"),
        ((*WINDOW[:5], "16,16"), "no mode serves"),
        (("plot", "utilization", "--gemm", "4,4", "--bits", "8,8"), "--gemm"),
        (("plot", "speedup"), "speedup needs a sweep of ratios or demo (mixarray sweep"),
        (("plot", "windows"), "windows needs a bundle (mixarray record"),
        (
            ("plot", "speedup", "somewhere", "--gemm", "4,4,4"),
            "--gemm: does not go with speedup",
        ),
        (
            ("plot", "energy", "somewhere", "--set", "clock_mhz=1"),
            "energy; it is for waterfall, utilization, tornado",
        ),
        (("plot", "energy", "somewhere", "-a", PLAIN), "--accelerator: does not go with energy"),
    ],
)
def test_mistakes_are_one_line(
    arguments: tuple[str, ...],
    named: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(arguments) == 2
    error = capsys.readouterr().err
    assert named in error
    assert error.count("\n") == 1
    assert list(tmp_path.iterdir()) == []
