"""`mixarray report` and `mixarray compare --report`: files, and what is refused on one line."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from mixarray_analysis.cli import main

from .conftest import Places, parse


def test_report_and_compare_write_the_same_page(
    places: Places, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    runs = [str(places.run), str(places.plain)]
    one, other = tmp_path / "one.html", tmp_path / "other.html"
    assert main(["report", *runs, "-o", str(one)]) == 0
    assert capsys.readouterr().out.split() == [str(one)]
    assert main(["compare", *runs, "--report", str(other), "-q"]) == 0
    assert one.read_bytes() == other.read_bytes()
    assert len(parse(one.read_text(encoding="utf-8")).data["runs"]) == 2


def test_an_existing_page_is_kept_unless_forced(places: Places, tmp_path: Path) -> None:
    page = tmp_path / "page.html"
    page.write_text("mine", encoding="utf-8")
    assert main(["report", str(places.sweep), "-o", str(page)]) == 2
    assert page.read_text(encoding="utf-8") == "mine"
    assert main(["report", str(places.sweep), "-o", str(page), "--force", "-q"]) == 0
    assert len(page.read_bytes()) > 1_000_000


def test_what_does_not_fit_is_one_line(places: Places, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    broken = tmp_path / "broken"
    shutil.copytree(places.explanation, broken)
    (broken / "explain.json").write_text(json.dumps({"explanations": [{"against": "x"}]}), encoding="utf-8")
    torn = tmp_path / "torn"
    shutil.copytree(places.run, torn)
    (torn / "timeline.perfetto.json").write_text("{", encoding="utf-8")
    layers = tmp_path / "layers"
    shutil.copytree(places.plain, layers)
    (layers / "layers.parquet").write_bytes(b"PAR1")
    cases = (
        ([str(places.bundle)], "is a bundle"),
        ([str(tmp_path / "nowhere")], "no such"),
        ([str(places.explanation)], "needs a run or a sweep"),
        ([str(places.plain), str(places.explanation)], "explains none of the runs"),
        ([str(places.run), str(places.run)], "twice"),
        ([str(places.run), str(broken)], "no explanation"),
        ([str(torn)], "as a timeline"),
        ([str(layers)], "layers of a run"),
        ([str(places.run), "--image", "7"], "images 0 to 0"),
        ([str(places.run), "--picture", str(tmp_path / "no.jpg")], "no.jpg"),
    )
    page = tmp_path / "page.html"
    for arguments, message in cases:
        assert main(["report", *arguments, "-o", str(page)]) == 2, arguments
        error = capsys.readouterr().err
        assert message in error, arguments
        assert error.count("\n") == 1, arguments
        assert not page.exists()


def test_a_page_is_not_written_into_a_source(
    places: Places, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["report", str(places.run), "-o", str(places.run / "report.html")]) == 2
    assert "lies in a source" in capsys.readouterr().err
    assert main(["report", str(places.run), "-o", str(tmp_path)]) == 2
    assert "--force" in capsys.readouterr().err


def test_a_picture_lies_under_the_windows(places: Places, tmp_path: Path) -> None:
    from PIL import Image

    Image.new("RGB", (64, 64), (10, 20, 30)).save(tmp_path / "photo.png")
    page = tmp_path / "page.html"
    assert main(["report", str(places.run), "--picture", str(tmp_path / "photo.png"), "-o", str(page), "-q"]) == 0
    (run,) = parse(page.read_text(encoding="utf-8")).data["runs"]
    assert run["windows"]["picture"].startswith("data:image/jpeg;base64,")


def test_a_gemm_has_no_windows_and_no_waterfall_and_says_why(places: Places, tmp_path: Path) -> None:
    page = tmp_path / "page.html"
    assert main(["report", str(places.gemm), "-o", str(page), "-q"]) == 0
    (run,) = parse(page.read_text(encoding="utf-8")).data["runs"]
    assert "only runs of a bundle" in run["missing"]["waterfall"]
    assert "only runs of a bundle" in run["missing"]["windows"]
    assert run["headline"].endswith("%.")
