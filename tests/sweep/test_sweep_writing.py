"""The journal of a process and the parts made of it: no row waits in memory alone, none comes out changed."""

from __future__ import annotations

import errno
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from mixarray.errors import InputError
from mixarray_analysis.sweeps import writing
from mixarray_analysis.sweeps.rows import SCHEMA, Row
from mixarray_analysis.sweeps.writing import Writer, journals, read_journal, recover


def row(number: int) -> Row:
    values: dict[str, Any] = dict.fromkeys(SCHEMA.names)
    shares = {"energy_uj": number / 3, "ratio": 1e-300, "error": 'a "quoted"\nline', "model": "modèle"}
    return tuple((values | shares | {"point": f"{number:032x}", "content": f"{number:032x}", "cycles": 2**62}).values())


def parts(folder: Path) -> list[Row]:
    tables = [pq.read_table(path) for path in sorted(folder.glob("*.parquet"))]
    return [tuple(one.values()) for table in tables for one in table.to_pylist()]


def test_a_row_is_on_disk_as_soon_as_it_is_known(tmp_path: Path) -> None:
    writer = Writer(tmp_path)
    for number in range(3):
        writer.add(row(number))
        (journal,) = journals(tmp_path)
        assert read_journal(journal) == [row(one) for one in range(number + 1)]
    assert parts(tmp_path) == []
    writer.flush()
    assert (parts(tmp_path), journals(tmp_path)) == ([row(0), row(1), row(2)], [])
    writer.flush()
    assert len(list(tmp_path.iterdir())) == 1


def test_what_a_kill_left_becomes_a_part_without_the_line_it_cut(tmp_path: Path) -> None:
    Writer(tmp_path).add(row(0))
    (journal,) = journals(tmp_path)
    whole = journal.read_bytes()
    for cut in (0, 1, len(whole) - 1):
        journal.write_bytes(whole * 2 + whole[:cut])
        assert read_journal(journal) == [row(0), row(0)]
    recover(tmp_path)
    assert (parts(tmp_path), journals(tmp_path)) == ([row(0), row(0)], [])
    (tmp_path / ".7.journal").touch()
    recover(tmp_path)
    assert journals(tmp_path) == []


def test_parts_grow_with_the_time_worked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two rows per second for ten hours: a part per second would be 36,000."""
    now = 0.0
    monkeypatch.setattr("time.monotonic", lambda: now)
    written: list[int] = []
    monkeypatch.setattr(writing, "write_part", lambda folder, table: written.append(table.num_rows))
    monkeypatch.setattr(writing, "table_of", lambda rows: pa.table({"row": list(range(len(rows)))}))
    monkeypatch.setattr("json.dumps", lambda row: "[]")
    writer = Writer(tmp_path)
    for _ in range(72_000):
        now += 0.5
        writer.add(())
    assert set(written[:30]) == {4}, "at first a part per second or two"
    assert 400 < len(written) < 800
    assert max(written) < 72_000 / 90


def test_a_full_disk_is_one_line_and_loses_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    writer = Writer(tmp_path)
    writer.add(row(0))
    with monkeypatch.context() as patch:
        patch.setattr(pq.ParquetWriter, "write_table", full)
        with pytest.raises(InputError, match=r"part-.*cannot be written: No space left on device"):
            writer.flush()
    assert [path.suffix for path in tmp_path.iterdir()] == [".journal"], "nothing half-written takes up space"
    recover(tmp_path)
    assert parts(tmp_path) == [row(0)]
