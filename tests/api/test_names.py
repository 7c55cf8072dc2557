"""The names of both packages: all there, seen by completion, and loaded only when used."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest

import mixarray
import mixarray_analysis
import mixarray_analysis.sweeps.api

HEAVY = {"numpy", "numba", "torch", "pandas", "pyarrow", "matplotlib", "simpy", "networkx", "yaml", "pydantic"}
SIMULATE = "print(mixarray.simulate(mixarray.Gemm(8, 8, 8, 8, 4), 'packed_w4_32x32'))"


def loaded(code: str, where: Path) -> set[str]:
    """Top-level names of the modules that are loaded after `code` ran."""
    listing = f"import sys\n{code}\nprint('MODULES', *{{name.split('.')[0] for name in sys.modules}})"
    done = subprocess.run([sys.executable, "-c", listing], cwd=where, capture_output=True, text=True, check=True)
    return set(done.stdout.rsplit("MODULES ", 1)[1].split())


@pytest.mark.parametrize("package", [mixarray, mixarray_analysis])
def test_every_name_is_there_and_listed(package: ModuleType) -> None:
    for name in package.__all__:
        assert getattr(package, name).__name__ == name
        assert name in dir(package)
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        package.nothing  # noqa: B018


def test_importing_the_packages_loads_nothing_heavy(tmp_path: Path) -> None:
    assert loaded("import mixarray, mixarray_analysis", tmp_path).isdisjoint(HEAVY)
    assert "pandas" in loaded("import mixarray_analysis\nmixarray_analysis.sweep\nimport pandas", tmp_path)


def test_simulating_loads_no_pandas(tmp_path: Path) -> None:
    found = loaded(f"import mixarray\n{SIMULATE}", tmp_path)
    assert found.isdisjoint({"torch", "pandas", "matplotlib"})
    assert "numpy" in found, "the list of modules is not empty by mistake"


def test_a_name_survives_that_its_modules_are_imported() -> None:
    """A submodule of the same name would take its place."""
    import mixarray.api
    import mixarray.simulation

    assert mixarray.simulate is mixarray.api.simulate
    assert mixarray_analysis.sweep is mixarray_analysis.sweeps.api.sweep
