"""The directory of a sweep: nobody else's files are touched, and rows are those of the code that they state."""

from __future__ import annotations

import json
import signal
import threading
from collections.abc import Callable
from multiprocessing import Pipe
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from mixarray.errors import InputError
from mixarray_analysis.sweeps import code_version
from mixarray_analysis.sweeps.api import read_sweep, sweep
from mixarray_analysis.sweeps.code_version import code_sha256, sources_sha256
from mixarray_analysis.sweeps.processes import _serve
from mixarray_analysis.sweeps.rows import SCHEMA, table_of
from mixarray_analysis.sweeps.running import prepare, run_sweep
from mixarray_analysis.sweeps.spec import SweepSpec
from mixarray_analysis.sweeps.store import POINTS, write_part
from mixarray_analysis.sweeps.working import Answer
from mixarray_analysis.sweeps.writing import Writer
from mixarray_analysis.workers import begin

Make = Callable[..., SweepSpec]


@pytest.mark.parametrize(
    "foreign", ["{}", '{"code_sha256": 7}', "[1]", "no JSON", "[" * 100_000, '{"schema_version": "1.0"}']
)
def test_a_spec_json_of_something_else_is_left_alone(foreign: str, make_spec: Make, tmp_path: Path) -> None:
    (tmp_path / "points").mkdir()
    (tmp_path / "points" / "mine.parquet").write_text("years of work")
    (tmp_path / "spec.json").write_text(foreign)
    for force in (False, True):
        with pytest.raises(InputError, match=r"spec\.json"):
            run_sweep(make_spec(), tmp_path, force=force)
    assert sorted(path.name for path in tmp_path.rglob("*")) == ["mine.parquet", "points", "spec.json"]
    assert (tmp_path / "spec.json").read_text() == foreign


def test_a_sweep_that_starts_anew_is_never_one_that_looks_finished(
    make_spec: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The process ends when it removes the rows: `sweep.json` is gone by then."""
    run_sweep(make_spec(), tmp_path / "sweep")
    assert read_sweep(tmp_path / "sweep").findings is not None

    def killed(path: Path) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr("shutil.rmtree", killed)
        with pytest.raises(KeyboardInterrupt):
            run_sweep(make_spec(), tmp_path / "sweep", force=True)
    assert read_sweep(tmp_path / "sweep").findings is None
    assert run_sweep(make_spec(), tmp_path / "sweep").computed == 0


def test_rows_that_cannot_be_removed_are_not_passed_over(
    make_spec: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run_sweep(make_spec(), tmp_path / "sweep")

    def held(path: Path) -> None:
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr("shutil.rmtree", held)
    with pytest.raises(InputError, match=r"points: cannot be written: Permission denied"):
        run_sweep(make_spec(), tmp_path / "sweep", force=True)


def test_the_code_of_a_row_is_the_one_that_was_imported(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An edit counts, but not for a process that has imported the sources before it."""
    source = tmp_path / "edited_package" / "__init__.py"
    source.parent.mkdir()
    source.write_text("ROWS = 1")
    (source.parent / "notes.txt").write_text("not code")
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setattr(code_version, "DECIDING", (("edited_package", "**/*"),))
    imported, before = code_sha256(), sources_sha256()
    (source.parent / "notes.txt").write_text("not code either")
    assert sources_sha256() == before
    source.write_text("ROWS = 2")
    assert sources_sha256() != before
    assert code_sha256() == imported


def test_a_process_with_other_sources_does_no_work(
    make_spec: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(signal, "signal", lambda *_: None)
    monkeypatch.setattr("mixarray_analysis.sweeps.running.code_sha256", lambda: "before the edit")
    job, _ = prepare(make_spec(), tmp_path / "sweep")
    here, there = Pipe()
    begin(_serve, (job,), there)
    told = here.recv()
    assert isinstance(told, InputError)
    assert (told.where, told.field) == ("--jobs", None)
    assert "have changed" in told.message


def test_a_process_works_on_parts_until_nobody_listens(
    make_spec: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What it sends: that it has begun, then of each part the answer, points done with, and its end."""
    monkeypatch.setattr(signal, "signal", lambda *_: None)
    job, points = prepare(make_spec(grid={"ratio": [0, 0.5, 0.75]}), tmp_path / "sweep")
    (tmp_path / "sweep" / POINTS).mkdir(parents=True)
    here, there = Pipe()
    for task in ((2, 3, "its process died"), (0, 2, "")):
        here.send(task)
    thread = threading.Thread(target=begin, args=(_serve, (job,), there))
    thread.start()
    heard = [here.recv() for _ in range(9)]
    here.close()
    thread.join()
    assert [(one.start, one.new) if isinstance(one, Answer) else one for one in heard] == [
        0,
        *((2, b"\1"), 0, 1, None),
        *((0, b"\1\1"), 0, 2, None),
    ]
    parts = (tmp_path / "sweep" / POINTS).glob("*.parquet")
    rows = [row for part in parts for row in pq.read_table(part, columns=["setting", "error"]).to_pylist()]
    assert sorted((row["setting"], row["error"]) for row in rows) == [
        ("0", ""),
        ("0.5", ""),
        ("0.75", "its process died"),
    ]
    assert points.size == 3


def test_a_sweep_is_read_while_it_grows(make_spec: Make, tmp_path: Path) -> None:
    """Before its first part, with rows in parts and in a journal, and while rows stand twice."""
    out, spec = tmp_path / "sweep", make_spec(grid={"ratio": [0, 0.5]})
    (first, second) = (tuple(one.values()) for one in sweep(spec, tmp_path / "whole")._table(SCHEMA.names).to_pylist())
    out.mkdir()
    (out / "spec.json").write_text((tmp_path / "whole" / "spec.json").read_text())
    (out / POINTS).mkdir()
    growing = read_sweep(out)
    assert (len(growing), list(growing.to_pandas(["cycles"]))) == (0, ["cycles"])
    assert "not finished, 0 rows so far" in growing._repr_html_()
    write_part(out / POINTS, table_of([first]))
    Writer(out / POINTS).add(second)
    assert list(growing.to_pandas()["setting"]) == ["0"]
    write_part(out / POINTS, table_of([first, second]))
    assert sorted(growing.to_pandas(["setting"])["setting"]) == ["0", "0.5"]
    assert run_sweep(spec, out).computed == 0
    (out / POINTS).rename(out / "elsewhere")
    with pytest.raises(InputError, match="cannot be read"):
        growing.to_pandas()


def test_fields_that_were_set_are_columns_if_asked_for(make_spec: Make, tmp_path: Path) -> None:
    machines = [
        {"arrays.0.modes": [[8, 8], [8, 4], [4, 4]], "mapping.attention": "layerwise", "arrays.0.weight_port_bits": 64},
        {"arrays.0.modes": [[8, 8], [4, 4]], "mapping.attention": "fused", "arrays.0.weight_port_bits": 128},
    ]
    found = sweep(make_spec(grid={"machine": machines}), tmp_path / "sweep").to_pandas(["cycles"], fields=True)
    assert list(found.columns) == ["cycles", *machines[0]]
    assert [dict(row) for _, row in found.drop(columns="cycles").iterrows()] == machines


def test_the_specification_of_a_sweep_is_kept_with_every_default(make_spec: Make, tmp_path: Path) -> None:
    spec = make_spec(grid={"ratio": [0, 0.5]})
    run_sweep(spec, tmp_path / "sweep")
    assert json.loads((tmp_path / "sweep" / "spec.json").read_text()) == {
        "code_sha256": code_sha256(),
        "spec": spec.to_data(),
    }
