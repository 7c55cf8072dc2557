"""A bundle reads back as written, equal content gives equal bytes, and damage is refused with file and field."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest

from mixarray.errors import InputError
from mixarray.trace.bundle import read_bundle, rehash, write_bundle
from mixarray.trace.manifest import Derived, Manifest
from mixarray.trace.model import Topology
from mixarray.trace.windows import WindowTable

Make = Callable[..., Path]


def files_of(path: Path) -> dict[str, bytes]:
    return {str(p.relative_to(path)): p.read_bytes() for p in sorted(path.rglob("*")) if p.is_file()}


def test_round_trip(make_bundle: Make, topology: Topology, windows: WindowTable) -> None:
    bundle = read_bundle(make_bundle())
    assert bundle.topology == topology
    assert all(np.array_equal(c, windows.columns()[name]) for name, c in bundle.windows.columns().items())
    assert bundle.images == ("image0", "image1")
    assert bundle.ratio_actual == 0.25


def test_tensors_come_back(make_bundle: Make) -> None:
    tensors = read_bundle(make_bundle(tensors=True)).tensors("image0")
    assert tensors["b"].tolist() == [0, 1, 2, 3, 4, 5]
    assert tensors["a"].shape == (2, 3)


def test_tensors_not_recorded_are_refused(make_bundle: Make) -> None:
    with pytest.raises(InputError, match="no recorded tensors"):
        read_bundle(make_bundle()).tensors("image0")


def test_equal_content_gives_equal_bytes(make_bundle: Make) -> None:
    first, second = (files_of(make_bundle(name, tensors=True)) for name in ("one", "two"))
    assert first == second
    assert "tensors/image0.safetensors" in first


def test_existing_path_needs_force(make_bundle: Make, manifest: Manifest, topology: Topology) -> None:
    path = make_bundle()
    with pytest.raises(InputError, match="already exists"):
        make_bundle()
    windows = read_bundle(path).windows
    write_bundle(path, manifest, topology, windows, {}, force=True)
    assert read_bundle(path).windows.rows == windows.rows


def test_assignment_and_distinct_workloads(make_bundle: Make) -> None:
    bundle = read_bundle(make_bundle())
    counts = bundle.assignment(1)[0, 1]
    assert [(c.bits, c.windows, c.tokens) for c in counts] == [(8, 3, 147), (4, 1, 49)]
    ((workload, images),) = bundle.distinct_workloads()
    assert images == (0, 1)
    assert workload.macs == bundle.workload(0).macs == 2 * 4 * (49 * 96 * 64 + 3 * 49 * 49 * 32) + 64 * 10 * 32


def test_images_with_different_groups_are_kept_apart(manifest: Manifest, topology: Topology, windows: WindowTable,
                                                     tmp_path: Path) -> None:  # fmt: skip
    bits = windows.bits.copy()
    bits[(windows.image == 1) & (windows.block == 0) & (windows.window == 0)] = 0
    bundle = read_bundle(write_bundle(tmp_path / "b", manifest, topology, replace(windows, bits=bits), {}))
    assert [images for _, images in bundle.distinct_workloads()] == [(0,), (1,)]


@pytest.mark.parametrize("name", ["operators.parquet", "tensors.parquet", "windows.parquet"])
def test_tampered_and_truncated_files_are_refused(make_bundle: Make, name: str) -> None:
    path = make_bundle()
    data = (path / name).read_bytes()
    for damaged in (data[:-1], data[:40] + bytes([data[40] ^ 1]) + data[41:], b""):
        (path / name).write_bytes(damaged)
        with pytest.raises(InputError, match=f"{name}.*SHA-256"):
            read_bundle(path)


def test_garbage_with_a_right_hash_is_still_refused(make_bundle: Make) -> None:
    path = make_bundle()
    (path / "windows.parquet").write_bytes(b"PAR1 nonsense PAR1")
    rehash(path)
    with pytest.raises(InputError, match=r"windows\.parquet.*no Parquet"):
        read_bundle(path)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"activation_bits_high": 0}, "activation_bits_high"),
        ({"schema_version": "9"}, "schema_version"),
        ({"extra": 1}, "extra: unknown field"),
        ({"files": {}}, "operators.parquet is not listed"),
        ({"files": {"../x": "0" * 64}}, "does not belong"),
        ({"images": []}, "images"),
        ({"seed": float("nan")}, "seed"),
        ({"images": ["image0", "image0"]}, "images: an image is listed twice"),
        ({"activation_bits_low": 16}, "activation_bits_low: must not exceed activation_bits_high, which is 8"),
        ({"ratio_thousandths": 900}, "pair_ratios_thousandths: their mean is 250, ratio_thousandths is 900"),
        ({"pair_ratios_thousandths": [[900]]}, "pair_ratios_thousandths: .*0.9 is out of range"),
        ({"pair_ratios_thousandths": [[]]}, "pair_ratios_thousandths: has no block pair"),
        ({"pair_ratios_thousandths": [[250, 250]]}, "windows.parquet: pair_ratios_thousandths: stage 0 pair 1"),
        ({"window_size": 6}, "windows.parquet"),
    ],
)
def test_a_wrong_manifest_names_the_field(make_bundle: Make, change: dict[str, object], message: str) -> None:
    path = make_bundle() / "manifest.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), **change}))
    with pytest.raises(InputError, match=message):
        read_bundle(path.parent)


def test_deeply_nested_json_is_refused(make_bundle: Make) -> None:
    path = make_bundle()
    (path / "manifest.json").write_text("[" * 100_000)
    with pytest.raises(InputError, match=r"manifest\.json: is no JSON"):
        read_bundle(path)


def test_files_without_a_hash_are_refused(make_bundle: Make) -> None:
    path = make_bundle()
    (path / "tensors").mkdir()
    (path / "tensors" / "image9.safetensors").write_bytes(b"")
    with pytest.raises(InputError, match=r"image9\.safetensors: manifest\.json files: is not listed"):
        read_bundle(path)


def test_reassigned_ratios_are_refused_where_identities_matter(make_bundle: Make) -> None:
    path = make_bundle(tensors=True)
    assert read_bundle(path).identified_windows.rows == 16
    manifest = path / "manifest.json"
    manifest.write_text(json.dumps({**json.loads(manifest.read_text()), "derived": "counts_only"}))
    bundle = read_bundle(path)
    assert bundle.workload(0).macs
    for read in (lambda: bundle.tensors("image0"), lambda: bundle.identified_windows):
        with pytest.raises(InputError, match="derived: is counts_only"):
            read()


@pytest.mark.parametrize(
    "case",
    [
        ("score", np.nan, "score: row 3 is nan"),
        ("score", np.inf, "score: row 3 is inf"),
        ("bits", 6, "bits: row 3 has 6; allowed: 0, 4, 8"),
        ("rank", 0, "rank: image 0, stage 0, block 0"),
        ("window", 9, "window: image 0, stage 0, block 0"),
        ("grid", 1, "grid: image 0, stage 0, block 0"),
        ("image", 7, "image: row 3 has 7"),
        ("tokens", -1, "tokens"),
    ],
)
def test_a_wrong_window_names_the_column(
    manifest: Manifest,
    topology: Topology,
    windows: WindowTable,
    tmp_path: Path,
    case: tuple[str, float, str],
) -> None:
    column, value, message = case
    wrong = windows.columns()[column].copy()
    wrong[3] = value
    with pytest.raises(InputError, match=message):
        write_bundle(tmp_path / "b", manifest, topology, replace(windows, **{column: wrong}), {})
    assert list(tmp_path.iterdir()) == []


def test_windows_must_add_up_to_the_topology(
    manifest: Manifest, topology: Topology, windows: WindowTable, tmp_path: Path
) -> None:
    fewer = WindowTable(**{name: c[windows.window < 3] for name, c in windows.columns().items()})
    fewer = replace(fewer, rank=fewer.window)
    with pytest.raises(InputError, match=r"windows\.parquet: windows: .*147.*196"):
        write_bundle(tmp_path / "b", manifest, topology, fewer, {})


def test_editing_and_rehashing_changes_the_workload(make_bundle: Make) -> None:
    path = make_bundle()
    table = pq.read_table(path / "windows.parquet")
    bits = np.full(table.num_rows, 4)
    pq.write_table(table.set_column(table.column_names.index("bits"), "bits", [bits]), path / "windows.parquet")
    with pytest.raises(InputError, match="SHA-256"):
        read_bundle(path)
    rehash(path)
    edited = read_bundle(path)
    assert [(g.bits, g.rows) for g in edited.workload(0).operators[1].groups] == [(4, 196)]
    assert (edited.manifest.ratio_thousandths, edited.ratio_actual) == (250, 1.0), "nominal stays, actual is counted"
    assert edited.manifest.derived is Derived.COUNTS_ONLY


def test_what_is_no_bundle(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no such bundle"):
        read_bundle(tmp_path / "nothing")
    with pytest.raises(InputError, match="is missing"):
        read_bundle(tmp_path)
