"""The scripts of benchmarks/: what they refuse before any work. What they measure is a matter of `make bench`."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from types import ModuleType

import pytest

FOLDER = Path(__file__).parents[2] / "benchmarks"
GOLDEN = Path(__file__).parents[1] / "golden" / "scalesim"


@pytest.fixture
def script(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], ModuleType]:
    """script(name): the module of benchmarks/."""
    monkeypatch.syspath_prepend(FOLDER)
    return import_module


@pytest.mark.parametrize(
    ("name", "arguments", "message"),
    [
        ("bench_scalesim", ["--layers", "0"], "argument --layers: '0' is no integer from 1"),
        ("bench_scalesim", ["--layers", "-25"], "argument --layers: '-25' is no integer from 1"),
        ("bench_scalesim", ["--layers", "all"], "argument --layers: 'all' is no integer from 1"),
        ("bench_scalesim", ["--csv", "/nowhere/b.csv"], "/nowhere/b.csv cannot be written: No such file"),
        ("bench_scalesim", ["--csv", "/"], "/ cannot be written: Is a directory"),
        ("bench_engine", ["--csv", "/nowhere/b.csv"], "/nowhere/b.csv cannot be written: No such file"),
        ("record_scalesim", [], "the following arguments are required: STEM.cfg"),
        ("record_scalesim", ["nothing.cfg"], "argument STEM.cfg: no such file: nothing.cfg"),
        ("record_scalesim", [str(FOLDER / "README.md")], "no such file: "),
        ("scalesim_stalls", ["more"], "unrecognized arguments: more"),
    ],
)
def test_bad_arguments_are_refused_before_any_work(
    script: Callable[[str], ModuleType],
    capsys: pytest.CaptureFixture[str],
    name: str,
    arguments: list[str],
    message: str,
) -> None:
    with pytest.raises(SystemExit) as stopped:
        script(name).main(arguments)
    assert stopped.value.code == 2
    assert message in capsys.readouterr().err


def test_a_table_appears_complete_or_not_at_all(script: Callable[[str], ModuleType], tmp_path: Path) -> None:
    table, place = script("csv_table"), tmp_path / "b.csv"
    assert table.new_file(str(place)) == place
    row = script("bench_engine").Measured(1, 2, 3, 4, "event", 4, 0.5, 0.25, 7, 16.0, 1.0)
    with pytest.raises(TypeError):
        table.write_csv([row, "no row"], place)
    assert list(tmp_path.iterdir()) == []
    table.write_csv([row], place)
    assert [path.name for path in tmp_path.iterdir()] == ["b.csv"]
    assert place.read_text(encoding="utf-8").split("\n")[1] == "1,2,3,4,event,4,0.5,0.25,7,16.0,1.0"


def test_a_setting_that_is_not_there_is_not_changed(script: Callable[[str], ModuleType]) -> None:
    changed = script("scalesim_stalls").changed
    assert changed("a: 1\nab: 2\n", ("a",), 7) == "a: 7\nab: 2\n"
    with pytest.raises(ValueError, match="stands there 0 times"):
        changed("ab: 2\n", ("a",), 7)


@pytest.mark.full
@pytest.mark.needs("scalesim")
def test_the_stalls_of_the_documentation(
    script: Callable[[str], ModuleType], capsys: pytest.CaptureFixture[str]
) -> None:
    """The table of docs/scalesim.md, and the prefetch beside it."""
    script("scalesim_stalls").main([])
    rows = [line.split()[-6:] for line in capsys.readouterr().out.splitlines()]
    assert ["11535", "10413", "10431", "60049", "5991", "5663"] in rows
    assert [row[-3:] for row in rows][-1] == ["164", "1147", "8487"]


@pytest.mark.full
@pytest.mark.needs("scalesim")
def test_recording_again_gives_the_golden_bytes(script: Callable[[str], ModuleType], tmp_path: Path) -> None:
    stem = "scalesim_3.0.0_is_5x16_conv"
    for suffix in (".cfg", ".topology.csv"):
        (tmp_path / f"{stem}{suffix}").write_bytes((GOLDEN / f"{stem}{suffix}").read_bytes())
    script("record_scalesim").main([str(tmp_path / f"{stem}.cfg")])
    assert (tmp_path / f"{stem}.csv").read_bytes() == (GOLDEN / f"{stem}.csv").read_bytes()
