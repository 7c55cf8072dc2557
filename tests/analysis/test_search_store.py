"""The shared file of measured values: whole lines, several writers, torn ends."""

from __future__ import annotations

from pathlib import Path

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
