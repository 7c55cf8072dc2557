"""A directory appears whole or not at all, and --force deletes nothing that is not ours."""

from __future__ import annotations

from pathlib import Path

import pytest

from mixarray.atomic import ResultKind, atomic_directory
from mixarray.errors import InputError


def write(path: Path, force: bool = False, name: str = "run.json") -> None:
    with atomic_directory(path, ResultKind.RUN, force) as work:
        (work / name).write_text("new")
        assert path.name in work.name
        assert work.parent == path.parent


def test_it_appears_at_the_end_with_its_parents(tmp_path: Path) -> None:
    write(tmp_path / "a" / "b")
    assert (tmp_path / "a" / "b" / "run.json").read_text() == "new"
    assert [entry.name for entry in (tmp_path / "a").iterdir()] == ["b"]


def test_nothing_is_left_when_the_block_fails(tmp_path: Path) -> None:
    def fail() -> None:
        with atomic_directory(tmp_path / "out", ResultKind.RUN) as work:
            (work / "half").write_text("x")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fail()
    assert list(tmp_path.iterdir()) == []


def test_the_old_one_survives_a_failure(tmp_path: Path) -> None:
    write(tmp_path / "out")

    def fail() -> None:
        with atomic_directory(tmp_path / "out", ResultKind.RUN, force=True):
            raise ValueError("no")

    with pytest.raises(ValueError, match="no"):
        fail()
    assert (tmp_path / "out" / "run.json").exists()


def test_existing_is_refused_without_force(tmp_path: Path) -> None:
    write(tmp_path / "out")
    with pytest.raises(InputError, match="already exists; use --force"):
        write(tmp_path / "out")
    write(tmp_path / "out", force=True, name="summary.csv")
    assert [entry.name for entry in (tmp_path / "out").iterdir()] == ["summary.csv"]
    assert [entry.name for entry in tmp_path.iterdir()] == ["out"]


def test_force_spares_what_is_not_ours(tmp_path: Path) -> None:
    (tmp_path / "thesis").mkdir()
    (tmp_path / "thesis" / "chapter1.tex").write_text("years of work")
    with pytest.raises(InputError, match=r"no earlier result of this kind"):
        write(tmp_path / "thesis", force=True)
    (tmp_path / "file").write_text("x")
    with pytest.raises(InputError, match="is no directory"):
        write(tmp_path / "file", force=True)
    (tmp_path / "link").symlink_to(tmp_path / "thesis")
    with pytest.raises(InputError, match="is no directory"):
        write(tmp_path / "link", force=True)
    assert (tmp_path / "thesis" / "chapter1.tex").exists()


def test_force_replaces_an_empty_directory(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    write(tmp_path / "empty", force=True)
    assert (tmp_path / "empty" / "run.json").exists()


def test_a_place_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    with pytest.raises(InputError, match="cannot be written"):
        write(tmp_path / "file" / "out")


def test_force_replaces_only_the_same_kind_and_never_an_input(tmp_path: Path) -> None:
    write(tmp_path / "run")
    with (
        pytest.raises(InputError, match=r"no summary\.csv"),
        atomic_directory(tmp_path / "run", ResultKind.SWEEP, True),
    ):
        pass
    source = tmp_path / "run" / "bundles" / "one"
    source.mkdir(parents=True)
    for place in (source, tmp_path / "run"):
        (place / "run.json").write_text("old")
        with pytest.raises(InputError, match="which is read"), atomic_directory(place, ResultKind.RUN, True, [source]):
            pass
        assert (place / "run.json").read_text() == "old"
