"""A run from Python is the run of the command line: the same files, byte for byte."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

import pytest

import mixarray
from mixarray_analysis.cli import main

PACKED, PLAIN = "packed_w4_32x32", "plain_int8_32x32"
Arguments = Mapping[str, object]
OF_A_BUNDLE: Mapping[str, tuple[tuple[str, ...], str, Arguments]] = {
    "as recorded": ((), PACKED, {}),
    "event": (("--engine", "event"), PACKED, {"engine": "event"}),
    "uniform": (("--uniform", "w4a4"), PACKED, {"uniform": "w4a4"}),
    "ratio 0": (("--uniform", "W4A8"), PACKED, {"uniform": "W4A8"}),
    "image": (("--image", "0"), PACKED, {"image": 0}),
    "machine": (("-a", PLAIN), PLAIN, {}),
    "number": (("--set", "arrays.0.rows=16"), PACKED, {"overrides": {"arrays.0.rows": 16}}),
    "list": (("-a", PLAIN, "--set", "arrays.0.modes=[[8,8]]"), PLAIN, {"overrides": {"arrays.0.modes": [[8, 8]]}}),
    "two": (
        ("--set", "clock_mhz=700", "--set", "arrays.0.weight_loading=serial"),
        PACKED,
        {"overrides": {"clock_mhz": 700, "arrays.0.weight_loading": "serial"}},
    ),
}


def files_of(directory: Path) -> dict[str, bytes]:
    return {file.name: file.read_bytes() for file in directory.iterdir()}


def commanded(out: Path, *arguments: str) -> dict[str, bytes]:
    assert main(("simulate", *arguments, "--quiet", "-o", str(out))) == 0
    return files_of(out)


@pytest.mark.parametrize("case", OF_A_BUNDLE)
def test_a_bundle_gives_the_files_of_the_command(case: str, bundle: Path, tmp_path: Path) -> None:
    options, accelerator, arguments = OF_A_BUNDLE[case]
    run = mixarray.simulate(bundle, accelerator, **arguments)  # type: ignore[arg-type]
    assert files_of(run.write(tmp_path / "api")) == commanded(tmp_path / "command", str(bundle), *options)


def test_the_cases_differ_in_their_files(bundle: Path) -> None:
    """Beside the comparison above: no two of its cases could stand for each other."""
    texts = [
        mixarray.simulate(bundle, accelerator, **arguments).result.to_json()  # type: ignore[arg-type]
        for _, accelerator, arguments in OF_A_BUNDLE.values()
    ]
    assert len(set(texts)) == len(OF_A_BUNDLE)


def test_what_is_not_written_equals_the_printed_json(bundle: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(("simulate", str(bundle), "--json")) == 0
    printed = json.loads(capsys.readouterr().out)
    whole = mixarray.simulate(bundle, PACKED).result.model_dump(mode="json")
    assert printed == {**whole.pop("totals"), **whole}


def test_a_gemm_gives_the_files_of_the_command(tmp_path: Path) -> None:
    files = commanded(tmp_path / "command", "--gemm", "70,50,40", "--bits", "8,4", "--result-bits", "16")
    run = mixarray.simulate(mixarray.Gemm(70, 50, 40, 8, 4, 16), PACKED)
    assert files_of(run.write(tmp_path / "api")) == files
    other = mixarray.simulate(mixarray.Gemm(70, 50, 40, 4, 8, 16), PACKED)
    assert files_of(other.write(tmp_path / "other"))["layers.csv"] != files["layers.csv"]


def test_gemms_of_a_topology_give_the_tables_of_the_command(tmp_path: Path) -> None:
    topology = tmp_path / "T.csv"
    topology.write_text("Layer, M, N, K,\nqk, 49, 49, 32,\nav, 49, 32, 49,\n", encoding="utf-8")
    files = commanded(tmp_path / "command", "--topology", str(topology), "--bits", "8,4")
    gemms = mixarray.read_gemms(topology, activation_bits=8, weight_bits=4)
    assert [gemm.name for gemm in gemms] == ["qk", "av"]
    own = files_of(mixarray.simulate(gemms, PACKED).write(tmp_path / "api"))
    runs = [json.loads(found.pop("run.json")) for found in (own, files)]
    assert own == files
    differing = {key for key in runs[0] if runs[0][key] != runs[1][key]}
    assert differing == {"source", "trace_sha256"}, "a file, and a list of GEMMs"


def test_lists_of_gemms_are_told_apart_by_their_hash() -> None:
    one, two = mixarray.Gemm(8, 8, 8, 8, 8, name="one"), mixarray.Gemm(8, 8, 8, 8, 4, name="two")
    hashes = [
        mixarray.simulate(gemms, PACKED).result.trace_sha256 for gemms in ([one, two], [two, one], [one, one], [one])
    ]
    assert len(set(hashes)) == 4
    assert hashes[3] is None, "one GEMM is known by its words"


def test_files_that_exist_are_kept_unless_forced(bundle: Path, tmp_path: Path) -> None:
    run = mixarray.simulate(bundle, PACKED)
    first = files_of(run.write(tmp_path / "run"))
    with pytest.raises(mixarray.InputError, match="already exists"):
        run.write(tmp_path / "run")
    with pytest.raises(mixarray.InputError, match="small"):
        run.write(bundle, force=True)
    assert files_of(run.write(tmp_path / "run", force=True)) == first
