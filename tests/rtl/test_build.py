"""Building: each design once per folder, whole or not at all, and another one for everything that it depends on."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest

from mixarray_analysis.validation.rtl.build import BuildError, Patch, build
from mixarray_analysis.validation.rtl.output_stationary import SOURCES, build_output_stationary

TRANSLATES = """if [ "$1" = --version ]; then echo 'Verilator 5.0 pretended'; exit 0; fi
mkdir objects"""
COMPILES = """echo "$PWD lent $(cat objects/verilated.o 2>/dev/null)" >> {log}
sleep 0.05
echo runtime > objects/verilated.o
echo runtime > objects/verilated_threads.o
echo library > objects/os_array.partial"""
"""A Verilator and a make that build nothing but keep count."""


@pytest.fixture
def builds(first_tools, tmp_path):
    """builds(): a line for everything that was really built."""
    log = tmp_path / "log"
    log.touch()
    first_tools("verilator", TRANSLATES)
    first_tools("make", COMPILES.format(log=log))
    return lambda: log.read_text().splitlines()


def test_a_design_is_built_once_per_folder(builds, tmp_path):
    first, again = (build_output_stationary(2, 3, tmp_path / "here") for _ in range(2))
    assert first == again
    assert first.read_text() == "library\n"
    assert len(builds()) == 1
    build_output_stationary(2, 3, tmp_path / "there")
    assert len(builds()) == 2


def test_nothing_but_libraries_and_the_runtime_stays(builds, tmp_path):
    library = build_output_stationary(2, 3, tmp_path / "here")
    (runtime,) = set((tmp_path / "here").iterdir()) - {library}
    assert sorted(path.name for path in runtime.iterdir()) == ["verilated.o", "verilated_threads.o"]


def test_the_runtime_is_compiled_once(builds, tmp_path):
    build_output_stationary(2, 3, tmp_path / "here")
    build_output_stationary(3, 2, tmp_path / "here")
    assert [line.split()[2:] for line in builds()] == [[], ["runtime"]]


def test_builds_side_by_side_do_not_disturb_each_other(builds, tmp_path):
    with ThreadPoolExecutor(4) as pool:
        libraries = list(pool.map(lambda rows: build_output_stationary(rows, 2, tmp_path), [1, 2, 1, 2]))
    assert len(set(libraries)) == 2
    assert all(library.read_text() == "library\n" for library in libraries)
    assert len({line.split()[0] for line in builds()}) == len(builds()), "each in a folder of its own"


def test_size_fault_and_version_make_another_library(builds, tmp_path, monkeypatch):
    fault = (Patch("os_pe.sv", "32'(product)", "32'd0"),)
    libraries = [
        build_output_stationary(2, 3, tmp_path),
        build_output_stationary(3, 2, tmp_path),
        build_output_stationary(2, 3, tmp_path, fault),
    ]
    monkeypatch.setattr("mixarray_analysis.validation.rtl.build.verilator_version", lambda: "Verilator 6.0")
    libraries.append(build_output_stationary(2, 3, tmp_path))
    assert len(set(libraries)) == len(builds()) == 4


@pytest.mark.parametrize("text", ["no such text", "logic"])
def test_a_fault_without_one_place_is_refused(text, tmp_path):
    with pytest.raises(BuildError, match=r"stands there (0|[0-9]{2}) times"):
        build("os_array", SOURCES, {}, "os_harness.cpp", tmp_path, (Patch("os_pe.sv", text, ""),))
