"""The numbers of the plots against the results that they come from."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from mixarray.accelerator.load import list_accelerators, load_accelerator
from mixarray.errors import InputError
from mixarray.result.read import read_run
from mixarray.simulation import simulate
from mixarray.trace.bundle import read_bundle
from mixarray_analysis.plots.frames import shapes
from mixarray_analysis.plots.frames.busy import busy_frame
from mixarray_analysis.plots.frames.energy import component_words, energy_frame
from mixarray_analysis.plots.frames.latency import REST, latency_frame
from mixarray_analysis.plots.frames.layers import added_cycles, read_layers
from mixarray_analysis.plots.frames.levers import Variation, variations
from mixarray_analysis.plots.frames.pareto import COLUMN_OF, pareto_frame
from mixarray_analysis.plots.frames.points import check_few, read_points
from mixarray_analysis.plots.frames.ratios import ratios_frame
from mixarray_analysis.plots.frames.roofline import roofline_frame
from mixarray_analysis.plots.frames.shapes import shapes_frame
from mixarray_analysis.plots.frames.speedup import COUNTED, MEAN, PROMISED, speedup_frame
from mixarray_analysis.plots.frames.tornado import (
    Task,
    changes_percent,
    tornado_frame,
    tornado_notes,
    turn,
    workloads,
)
from mixarray_analysis.plots.frames.waterfall import explained_waterfall, read_waterfall
from mixarray_analysis.plots.names import Cost
from mixarray_analysis.subjects import read_subject

PACKED = "packed_w4_32x32"


def cycles(run: Path) -> float:
    return read_run(run).totals.cycles


def test_speedups_are_over_the_uniform_runs(place: Path) -> None:
    shown = speedup_frame(place / "demo").set_index(["baseline", "series", "label"])["speedup"]
    runs = place / "demo" / "runs" / PACKED
    for name in ("w8a8", "w4a8", "w4a4"):
        found = shown[f"uniform {name.upper()}", PACKED, "40"]
        assert found == pytest.approx(cycles(runs / f"uniform_{name}") / cycles(runs / "ratio_0400"))
    assert list(dict.fromkeys(shown.index.get_level_values(0))) == ["uniform W8A8", "uniform W4A8", "uniform W4A4"]


def test_the_promise_over_other_weights_counts_their_bits(place: Path) -> None:
    """Ratio 0 is W4A8: half the bit operations of W8A8, twice those of W4A4."""
    shown = speedup_frame(place / "demo").set_index(["baseline", "series", "label"])["speedup"]
    assert shown["uniform W8A8", COUNTED, "0"] == pytest.approx(2)
    assert shown["uniform W4A8", COUNTED, "0"] == pytest.approx(1)
    assert shown["uniform W4A4", COUNTED, "0"] == pytest.approx(0.5)


def test_the_promise_as_published_and_the_one_with_weight_bits_have_other_names(place: Path) -> None:
    """Over W8A8 the two differ by a factor of two, so a reader must not take one for the other."""
    published = read_run(place / "demo" / "runs" / PACKED / "ratio_0400").speedup
    assert published is not None
    over, plain = speedup_frame(place / "demo"), speedup_frame(place / "shapes")
    assert PROMISED not in set(over["series"])
    assert COUNTED not in set(plain["series"])
    counted = over.set_index(["baseline", "series", "label"])["speedup"]["uniform W8A8", COUNTED, "40"]
    assert counted == pytest.approx(2 * published.bops_blocks)
    assert counted == pytest.approx(2 * plain.set_index(["series", "label"])["speedup"][PROMISED, "40"])


def test_the_mean_is_geometric_and_leaves_ratio_0_out(place: Path) -> None:
    shown = speedup_frame(place / "demo").set_index(["baseline", "series", "label"])
    two, four, mean = (shown.loc[("uniform W8A8", COUNTED, label)] for label in ("40", "80", MEAN))
    assert mean["speedup"] == pytest.approx((two["speedup"] * four["speedup"]) ** 0.5)
    assert mean["speedup"] != pytest.approx((two["speedup"] + four["speedup"]) / 2)
    assert mean["points"] == 2


def test_a_sweep_of_a_specification_is_compared_with_ratio_0(place: Path) -> None:
    shown, points = speedup_frame(place / "shapes"), read_points(place / "shapes")
    assert set(shown["baseline"]) == {"ratio 0"}
    assert len(set(shown["series"])) == 5
    wanted = points[points["ratio"] == 0.4].set_index("series")["simulated_speedup"]
    found = shown[(shown["label"] == "40") & (shown["series"] != PROMISED)].set_index("series")["speedup"]
    pd.testing.assert_series_equal(found.sort_index(), wanted.sort_index(), check_names=False)


def test_points_are_chosen_by_their_columns(place: Path) -> None:
    assert set(read_points(place / "shapes", ["rows=8", "columns=16"])["arrays"]) == {"8x16"}
    with pytest.raises(InputError, match=r"--where: rows: no point has '9'; there are 8, 16"):
        read_points(place / "shapes", ["rows=9"])
    with pytest.raises(InputError, match=r"--where: depth: no such column; there are point, .*rows"):
        read_points(place / "shapes", ["depth=9"])
    with pytest.raises(InputError, match=r"--where: 'depth' is not COLUMN=VALUE; columns: point, .*rows"):
        read_points(place / "shapes", ["depth"])


@pytest.mark.parametrize("source", ["shapes", "demo"])
@pytest.mark.parametrize("column", ["series", "network"])
def test_points_are_chosen_by_columns_of_the_data_set_alone(column: str, source: str, place: Path) -> None:
    with pytest.raises(InputError, match=rf"--where: {column}: no such column; there are ") as refused:
        read_points(place / source, [f"{column}=1"])
    assert not {"series", "network"} & set(refused.value.message.split("there are ")[1].split(", "))
    assert column in read_points(place / source)


def test_more_series_than_colours_are_refused() -> None:
    shown = pd.DataFrame({"series": [f"s{number}" for number in range(9)], "label": "40"})
    check_few(shown.head(8), Path("sweep"))
    with pytest.raises(InputError, match=r"sweep: series: 9 do not stay apart .* at most 8; choose some with --where"):
        check_few(shown, Path("sweep"))
    with pytest.raises(InputError, match="sweep: label: 13 do not stay apart"):
        check_few(pd.DataFrame({"label": range(13)}), Path("sweep"))


def test_causes_sum_to_the_latency(place: Path) -> None:
    shown = latency_frame([place / "packed", place / "plain"], most=3)
    totals = {name: read_run(place / name).totals.latency_ms for name in ("packed", "plain")}
    assert shown.groupby("run")["latency_ms"].sum().to_dict() == pytest.approx(totals)
    assert list(shown["cause"]).count(REST) == 2
    assert len(set(shown["cause"])) == 4
    dropped = shown[shown["cause"] != REST]
    assert dropped.groupby("run")["latency_ms"].sum().to_dict() != pytest.approx(totals)


def test_runs_of_a_demo_stand_in_order(place: Path) -> None:
    shown = latency_frame([place / "demo"])[["accelerator", "run"]].drop_duplicates()
    assert shown["run"].tolist() == ["0", "40", "80"] * 2


def test_runs_of_one_name_are_told_apart_by_where_they_lie(place: Path) -> None:
    runs = place / "demo" / "runs"
    shown = latency_frame([runs / PACKED / "ratio_0400", runs / "plain_int8_32x32" / "ratio_0400"])
    assert set(shown["run"]) == {f"{PACKED}/ratio_0400", "plain_int8_32x32/ratio_0400"}
    with pytest.raises(InputError, match="a run is given twice"):
        latency_frame([place / "packed", place / "packed"])


def test_components_sum_to_the_energy_with_both_ends(place: Path) -> None:
    sums = energy_frame([place / "packed"])[["energy_uj", "energy_low_uj", "energy_high_uj"]].sum().tolist()
    totals = read_run(place / "packed").totals
    assert sums == pytest.approx([totals.energy_uj, totals.energy_low_uj, totals.energy_high_uj])


def test_components_have_plain_names() -> None:
    names = ["buffers.activation", "dram_channels.0", "arrays.0", "arrays.1", "vector_units.0"]
    assert [component_words(name) for name in names] == [
        "activation buffer", "DRAM", "array", "array 2", "vector unit"
    ]  # fmt: skip


def test_roofs_are_peaks_and_hold(place: Path) -> None:
    """32 x 32 PEs at 500 MHz, 2 operations per MAC: 1.024 TOPS with one MAC per PE and cycle; 12 GB/s of DRAM."""
    shown = roofline_frame(place / "packed")
    roofs = shown[shown["what"] == "roof"].set_index("mode")
    assert roofs["tops"].to_dict() == pytest.approx({"4x4": 2.048, "8x4": 1.024, "8x8": 0.512})
    assert roofs["operations_per_byte"].to_dict() == pytest.approx({"4x4": 512 / 3, "8x4": 256 / 3, "8x8": 128 / 3})
    gemms = shown[shown["what"] == "gemm"]
    highest = [max(roofs["tops"][mode] for mode in modes.split(" + ")) for modes in gemms["mode"]]
    assert (gemms["tops"] <= highest).all()
    assert not (gemms["tops"] <= 0.1 * np.array(highest)).all()


def test_the_gemms_of_a_roofline_take_the_time_of_the_run(place: Path) -> None:
    shown, layers = roofline_frame(place / "packed"), read_layers(place / "packed")
    gemms = shown[shown["what"] == "gemm"]
    last = layers[layers["macs"] > 0]["last_ready_cycles"].max()
    before = layers[layers["macs"] > 0]["first_start_cycles"].iloc[0]
    assert gemms["cycles"].sum() in (last, last - before)
    whole = shown[shown["what"] == "run"].iloc[0]
    assert whole["macs"] == gemms["macs"].sum()
    assert whole["cycles"] == cycles(place / "packed")


def test_early_fetches_do_not_lengthen_a_layer() -> None:
    first, last = pd.Series([0, 5, 90]), pd.Series([100, 150, 95])
    assert added_cycles(first, last).tolist() == [100, 50, 5]


def test_the_busy_cycles_of_layers_are_those_of_the_run(place: Path) -> None:
    shown, layers = busy_frame(place / "packed"), read_layers(place / "packed")
    sums = shown.groupby("unit")["busy_cycles"].sum()
    assert sums["array"] == layers["array_busy_cycles"].sum()
    assert sums["DRAM"] == layers["dram_busy_cycles"].sum()
    assert "result port" not in sums
    once = shown.drop_duplicates("layer")
    assert once["added_cycles"].sum() == pytest.approx(layers["last_ready_cycles"].max(), rel=1e-3)
    assert once["layer"].tolist()[0] == "patch_embed"
    assert len(once) == once["layer"].nunique()


def test_shapes_are_means_over_their_points(place: Path) -> None:
    shown, points = shapes_frame(place / "shapes").set_index(["rows", "columns"]), read_points(place / "shapes")
    part = points[(points["rows"] == 8) & (points["columns"] == 16)]["utilization"]
    assert shown.loc[(8, 16), "accelerator"] == PACKED
    assert shown.loc[(8, 16)].tolist()[1:] == pytest.approx([part.mean(), part.min(), part.max(), 2])
    with pytest.raises(InputError, match=r"has one array shape; sweep arrays\.0\.rows"):
        shapes_frame(place / "shapes", ["rows=8", "columns=8"])


def test_no_mean_is_taken_over_accelerators(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    points = read_points(place / "shapes")
    both = pd.concat([points, points.assign(accelerator="another", utilization=0.0)])
    monkeypatch.setattr(shapes, "read_points", lambda source, where: both)
    with pytest.raises(InputError) as refused:
        shapes_frame(place / "shapes")
    mean = f"--where: accelerator: a mean over {PACKED}, another is of no machine"
    assert str(refused.value) == f"{mean}; choose one: --where accelerator={PACKED}"


def test_curves_are_the_summaries(place: Path) -> None:
    shown, points = ratios_frame(place / "demo"), read_points(place / "demo")
    for series, column in ((PACKED, "simulated_speedup"), (PROMISED, "bops_speedup")):
        wanted = points[points["accelerator"] == PACKED][["ratio_actual", column]].to_numpy() * [100, 1]
        assert shown[shown["series"] == series][["low_percent", "speedup"]].to_numpy() == pytest.approx(wanted)


def test_fronts_are_what_no_other_point_beats(place: Path) -> None:
    shown = pareto_frame(place / "demo")
    for cost, column in COLUMN_OF.items():
        for row in shown.to_dict("records"):
            others = shown[shown["series"] == row["series"]]
            better = (others[column] <= row[column]) & (others["accuracy"] >= row["accuracy"])
            strictly = (others[column] < row[column]) | (others["accuracy"] > row["accuracy"])
            assert row[f"on_front_{cost}"] == (not (better & strictly).any())


def test_what_was_not_evaluated_has_no_accuracy_to_draw(place: Path, tmp_path: Path) -> None:
    file = tmp_path / "summary.csv"
    pd.read_csv(place / "demo" / "summary.csv").assign(accuracy=float("nan")).to_csv(file, index=False)
    with pytest.raises(InputError, match=r"nothing was evaluated.* mixarray sweep --ratios"):
        pareto_frame(file)


@pytest.mark.full
def test_a_waterfall_is_that_of_the_explanation(place: Path) -> None:
    again = explained_waterfall(place / "packed", (), (), True)
    written = read_waterfall(place / "explained")
    pd.testing.assert_frame_equal(written[written["accelerator"] == PACKED], again, check_dtype=False)


def test_turned_fields_are_simulated(place: Path, turned: pd.DataFrame) -> None:
    subject = read_subject(place / "packed")
    found = turned.set_index(["field", "direction"])
    half = found.loc[("clock_mhz", "down")]
    assert (half["value"], half["latency_ms"]) == ("250", pytest.approx(2 * half["base_latency_ms"]))
    rows = found.loc[("arrays.0.rows", "up")]
    machine = load_accelerator(str(place / "packed" / "accelerator.yaml"), ["arrays.0.rows=64"])
    again = simulate(read_bundle(subject.bundle.path).workload(0), machine)
    assert rows["latency_ms"] == pytest.approx(machine.cycles_to_ms(again.execution.total_cycles))
    assert rows["energy_uj"] == pytest.approx(again.energy.total_pj / 1e6)
    assert rows["latency_ms"] != rows["base_latency_ms"]
    assert set(turned["base_latency_ms"]) == {read_run(place / "packed").totals.latency_ms}


@pytest.mark.full
def test_every_field_is_turned(place: Path, turned: pd.DataFrame) -> None:
    """Of every field; what the other tests hold of some of them, alike."""
    whole = tornado_frame(place / "packed")
    assert {"vector_units.0.lanes", "mapping.search", "mixed_precision.movement"} <= set(whole["field"])
    assert not any("modes" in field or "schema" in field for field in whole["field"])
    again = whole[whole["field"].isin(turned["field"])].reset_index(drop=True)
    pd.testing.assert_frame_equal(again, turned)


def test_what_is_turned_has_a_result_and_what_is_refused_says_why(turned: pd.DataFrame) -> None:
    slots = turned[turned["field"] == "buffers.activation.slots"].set_index("direction")["value"]
    assert slots.to_dict() == {"down": "1", "up": ""}
    choices = turned["direction"] == "other"
    assert turned[~choices].groupby("field").size().eq(2).all()
    assert not set(turned[choices]["field"]) & set(turned[~choices]["field"])
    refused = turned[turned["refused"] != ""]
    assert refused[["latency_ms", "energy_uj"]].isna().all(axis=None)
    assert turned[turned["refused"] == ""]["latency_ms"].notna().all()
    notes = tornado_notes(turned, Cost.LATENCY)
    assert any(note.startswith("refused: buffers.weight.banks = 0: Input should be") for note in notes)
    assert any(note.startswith("these change nothing: ") and "buffers.weight.port_bits: " in note for note in notes)


def test_choices_by_name_are_simulated_each(place: Path, turned: pd.DataFrame) -> None:
    loading = turned[turned["field"] == "arrays.0.weight_loading"].set_index("value")
    assert list(loading.index) == ["serial", "single"], "double is what the run has"
    machine = load_accelerator(str(place / "packed" / "accelerator.yaml"), ["arrays.0.weight_loading=serial"])
    again = simulate(read_bundle(read_subject(place / "packed").bundle.path).workload(0), machine)
    assert loading["latency_ms"]["serial"] == machine.cycles_to_ms(again.execution.total_cycles)
    assert loading["latency_ms"]["serial"] > loading["base_latency_ms"]["serial"]
    assert set(turned[turned["field"] == "mapping.transpose"]["value"]) == {"pass", "free"}
    (gated,) = turned[turned["field"] == "zero_gating"]["refused"]
    assert gated.startswith("operand: ")


def test_levers_are_named_by_what_they_are_set_to(turned: pd.DataFrame) -> None:
    changes = changes_percent(turned, Cost.LATENCY)
    assert {"clock_mhz: 250, 1000", "buffers.activation.slots: 1, -", "leakage: hp360"} <= set(changes.index)
    assert changes.loc["clock_mhz: 250, 1000"].to_dict() == pytest.approx({"down": 100, "up": -50, "other": 0})
    assert changes["other"]["arrays.0.weight_loading: serial"] > 0
    assert not any(lever.startswith("zero_gating") for lever in changes.index), "what was refused is no lever"


@pytest.mark.parametrize("accelerator", sorted(list_accelerators()))
def test_every_field_of_every_shipped_accelerator_can_be_turned(accelerator: str) -> None:
    """A new kind of field that has neither numbers nor names to turn it to would be a KeyError."""
    machine = load_accelerator(accelerator)
    turned = list(variations(machine))
    assert len({(one.field, one.direction, one.values) for one in turned}) == len(turned)
    assert all(one.base_value not in one.values for one in turned)
    channels = {len(one.paths) for one in turned if one.field.startswith("dram_channels")}
    assert channels == {len(machine.dram_channels)}


def test_a_value_that_is_refused_is_replaced_by_the_next(place: Path) -> None:
    """Of 4096 rows at most: twice 2304 is too much, one more is not."""
    up = Variation("arrays.0.rows", "up", "2304", ("4608", "2305"), ("arrays.0.rows",))
    work = workloads(read_subject(place / "packed"))
    assert turn(Task(place / "packed", work, ("arrays.0.rows=2304",), up)).value == "2305"


@pytest.mark.full
def test_frames_are_made_without_matplotlib() -> None:
    code = (
        "import sys, pkgutil, importlib, mixarray_analysis.plots.frames as f\n"
        "for one in pkgutil.iter_modules(f.__path__): importlib.import_module(f'{f.__name__}.{one.name}')\n"
        "print('matplotlib' in sys.modules, 'pandas' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == (
        "False True\n"
    )
