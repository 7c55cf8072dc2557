"""Result files where none can be written."""

from __future__ import annotations

from pathlib import Path

import pytest

from mixarray.errors import InputError
from mixarray_analysis.files import write_text


@pytest.mark.parametrize("below", [("x.csv",), ("inside", "x.csv")])
def test_a_directory_that_is_a_file_is_the_users_mistake(below: tuple[str, ...], tmp_path: Path) -> None:
    (tmp_path / "file").write_text("kept")
    with pytest.raises(InputError, match="cannot be written"):
        write_text(tmp_path.joinpath("file", *below), "text", force=True)
    assert (tmp_path / "file").read_text() == "kept"
