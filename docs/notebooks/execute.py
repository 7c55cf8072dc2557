"""Run the notebooks of this folder and write their outputs into them; the same code and packages, the same bytes.

`make notebooks` does it.
"""

from __future__ import annotations

import tempfile
from pathlib import Path

import matplotlib.font_manager  # noqa: F401 (builds its cache once and says so: here, and not in a cell)
import nbformat
from nbclient import NotebookClient

FOLDER = Path(__file__).parent
METADATA = {
    "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
    "language_info": {"name": "python"},
}
"""What every Jupyter opens a notebook with; nothing of the machine that ran it."""
CELL_TIMEOUT_S = 600
"""For slow and busy machines; also for the kernel to start."""


def execute(path: Path, where: Path) -> nbformat.NotebookNode:
    """The notebook with the outputs of a new run in the directory `where`; CellExecutionError where a cell fails."""
    notebook = nbformat.read(path, as_version=4)
    notebook.metadata = nbformat.from_dict(METADATA)
    client = NotebookClient(
        notebook,
        timeout=CELL_TIMEOUT_S,
        startup_timeout=CELL_TIMEOUT_S,
        kernel_name="python3",
        record_timing=False,
        coalesce_streams=True,
        resources={"metadata": {"path": str(where)}},
    )
    client.execute()
    # the client notes the kernel's Python version
    notebook.metadata = nbformat.from_dict(METADATA)
    for cell in notebook.cells:
        cell.metadata = nbformat.NotebookNode()
    nbformat.validate(notebook)
    return notebook


def main() -> None:
    """Execute and rewrite every notebook of the folder, each in an empty directory."""
    for path in sorted(FOLDER.glob("*.ipynb")):
        with tempfile.TemporaryDirectory() as where:
            notebook = execute(path, Path(where))
        nbformat.write(notebook, path)
        print(f"wrote {path.relative_to(FOLDER)}")


if __name__ == "__main__":
    main()
