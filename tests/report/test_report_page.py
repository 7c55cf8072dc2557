"""The page as text: it holds the files' data exactly, is safe and small, loads nothing, and repeats byte for byte."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path

import pandas as pd
import pytest

from mixarray.errors import InputError
from mixarray.result.read import read_run
from mixarray_analysis import report
from mixarray_analysis.report.data import report_data
from mixarray_analysis.report.page import MOST_BYTES, embedded_json, render
from mixarray_analysis.report.points import POINT_COLUMNS, sweep_data
from mixarray_analysis.report.sources import read_sources
from mixarray_analysis.summary import write_tidy
from mixarray_analysis.sweeps.api import read_sweep

from .conftest import HOSTILE, HOSTILE_DIRECTORY, Parsed, Places, parse, summary_row


@pytest.fixture(scope="module")
def page(places: Places) -> str:
    everything = (places.run, places.plain, places.explanation, places.summary, places.sweep)
    return render(report_data(read_sources(everything)))


@pytest.fixture(scope="module")
def parsed(page: str) -> Parsed:
    return parse(page)


def test_runs_are_their_run_json(places: Places, parsed: Parsed) -> None:
    for one, place in zip(parsed.data["runs"], (places.run, places.plain), strict=True):
        written = json.loads((place / "run.json").read_text(encoding="utf-8"))
        assert one["run"] == written
        assert one["run"] != written | {"engine": "planted"}


def test_layers_are_those_of_the_csv(places: Places, parsed: Parsed) -> None:
    layers = parsed.data["runs"][0]["layers"]
    shown = pd.DataFrame(layers["rows"], columns=layers["columns"])
    written = pd.read_csv(places.run / "layers.csv", keep_default_na=False)
    pd.testing.assert_frame_equal(shown, written, check_dtype=False, check_exact=True)
    written.loc[3, "macs"] += 1
    with pytest.raises(AssertionError):
        pd.testing.assert_frame_equal(shown, written, check_dtype=False, check_exact=True)


def test_points_of_a_specification_are_those_of_the_data_set(places: Places, parsed: Parsed) -> None:
    found = parsed.data["sweeps"][1]
    shown = pd.DataFrame(found["rows"], columns=found["columns"])
    written = read_sweep(places.sweep).to_pandas()
    same = [name for name in found["columns"] if name in written]
    assert len(same) >= 40
    pd.testing.assert_frame_equal(shown[same], written[same], check_dtype=False, check_exact=True)
    assert set(found["columns"]) <= set(POINT_COLUMNS), "every column is in the glossary"


def test_the_waterfall_is_the_explanation_of_that_run_alone(places: Places, parsed: Parsed) -> None:
    written = json.loads((places.explanation / "explain.json").read_text(encoding="utf-8"))["explanations"][0]
    first, second = parsed.data["runs"]
    assert first["waterfall"] == written
    assert second["waterfall"] is None
    assert "mixarray explain" in second["missing"]["waterfall"]
    assert "--timeline" in second["missing"]["timeline"]


def test_the_timeline_adds_up_to_the_busy_cycles_of_the_layers(places: Places, parsed: Parsed) -> None:
    first = parsed.data["runs"][0]
    layers = pd.DataFrame(first["layers"]["rows"], columns=first["layers"]["columns"])
    units = first["timeline"]["units"]
    assert sum(units["arrays.0"]) == layers["array_busy_cycles"].sum()
    assert sum(units["vector_units.0"]) == layers["vector_busy_cycles"].sum()
    assert sum(units["dram_channels.0"]) == layers["dram_busy_cycles"].sum()
    assert first["timeline"]["total_cycles"] == read_run(places.run).totals.cycles


def test_windows_tile_the_image_and_have_the_bundles_bits(parsed: Parsed) -> None:
    windows = parsed.data["runs"][0]["windows"]
    rows = pd.DataFrame(windows["rows"], columns=windows["columns"])
    area = (rows["width_px"] * rows["height_px"]).groupby(rows["stage"]).sum()
    assert set(area) == {64 * 64}
    assert rows.groupby("stage")["low"].sum().to_dict() == {0: 7, 1: 2}
    assert windows["picture"] is None


def test_pairs_have_the_sentence_of_compare(parsed: Parsed) -> None:
    (pair,) = parsed.data["comparison"]["pairs"]
    assert "energy" in pair["sentence"]
    assert HOSTILE_DIRECTORY in pair["first"]


def test_nothing_is_loaded(page: str, parsed: Parsed) -> None:
    assert _loads(parsed) == []
    assert _loads(parse(page.replace("<body>", '<body><img src="https://example.org/a.png">'))) != []
    style = "".join(parsed.texts["style"])
    assert "url(" not in style
    assert "@import" not in style
    policy = next(one["content"] for tag, one in parsed.elements if one.get("http-equiv") == "Content-Security-Policy")
    assert policy is not None
    assert policy.startswith("default-src 'none';")
    assert "http" not in policy


def _loads(parsed: Parsed) -> list[str]:
    """What elements would load, beside places on the page itself."""
    given = [one.get(name) or "" for _, one in parsed.elements for name in ("src", "href", "srcset", "data")]
    return [value for value in given if value and not value.startswith("#")]


def test_names_stay_data_whatever_they_are(page: str, parsed: Parsed) -> None:
    assert [tag for tag, _ in parsed.elements].count("script") == 3, "the data, Plotly, ours"
    assert "alert(1)" not in parsed.texts["script"]
    assert not [tag for tag, _ in parsed.elements if tag == "img"]
    assert HOSTILE in {row[0] for row in parsed.data["sweeps"][0]["rows"]}
    assert parsed.data["runs"][0]["name"].endswith(HOSTILE_DIRECTORY)
    naive = page.replace(embedded_json(parsed.data), json.dumps(parsed.data, ensure_ascii=False))
    assert "alert(1)" in parse(naive).texts["script"]


def test_our_scripts_never_read_markup() -> None:
    scripts = sorted((Path(report.__file__).parent / "assets").glob("*.js"))
    assert len(scripts) > 5
    unsafe = re.compile(r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(|new Function")
    assert unsafe.search("element.innerHTML = name")
    assert [path.name for path in scripts if unsafe.search(path.read_text(encoding="utf-8"))] == []


def test_equal_sources_give_equal_bytes_and_a_page_under_the_limit(places: Places) -> None:
    sources = [places.run, places.explanation, places.sweep]
    first, second = (render(report_data(read_sources(sources))) for _ in range(2))
    assert first == second
    assert len(first.encode()) < MOST_BYTES
    with pytest.raises(InputError, match="name fewer sources"):
        render(report_data(read_sources(sources)), most_bytes=1_000_000)


def test_a_page_without_scripts_still_says_its_headline(places: Places) -> None:
    text = render(report_data(read_sources([places.plain])))
    outside = re.sub(r"<script.*?</script>", "", text, flags=re.DOTALL)
    speedup = read_run(places.plain).speedup
    assert speedup is not None
    assert f"{speedup.simulated:.3f}x simulated" in outside


def test_a_large_sweep_is_thinned_and_says_so(places: Places, tmp_path: Path) -> None:
    write_tidy([("a", summary_row(0.4, 1 + place, 100.0)) for place in range(50)], tmp_path)
    found = sweep_data(tmp_path, most=5)
    assert (len(found["rows"]), found["finished"]) == (5, 50)
    latencies = [row[found["columns"].index("latency_ms")] for row in found["rows"]]
    assert (latencies[0], latencies[-1]) == (1, 50)
    with pytest.raises(InputError, match="sweep less"):
        sweep_data(places.summary, most=5)


def test_the_bundle_of_a_run_may_be_gone(places: Places, tmp_path: Path) -> None:
    shutil.copytree(places.run, tmp_path / "alone")
    (one,) = report_data(read_sources([tmp_path / "alone"]))["runs"]
    assert one["windows"] is None
    assert "is gone" in one["missing"]["windows"]
