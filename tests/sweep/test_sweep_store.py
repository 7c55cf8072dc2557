"""The data set on disk: found by hash, sorted into equal bytes, and no row lost wherever sorting is stopped."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.dataset as ds
import pytest

from mixarray.errors import InputError
from mixarray_analysis.sweeps.index import Digests, Index, digests
from mixarray_analysis.sweeps.rows import SCHEMA, table_of
from mixarray_analysis.sweeps.store import (
    GROUP_ROWS,
    POINTS,
    SORTED,
    UNASKED,
    data_files,
    remove_partial,
    sort_rows,
    write_part,
)


def digest(number: int) -> bytes:
    return hashlib.sha256(str(number).encode()).digest()[:16]


def table(*numbers: int) -> pa.Table:
    """Rows whose cycles are their numbers; two neighbours share a content."""
    values: dict[str, Any] = dict.fromkeys(SCHEMA.names)
    rows = [
        values | {"point": digest(one).hex(), "content": digest(-1 - one // 2).hex(), "status": "done", "cycles": one}
        for one in numbers
    ]
    return table_of([tuple(row.values()) for row in rows])


def asked(*numbers: int) -> Digests:
    return digests(b"".join(map(digest, numbers)))


def cycles(folder: Path) -> list[int]:
    found: list[int] = ds.dataset(folder, format="parquet").to_table(["cycles"])["cycles"].to_pylist()
    return found


def put(directory: Path, *parts: tuple[int, ...], folder: str = POINTS) -> None:
    for part in parts:
        write_part(directory / folder, table(*part))


def test_rows_are_found_by_point_and_by_content(tmp_path: Path) -> None:
    put(tmp_path, (5, 0, 3), (8, 1))
    index = Index(data_files(tmp_path))
    found = index.positions(asked(8, 7, 0, 5))
    assert found[1] == -1
    assert index.rows(found[[0, 2, 3]])["cycles"].to_pylist() == [8, 0, 5]
    by_content = index.positions_of_content(digests(digest(-1 - 2 // 2) + digest(-1 - 6 // 2)))
    assert (by_content >= 0).tolist() == [True, False]
    assert index.rows(by_content[:1])["cycles"].to_pylist() == [3]
    assert (Index([]).positions(asked(1)) == -1).all()


def test_hashes_that_end_in_zero_are_kept_apart(tmp_path: Path) -> None:
    """NumPy drops trailing zero bytes of texts when it hands them out."""
    raw = [bytes(range(1, 16)) + b"\0", b"\0" * 15 + b"\1", bytes(range(1, 16)) + b"\1"]
    found = digests(b"".join(raw))
    assert len(np.unique(found)) == 3
    assert found.tobytes() == b"".join(raw)


def test_sorted_bytes_do_not_depend_on_how_rows_came(tmp_path: Path) -> None:
    numbers = list(range(GROUP_ROWS + 50))
    one, other, third = (tmp_path / name for name in "abc")
    put(one, tuple(numbers))
    put(other, tuple(numbers[3000:]), tuple(reversed(numbers[:3100])))
    put(third, tuple(numbers[1:]), (0,))
    for directory in (one, other, third):
        sort_rows(directory, asked(*numbers, 7))
        assert [path.name for path in data_files(directory)] == [SORTED]
        assert cycles(directory / POINTS) == numbers
    first, *others = [(directory / POINTS / SORTED).read_bytes() for directory in (one, other, third)]
    assert all(content == first for content in others)
    sort_rows(third, asked(*reversed(numbers)))
    assert (third / POINTS / SORTED).read_bytes() != first, "the order is that of the points asked for"


def test_rows_nobody_asks_for_wait_aside(tmp_path: Path) -> None:
    put(tmp_path, (0, 1, 2, 3))
    sort_rows(tmp_path, asked(2, 1))
    assert cycles(tmp_path / POINTS) == [2, 1]
    assert sorted(cycles(tmp_path / UNASKED)) == [0, 3]
    sort_rows(tmp_path, asked(0, 1, 2, 3))
    assert cycles(tmp_path / POINTS) == [0, 1, 2, 3]
    assert not list((tmp_path / UNASKED).iterdir())


def test_a_sorted_data_set_is_left_alone(tmp_path: Path) -> None:
    put(tmp_path, (1, 0))
    sort_rows(tmp_path, asked(0, 1))
    before = (tmp_path / POINTS / SORTED).stat().st_ino
    sort_rows(tmp_path, asked(0, 1))
    assert (tmp_path / POINTS / SORTED).stat().st_ino == before


def test_rows_that_are_gone_are_missed(tmp_path: Path) -> None:
    put(tmp_path, (0, 1))
    with pytest.raises(InputError, match="rows of finished points are gone"):
        sort_rows(tmp_path, asked(0, 2))


def test_a_file_of_something_else_is_named(tmp_path: Path) -> None:
    (tmp_path / POINTS).mkdir()
    (tmp_path / POINTS / "notes.parquet").write_text("none")
    with pytest.raises(InputError, match=r"notes\.parquet.*is no part of a sweep"):
        Index(data_files(tmp_path))


class Killed(BaseException):
    """Stands for the end of the process."""


@pytest.mark.parametrize("at", range(6))
def test_no_row_is_lost_wherever_sorting_stops(at: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two files are renamed and four removed; the process ends before change number `at`, and the sweep runs again."""
    put(tmp_path, (4, 0), (1, 2), (5, 3))
    put(tmp_path, (9, 8), folder=UNASKED)
    changes = 0
    with monkeypatch.context() as patch:
        for name in ("rename", "unlink"):
            real = getattr(Path, name)

            def counted(path: Path, *args: Any, _real: Any = real) -> Any:
                nonlocal changes
                if changes == at:
                    raise Killed
                changes += 1
                return _real(path, *args)

            patch.setattr(Path, name, counted)
        with pytest.raises(Killed):
            sort_rows(tmp_path, asked(0, 1, 2, 8))
    assert set(cycles(tmp_path / POINTS)) >= {0, 1, 2}
    held = {number for path in data_files(tmp_path) for number in cycles(path)}
    assert held == {0, 1, 2, 3, 4, 5, 8, 9}
    remove_partial(tmp_path)
    sort_rows(tmp_path, asked(0, 1, 2, 8))
    assert cycles(tmp_path / POINTS) == [0, 1, 2, 8]
    assert sorted(cycles(tmp_path / UNASKED)) == [3, 4, 5, 9]
    assert not list(tmp_path.rglob("*.partial"))
