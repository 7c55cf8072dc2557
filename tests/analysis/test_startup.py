"""Start-up: what each command may load. Checked in a fresh interpreter, from its own list of modules."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

COMMANDS = (
    "train", "quantize", "evaluate", "record", "inspect", "simulate", "run", "sweep", "plot", "explain",
    "accelerators", "demo", "report", "qat", "search", "study",
)  # fmt: skip
# typer itself imports pydantic where it is installed, so pydantic is not in this list
HEAVY = ("numpy", "numba", "torch", "pandas", "pyarrow", "matplotlib", "simpy", "networkx", "yaml")


def loaded(code: str, cwd: Path) -> set[str]:
    """Top-level names of the modules that are loaded after `code` ran."""
    listing = f"import sys\n{code}\nprint('MODULES', *{{name.split('.')[0] for name in sys.modules}})"
    done = subprocess.run([sys.executable, "-c", listing], cwd=cwd, capture_output=True, text=True, check=True)
    return set(done.stdout.rsplit("MODULES ", 1)[1].split())


def run_main(*arguments: str) -> str:
    return f"from mixarray_analysis.cli import main\nassert main({list(arguments)!r}) == 0"


@pytest.mark.parametrize("arguments", [("--help",), ("--version",), *[(command, "--help") for command in COMMANDS]])
def test_help_loads_nothing_heavy(arguments: tuple[str, ...], tmp_path: Path) -> None:
    assert loaded(run_main(*arguments), tmp_path).isdisjoint(HEAVY)


def test_simulating_loads_neither_torch_nor_pandas_nor_matplotlib(tmp_path: Path) -> None:
    code = run_main("simulate", "--gemm", "8,8,8", "--bits", "8,4", "--out", "run")
    found = loaded(code, tmp_path)
    assert found.isdisjoint({"torch", "pandas", "matplotlib"})
    assert (tmp_path / "run" / "run.json").exists()
    assert "numpy" in found, "the list of modules is not empty by mistake"


def test_simulating_a_bundle_loads_neither_torch_nor_pandas_nor_matplotlib(tmp_path: Path) -> None:
    shape = ("--model", "swin_t", "--input", "224x224", "--weights", "random", "--score", "random")
    loaded(run_main("record", *shape, "--ratio", "0.4", "-o", "bundle"), tmp_path)
    found = loaded(run_main("simulate", "bundle", "-o", "run"), tmp_path)
    assert found.isdisjoint({"torch", "pandas", "matplotlib"})
    assert (tmp_path / "run" / "run.json").exists()


def test_importing_the_simulator_loads_no_torch(tmp_path: Path) -> None:
    assert loaded("import mixarray", tmp_path).isdisjoint({"torch", "matplotlib", "pandas"})


def test_listing_accelerators_loads_no_torch_and_no_pandas(tmp_path: Path) -> None:
    assert loaded(run_main("accelerators", "--json"), tmp_path).isdisjoint({"torch", "pandas", "matplotlib"})


def test_only_searching_needs_an_extra_beyond_torch(tmp_path: Path) -> None:
    """`pip install mixarray[torch]` draws, sweeps and reports: no module outside `search` imports another extra."""
    code = """
import importlib, pkgutil
for extra in ("pymoo", "transformers", "pycocotools", "playwright", "ipykernel", "nbclient", "nbformat"):
    sys.modules[extra] = None
refused = set()
for package in map(importlib.import_module, ("mixarray", "mixarray_traces", "mixarray_analysis")):
    for module in pkgutil.walk_packages(package.__path__, package.__name__ + "."):
        if not module.name.endswith("__main__"):
            try:
                importlib.import_module(module.name)
            except ImportError:
                refused.add(module.name)
assert refused and all(name.startswith("mixarray_analysis.search.") for name in refused), refused
assert "mixarray_analysis.search.front" not in refused
"""
    assert "torch" in loaded(code, tmp_path)
