"""Ratios, pruning, promotion and padding as they are typed, and the commands that they reach."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pandas as pd
import pytest

from mixarray.errors import InputError
from mixarray.trace.bundle import read_bundle
from mixarray.trace.padding import WHOLE_BLOCK_NOTE
from mixarray.trace.ratio import Promotion
from mixarray_analysis import equivalents
from mixarray_analysis.cli import main
from mixarray_analysis.cli.values import read_choice, read_choices, read_padding, read_ratio_list
from mixarray_analysis.plan import Layout, Plan
from mixarray_analysis.plots.frames.energy import energy_frame
from mixarray_analysis.plots.settings import labels_of, with_labels
from mixarray_analysis.sentence import describe
from mixarray_analysis.speedup import Counters, judge
from mixarray_traces.quantization.ratios import Asked, RatioChoice

PAIRS = ((200,), (400,), (0, 600, 600))
TEXT = "0.2/0.4/0,0.6,0.6"


@pytest.mark.parametrize(
    ("typed", "choice"),
    [
        (("0.4",), 400),
        (("0.4", "0"), 400),
        (("0.4", "0.1"), RatioChoice(400, 100)),
        ((TEXT,), RatioChoice(PAIRS)),
        (("0.3", "0/0.1/0,0.1,0.2"), RatioChoice(300, ((0,), (100,), (0, 100, 200)))),
        (("0.4", "0", "ranking"), RatioChoice(400, 0, Promotion.RANKING)),
        (("0", "1"), RatioChoice(0, 1000)),
    ],
)
def test_choices(typed: tuple[str, ...], choice: Asked) -> None:
    assert read_choice(*typed) == choice


@pytest.mark.parametrize(
    ("typed", "option"),
    [
        (("0.4", "1.1"), "--pruning"),
        (("0.4", "-0.1"), "--pruning"),
        (("0.4", "0.0005"), "--pruning"),
        (("0.4", "x"), "--pruning"),
        (("0.4", "0/"), "--pruning"),
        (("0.2/0.4,", "0"), "--ratio"),
        (("0.2/0.9", "0"), "--ratio"),
        (("0.4", "0", "yes"), "--promotion"),
    ],
)
def test_impossible_choices_name_their_option(typed: tuple[str, ...], option: str) -> None:
    with pytest.raises(InputError, match=option):
        read_choice(*typed)
    with pytest.raises(InputError, match="--padding"):
        read_padding("some")


def test_lists_keep_ratio_zero_in_front_where_something_is_pruned() -> None:
    assert read_choices("0,0.4") == (0, 400)
    assert read_choices("0,0.4", "0.2") == (0, RatioChoice(0, 200), RatioChoice(400, 200))
    assert read_ratio_list("0.4", "0.2") == (RatioChoice(400, 200),)
    assert read_choices(f"0;{TEXT}") == (0, RatioChoice(PAIRS))


@pytest.mark.parametrize("choice", [400, RatioChoice(PAIRS), RatioChoice(PAIRS, 100), RatioChoice(0, 300)])
def test_printed_commands_ask_for_the_same(choice: Asked) -> None:
    plan = Plan((0, choice), ("packed_w4_32x32",), canvases=2)
    words = equivalents.record(plan, Layout(Path("out")), choice).split()
    given = dict(zip(words[2::2], words[3::2], strict=True))
    assert read_choice(given["--ratio"], given.get("--pruning", "0")) == choice
    assert given["-o"].startswith("out/bundles/ratio_")
    words = equivalents.evaluate(plan).replace("'", "").split()
    given = dict(zip(words[2::2], words[3::2], strict=True))
    assert read_choices(given["--ratios"], given.get("--pruning", "0")) == (0, choice)


def test_settings_of_a_plot_are_told_apart() -> None:
    rows = [(0.0, 0.0, "0"), (0.0, 0.3, "0 pruning 0.3"), (0.36, 0.0, TEXT), (0.4, 0.0, "0.4")]
    frame = with_labels(pd.DataFrame(rows, columns=["ratio", "pruning", "setting"]))
    assert labels_of(frame) == ["0", TEXT, "40", "0, 30 pruned"]
    assert labels_of(with_labels(pd.DataFrame({"ratio": [0.4, 0.0]}))) == ["0", "40"]


def test_a_pruned_sweep_from_end_to_end(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "sweep"
    wanted = [
        "--ratios",
        TEXT,
        "--pruning",
        "0.1",
        "--padding",
        "block",
        "--n",
        "0",
        "--size",
        "112",
        "--recorded",
        "1",
    ]
    assert main(["sweep", *wanted, "-a", "packed_w4_32x32", "--jobs", "1", "-o", str(out)]) == 0
    said = capsys.readouterr().out
    assert WHOLE_BLOCK_NOTE in said
    assert f"36 ({TEXT})" in said
    with (out / "summary.csv").open() as file:
        first, last = csv.DictReader(file)
    assert (first["setting"], first["pruning_actual"]) == ("0", "0.0")
    assert (last["pruning"], last["setting"]) == ("0.1", f"{TEXT} pruning 0.1")
    bundle = read_bundle(out / "bundles" / "ratio_0200-0400-0000.0600.0600_pruning_0100")
    assert float(last["pruning_actual"]) == bundle.pruning_actual > 0
    assert bundle.manifest.padding == "block"
    spent = energy_frame([out]).groupby("run", sort=False)["energy_uj"].sum()
    assert spent.index.tolist() == ["0", f"{TEXT} pruning 0.1"]
    assert spent.is_monotonic_decreasing


@pytest.mark.parametrize(("padding", "told"), [("block", True), ("attention", False)])
def test_recording_says_when_it_changes_the_function(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], padding: str, told: bool
) -> None:
    shape = ["--model", "swin_t", "--input", "224x224", "--weights", "random", "--score", "random", "--ratio", "0"]
    assert main(["record", *shape, "--padding", padding, "-o", str(tmp_path / "bundle")]) == 0
    assert (WHOLE_BLOCK_NOTE in capsys.readouterr().out) == told


def test_a_sentence_says_what_is_pruned() -> None:
    before, after = (
        Counters(cycles, {("arrays.0", "stream"): cycles}, {"qkv": cycles}, 8.0) for cycles in (100.0, 80.0)
    )
    sentence = describe("packed", 0.36, judge(before, after, promised=2.0), 0.1)
    assert sentence.startswith("packed at 36 % low and 10 % pruned windows: BOPs promise 2.00")


def test_evaluation_shows_pruned_shares(capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ["evaluate", "--ratios", "0.4", "--pruning", "0.2", "--n", "2", "--size", "112"]
    assert main([*arguments, "--json"]) == 0
    rows = json.loads(capsys.readouterr().out)
    assert [(row["ratio"], row["pruning"]) for row in rows] == [(0.0, 0.0), (0.4, 0.2)]
    assert rows[1]["pair_pruning"] == "0.2/0.2/0.2,0.2,0.2"
    assert rows[0]["pruning_actual"] == 0 < rows[1]["pruning_actual"]


def test_studies_print_and_write_their_rows(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert (
        main(["study", "shares", "--model", "swin_t", "--input", "224x224", "--ratios", "0.3", "--pruning", "0.2"]) == 0
    )
    said = capsys.readouterr().out
    assert said.splitlines()[-1].split() == ["all", "186", "27.96", "22.58"]
    small = ["--n", "2", "--size", "112"]
    file = tmp_path / "rankings.csv"
    assert main(["study", "rankings", "--ratios", "0.4", "--rankings", "true,reversed", *small, "-o", str(file)]) == 0
    with file.open() as lines:
        rows = list(csv.DictReader(lines))
    assert [row["ranking"] for row in rows] == ["true", "reversed"]
    assert "minus true" in capsys.readouterr().out
    assert main(["study", "sqnr", "--ratio", "1", *small, "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert {row["branch"] for row in found} == {"low"}
    for wrong in (["rankings", "--rankings", "best"], ["sqnr", "--split", "all"], ["rankings", "-o", str(file)]):
        assert main(["study", *wrong, *small]) == 2
