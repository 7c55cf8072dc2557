"""The notebooks of docs/notebooks: small, clean of the machine that ran them, and what a new run of them says."""

from __future__ import annotations

import copy
import importlib.util
import json
import re
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

REPOSITORY = Path(__file__).parents[2]
FOLDER = REPOSITORY / "docs" / "notebooks"
NOTEBOOKS = sorted(FOLDER.glob("*.ipynb"))
MOST_BYTES = 300_000
PICTURE = "image/png"
METADATA = {
    "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
    "language_info": {"name": "python"},
}
Notebook = dict[str, Any]


def read(path: Path) -> Notebook:
    found: Notebook = json.loads(path.read_text(encoding="utf-8"))
    return found


def code_cells(notebook: Notebook) -> list[Any]:
    return [cell for cell in notebook["cells"] if cell["cell_type"] == "code"]


def joined(text: str | list[str]) -> str:
    return text if isinstance(text, str) else "".join(text)


def shown(cell: Any) -> list[tuple[str, str]]:
    """What a cell shows: (kind, text) of each part in order; of a picture that there is one."""
    found = []
    for output in cell["outputs"]:
        if output["output_type"] == "stream":
            found.append((output["name"], joined(output["text"])))
        elif output["output_type"] == "error":
            found.append(("error", output["ename"]))
        else:
            parts = {kind: "" if kind == PICTURE else joined(text) for kind, text in output["data"].items()}
            found += sorted(parts.items())
    return found


def differences(committed: Notebook, executed: Notebook) -> Iterator[str]:
    """In what two runs of one notebook differ, cell by cell."""
    cells = code_cells(committed), code_cells(executed)
    if [joined(cell["source"]) for cell in cells[0]] != [joined(cell["source"]) for cell in cells[1]]:
        yield "the code is another"
    for number, (ours, theirs) in enumerate(zip(*cells, strict=False), 1):
        if shown(ours) != shown(theirs):
            yield f"cell {number} shows {shown(theirs)}, committed is {shown(ours)}"


def test_both_notebooks_are_there() -> None:
    assert [path.stem for path in NOTEBOOKS] == ["first_steps", "is_4_bit_worth_it"]


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_was_executed_whole_and_without_a_mistake(path: Path) -> None:
    notebook = read(path)
    cells = code_cells(notebook)
    assert [cell["execution_count"] for cell in cells] == list(range(1, len(cells) + 1))
    kinds = {kind for cell in cells for kind, _ in shown(cell)}
    assert kinds == {"stdout", "text/plain", "text/html", PICTURE}, "results, tables and pictures; nothing on stderr"
    assert joined(notebook["cells"][0]["source"]).startswith("# ")


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_is_small_and_says_nothing_of_a_machine(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    notebook = read(path)
    assert len(text.encode()) < MOST_BYTES
    assert notebook["metadata"] == METADATA
    assert all(cell["metadata"] == {} for cell in notebook["cells"])
    everything = "\n".join(part for cell in code_cells(notebook) for _, part in shown(cell))
    for place in (str(REPOSITORY), str(Path.home()), tempfile.gettempdir(), "/home/", "/usr/", "site-packages"):
        assert place not in everything
    assert re.search(r"\d{4}-\d\d-\d\d|\d\d:\d\d:\d\d|0x[0-9a-f]{6}", everything) is None


@pytest.mark.full
@pytest.mark.needs("notebooks")
@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_says_what_it_says_when_executed_anew(path: Path, tmp_path: Path) -> None:
    spec = importlib.util.spec_from_file_location("execute_notebooks", FOLDER / "execute.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    assert list(differences(read(path), module.execute(path, tmp_path))) == []


def change_a_digit(cell: Any) -> None:
    cell["outputs"][0]["data"]["text/html"] = ["<p>speedup 1.2x</p>"]


def lose_the_picture(cell: Any) -> None:
    del cell["outputs"][1]["data"][PICTURE]


def lose_an_output(cell: Any) -> None:
    del cell["outputs"][2]


def change_a_line(cell: Any) -> None:
    cell["outputs"][2]["text"] = ["one\n", "three\n"]


def change_the_code(cell: Any) -> None:
    cell["source"] = "2"


def made_up() -> Notebook:
    outputs = [
        {"output_type": "execute_result", "data": {"text/plain": ["Run"], "text/html": ["<p>speedup 1.1x</p>"]}},
        {"output_type": "display_data", "data": {"text/plain": "<Figure>", PICTURE: "abc"}},
        {"output_type": "stream", "name": "stdout", "text": ["one\n", "two\n"]},
    ]
    return {"cells": [{"cell_type": "code", "source": ["1"], "outputs": outputs}]}


@pytest.mark.parametrize("fault", [change_a_digit, lose_the_picture, lose_an_output, change_a_line, change_the_code])
def test_a_planted_fault_is_noticed(fault: Callable[[Any], None]) -> None:
    committed, executed = made_up(), made_up()
    executed["cells"][0]["outputs"][1]["data"][PICTURE] = "another rendering of the same"
    executed["cells"][0]["outputs"][2]["text"] = "one\ntwo\n"
    assert list(differences(committed, executed)) == []
    fault(executed["cells"][0])
    assert len(list(differences(committed, copy.deepcopy(executed)))) == 1
