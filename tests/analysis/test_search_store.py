"""The shared file of measured values: whole lines, several writers, torn ends."""

from __future__ import annotations

import fcntl
import json
import multiprocessing
from pathlib import Path
from typing import IO

import pytest

from mixarray.errors import InputError
from mixarray_analysis.search.store import Store

KEY, OTHER = {"groups": [[1, 2, 3]], "model": "a"}, {"groups": [[1, 2, 3]], "model": "b"}


def test_a_value_is_found_by_its_key_in_any_order_and_by_no_other(tmp_path: Path) -> None:
    store = Store(tmp_path / "deep" / "cache.jsonl")
    assert store.get(KEY) is None
    store.put(KEY, {"ap50": 0.1})
    assert store.get({"model": "a", "groups": [[1, 2, 3]]}) == {"ap50": 0.1}
    assert store.get(OTHER) is None


def test_two_writers_see_each_other_and_do_not_repeat(tmp_path: Path) -> None:
    path = tmp_path / "cache.jsonl"
    first, second = Store(path), Store(path)
    assert second.get(KEY) is None
    first.put(KEY, {"ap50": 0.1})
    assert second.get(KEY) == {"ap50": 0.1}
    second.put(KEY, {"ap50": 0.2})
    second.put(OTHER, {"ap50": 0.3})
    assert first.get(KEY) == {"ap50": 0.1}
    assert first.get(OTHER) == {"ap50": 0.3}
    assert path.read_text().count("\n") == 2


def test_a_key_that_another_writes_just_before_the_lock_is_not_written_twice(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, lock = tmp_path / "cache.jsonl", fcntl.flock
    first, second = Store(path), Store(path)

    def other_is_faster(file: IO[bytes], how: int) -> None:
        monkeypatch.setattr(fcntl, "flock", lock)
        second.put(KEY, {"ap50": 0.2})
        lock(file, how)

    assert first.get(KEY) is None
    monkeypatch.setattr(fcntl, "flock", other_is_faster)
    first.put(KEY, {"ap50": 0.1})
    assert path.read_text().count("\n") == 1
    assert first.get(KEY) == second.get(KEY) == {"ap50": 0.2}, "what the file holds is what all use"


def write_all(path: Path) -> None:
    """What each process of the next test does."""
    store = Store(path)
    for number in range(30):
        store.put(KEY | {"number": number}, {"ap50": number / 30})


def test_processes_that_write_the_same_at_once_leave_whole_lines(tmp_path: Path) -> None:
    path, context = tmp_path / "cache.jsonl", multiprocessing.get_context("fork")
    writers = [context.Process(target=write_all, args=(path,)) for _ in range(4)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    assert [writer.exitcode for writer in writers] == [0] * 4
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    assert sorted(line["key"]["number"] for line in lines) == list(range(30))


def test_a_damaged_line_is_named_by_its_number_in_the_file(tmp_path: Path) -> None:
    path = tmp_path / "cache.jsonl"
    store = Store(path)
    store.put(KEY, {"ap50": 0.1})
    store.put(OTHER, {"ap50": 0.2})
    path.write_bytes(path.read_bytes() + b"\xff{}\n")
    for reader in (store, Store(path)):
        with pytest.raises(InputError, match="line 3 is no measured value"):
            reader.get({"another": 1})


def test_a_torn_last_line_is_ignored_and_removed(tmp_path: Path) -> None:
    path = tmp_path / "cache.jsonl"
    Store(path).put(KEY, {"ap50": 0.1})
    whole = path.read_bytes()
    path.write_bytes(whole + whole[:20])
    assert Store(path).get(KEY) == {"ap50": 0.1}
    Store(path).put(OTHER, {"ap50": 0.3})
    assert Store(path).get(OTHER) == {"ap50": 0.3}
    assert path.read_bytes().startswith(whole)
    assert path.read_bytes().count(b"\n") == 2


def test_a_file_torn_in_its_first_line_starts_anew(tmp_path: Path) -> None:
    path = tmp_path / "cache.jsonl"
    path.write_bytes(b'{"key"')
    Store(path).put(KEY, {"ap50": 0.1})
    assert Store(path).get(KEY) == {"ap50": 0.1}
    assert path.read_bytes().count(b"\n") == 1


def test_another_file_is_refused_and_kept(tmp_path: Path) -> None:
    path = tmp_path / "notes.txt"
    path.write_text("my notes\n")
    with pytest.raises(InputError, match="is no measured value"):
        Store(path).get(KEY)
    assert path.read_text() == "my notes\n"
    with pytest.raises(InputError, match="cannot be read"):
        Store(tmp_path).get(KEY)
