"""The bundle: the contract between PyTorch and the machine, a directory written whole and checked on reading."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydantic import ValidationError

from mixarray.atomic import ResultKind, atomic_directory
from mixarray.errors import InputError
from mixarray.explain import explain
from mixarray.trace.check_assignment import check_assignment
from mixarray.trace.check_topology import block_grids, check_topology
from mixarray.trace.manifest import Derived, Manifest
from mixarray.trace.model import Topology
from mixarray.trace.tables import (
    operators_parquet,
    read_operators,
    read_tensors,
    read_windows,
    tensors_parquet,
    windows_parquet,
)
from mixarray.trace.windows import WindowTable, check_windows
from mixarray.trace.workload import Assignment, WindowCount, Workload, build_workload

MANIFEST = "manifest.json"
OPERATORS = "operators.parquet"
TENSORS = "tensors.parquet"
WINDOWS = "windows.parquet"
TENSOR_FOLDER = "tensors"
TABLES = (OPERATORS, TENSORS, WINDOWS)


@dataclass(frozen=True)
class Bundle:
    """A trace that was read and checked. `sha256` is the hash of the manifest, and so of everything."""

    path: Path
    manifest: Manifest
    topology: Topology
    windows: WindowTable
    sha256: str

    @property
    def images(self) -> tuple[str, ...]:
        """Ids of the images, in order; everything else names an image by its position here."""
        return self.manifest.images

    @property
    def ratio_actual(self) -> float:
        """Share of low windows among all rows of the window table (0 where both branches have the same bits)."""
        manifest = self.manifest
        if manifest.activation_bits_low == manifest.activation_bits_high:
            return 0.0
        return float(np.mean(self.windows.bits == manifest.activation_bits_low))

    @property
    def pruning_actual(self) -> float:
        """Share of pruned windows among all rows of the window table."""
        return float(np.mean(self.windows.bits == 0))

    def assignments(self) -> list[Assignment]:
        """The assignment of every image, in order."""
        found: list[dict[tuple[int, int], tuple[WindowCount, ...]]] = [{} for _ in self.images]
        for (image, stage, block), rows in self.windows.blocks():
            found[image][stage, block] = _counts(self.windows.bits[rows], self.windows.tokens[rows])
        return list(found)

    def assignment(self, image: int) -> Assignment:
        """Window counts of one image by (stage, block)."""
        return self.assignments()[self._checked(image)]

    def workload(self, image: int) -> Workload:
        """What one image makes the machine compute."""
        return self._build(self.assignment(image), self.images[image])

    def distinct_workloads(self) -> list[tuple[Workload, tuple[int, ...]]]:
        """Each workload that occurs, with the images it stands for: cycles depend on group sizes alone."""
        same: dict[tuple[Any, ...], list[int]] = {}
        assignments = self.assignments()
        for image, assignment in enumerate(assignments):
            same.setdefault(tuple(sorted(assignment.items())), []).append(image)
        return [(self._build(assignments[group[0]], self.images[group[0]]), tuple(group)) for group in same.values()]

    @property
    def identified_windows(self) -> WindowTable:
        """The windows, for whoever asks which ones; InputError where only their counts hold (re-assigned ratios)."""
        self._require_identities()
        return self.windows

    def tensors(self, stem: str) -> dict[str, NDArray[Any]]:
        """The recorded tensors of `tensors/<stem>.safetensors`; InputError if not recorded, broken or re-assigned."""
        from safetensors import SafetensorError
        from safetensors.numpy import load

        self._require_identities()
        name = f"{TENSOR_FOLDER}/{stem}.safetensors"
        if name not in self.manifest.files:
            raise InputError(str(self.path), f"holds no recorded tensors {stem!r}", name)
        try:
            return load(_verified(self.path, name, self.manifest.files[name]))
        except SafetensorError as error:
            raise InputError(str(self.path / name), f"is no safetensors file: {error}") from None

    def _require_identities(self) -> None:
        if self.manifest.derived is Derived.COUNTS_ONLY:
            message = f"is {Derived.COUNTS_ONLY.value}: its ratios were re-assigned without running the model"
            raise InputError(str(self.path / MANIFEST), f"{message}, so which window ran how is unknown", "derived")

    def _build(self, assignment: Assignment, image: str) -> Workload:
        name = f"{self.manifest.model} {image}"
        return build_workload(name, self.topology, assignment, self.manifest.window_size**2)

    def _checked(self, image: int) -> int:
        if not 0 <= image < len(self.images):
            last = len(self.images) - 1
            raise InputError(str(self.path), f"has no image {image}; it has images 0 to {last}", "image")
        return image


def _counts(bits: NDArray[np.int64], tokens: NDArray[np.int64]) -> tuple[WindowCount, ...]:
    widths = sorted({int(width) for width in bits}, reverse=True)
    return tuple(
        WindowCount(width, int(np.count_nonzero(bits == width)), int(tokens[bits == width].sum())) for width in widths
    )


def write_bundle(
    path: Path | str,
    manifest: Manifest,
    topology: Topology,
    windows: WindowTable,
    tensors: Mapping[str, Mapping[str, NDArray[Any]]],
    force: bool = False,
) -> Path:
    """Write a bundle; it appears under `path` complete or not at all, and equal content gives equal bytes.

    `tensors` maps a file stem to its tensors (empty: none recorded); `manifest.files` is filled here. Raises
    InputError if `path` exists (unless `force`) or the content would be refused when read.
    """
    final = Path(path)
    with atomic_directory(final, ResultKind.BUNDLE, force) as work:
        data = {
            OPERATORS: operators_parquet(topology.operators),
            TENSORS: tensors_parquet(topology.tensors),
            WINDOWS: windows_parquet(windows),
        }
        data.update({f"{TENSOR_FOLDER}/{stem}.safetensors": _safetensors(part) for stem, part in tensors.items()})
        for name, content in data.items():
            (work / name).parent.mkdir(exist_ok=True)
            (work / name).write_bytes(content)
        files = {name: hashlib.sha256(content).hexdigest() for name, content in data.items()}
        (work / MANIFEST).write_text(manifest.model_copy(update={"files": files}).to_json(), encoding="utf-8")
        _read(work, final)
    return final


def _safetensors(tensors: Mapping[str, NDArray[Any]]) -> bytes:
    from safetensors.numpy import save

    return save({name: np.ascontiguousarray(tensors[name]) for name in sorted(tensors)})


def read_bundle(path: Path | str) -> Bundle:
    """Read a bundle and check all of it: hashes, schema, scores, ranks, bits, and windows against the topology.

    Raises InputError naming the file and the field.
    """
    return _read(Path(path), Path(path))


def _read(place: Path, shown: Path) -> Bundle:
    """Read the bundle at `place`; errors name it `shown`, the name it will have."""
    if not place.is_dir():
        raise InputError(str(shown), "no such bundle (a bundle is a directory)")
    manifest, digest = _read_manifest(place, shown)
    _check_nothing_else(place, shown, manifest)
    data: dict[str, bytes] = {}
    for name, sha256 in sorted(manifest.files.items()):
        content = _verified(place, name, sha256, shown)
        if name in TABLES:  # recorded tensors may be large: checked here, read when asked for
            data[name] = content
    topology = Topology(
        read_operators(data[OPERATORS], str(shown / OPERATORS)),
        read_tensors(data[TENSORS], str(shown / TENSORS), first_schema=manifest.schema_version == "1.0"),
    )
    check_topology(topology, str(shown / OPERATORS), str(shown / TENSORS))
    windows = read_windows(data[WINDOWS], str(shown / WINDOWS))
    allowed = (manifest.activation_bits_high, manifest.activation_bits_low)
    check_windows(windows, len(manifest.images), allowed, str(shown / WINDOWS))
    bundle = Bundle(shown, manifest, topology, windows, digest)
    _check_counts(bundle, str(shown / WINDOWS))
    grids = block_grids(topology, str(shown / OPERATORS))
    check_assignment(windows, manifest, grids, str(shown / WINDOWS))
    return bundle


def _check_nothing_else(place: Path, shown: Path, manifest: Manifest) -> None:
    """Refuse files without a hash: they would be no part of the bundle's identity."""
    for entry in sorted(place.rglob("*")):
        name = entry.relative_to(place).as_posix()
        if not entry.is_dir() and name != MANIFEST and name not in manifest.files:
            raise InputError(str(shown / name), "is not listed in the manifest", f"{MANIFEST} files")


def _check_counts(bundle: Bundle, where: str) -> None:
    """Every image must have windows for every block, and they must add up to the operators' shapes."""
    try:
        bundle.distinct_workloads()
    except InputError as error:
        raise InputError(where, error.message, error.field) from None


def _read_manifest(place: Path, shown: Path) -> tuple[Manifest, str]:
    where = str(shown / MANIFEST)
    try:
        raw = (place / MANIFEST).read_bytes()
        manifest = Manifest.model_validate(json.loads(raw))
    except OSError:
        raise InputError(where, "is missing, so this is no bundle") from None
    except ValidationError as error:
        field, message = explain(error, Manifest)
        raise InputError(where, message, field) from None
    except (ValueError, RecursionError) as error:
        raise InputError(where, f"is no JSON: {error}") from None
    for name in manifest.files:
        if name not in TABLES and not _is_tensor_file(name):
            raise InputError(where, f"{name!r} does not belong in a bundle", "files")
    for name in TABLES:
        if name not in manifest.files:
            raise InputError(where, f"{name} is not listed", "files")
    return manifest, hashlib.sha256(raw).hexdigest()


def _is_tensor_file(name: str) -> bool:
    parts = PurePosixPath(name).parts
    return len(parts) == 2 and parts[0] == TENSOR_FOLDER and parts[1].endswith(".safetensors")


def _verified(place: Path, name: str, sha256: str, shown: Path | None = None) -> bytes:
    where = str((shown or place) / name)
    try:
        data = (place / name).read_bytes()
    except OSError as error:
        raise InputError(where, f"cannot be read: {error.strerror}") from None
    if hashlib.sha256(data).hexdigest() != sha256:
        raise InputError(where, "is damaged: its SHA-256 differs from the manifest's", f"{MANIFEST} files")
    return data


def rehash(path: Path | str) -> None:
    """Write the manifest's hashes anew after an intended edit of the files it lists.

    Edited windows are no longer what the model did: the trace is then marked `derived: counts_only`.
    """
    place = Path(path)
    manifest, _ = _read_manifest(place, place)
    try:
        files = {name: hashlib.sha256((place / name).read_bytes()).hexdigest() for name in manifest.files}
    except OSError as error:
        raise InputError(str(error.filename), f"cannot be read: {error.strerror}") from None
    derived = manifest.derived if files[WINDOWS] == manifest.files[WINDOWS] else Derived.COUNTS_ONLY
    new = place / f".{MANIFEST}.partial"
    new.write_text(manifest.model_copy(update={"files": files, "derived": derived}).to_json(), encoding="utf-8")
    new.replace(place / MANIFEST)
