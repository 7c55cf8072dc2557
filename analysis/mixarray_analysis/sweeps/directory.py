"""The directory of a sweep: who may write it, what it was asked for, and what it came to."""

from __future__ import annotations

import fcntl
import hashlib
import json
import shutil
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import IO, Any

import pyarrow.parquet as pq

from mixarray.errors import InputError
from mixarray.provenance import git_revision, package_versions
from mixarray_analysis.files import write_text
from mixarray_analysis.sweeps.glossary import ASKED
from mixarray_analysis.sweeps.reasons import Reasons, grouped, merged, reasons_data
from mixarray_analysis.sweeps.rows import DONE, FAILED, asked_text
from mixarray_analysis.sweeps.spec import SweepSpec
from mixarray_analysis.sweeps.store import GROUP_ROWS, POINTS, SORTED, UNASKED, remove_partial
from mixarray_analysis.sweeps.working import Job
from mixarray_analysis.sweeps.writing import recover
from mixarray_traces.json_file import read_json

SPEC, RESULT, LOCK = "spec.json", "sweep.json", ".lock"
SCHEMA_VERSION = "1.0"


@dataclass(frozen=True, slots=True)
class Findings:
    """What a finished sweep holds.

    asked: points that the specification asks for. refused: those that are none. repeated: those that another number
    asks for too. done, failed: rows. errors: of those that failed.
    """

    asked: int
    refused: Reasons
    repeated: int
    done: int
    failed: int
    errors: Reasons


@contextmanager
def opened(out: Path, code: str, spec: SweepSpec, force: bool) -> Iterator[None]:
    """Hold a directory for a sweep, made where it is missing; what killed processes left half-written is removed.

    Rows that killed processes left in journals become parts. InputError where it is none of a sweep, is held by another
    process, or holds points of another version of the code, which only `force` removes.
    """
    with _held(out):
        if not force and _code_of(out) not in (None, code):
            message = "holds points of another version of mixarray; --force computes them anew, or choose another --out"
            raise InputError(str(out), message)
        try:
            _make_ready(out, force)
        except OSError as error:
            raise InputError(str(error.filename or out), f"cannot be written: {error.strerror}") from None
        write_text(out / SPEC, _json({"code_sha256": code, "spec": spec.to_data()}), force=True)
        (out / POINTS).mkdir(exist_ok=True)
        recover(out / POINTS)
        yield


def _make_ready(out: Path, force: bool) -> None:
    """Remove what is half-written, and `sweep.json` before anything else; with `force` the rows too."""
    (out / RESULT).unlink(missing_ok=True)
    remove_partial(out)
    for folder in (out / POINTS, out / UNASKED):
        if force and folder.exists():
            shutil.rmtree(folder)


def _code_of(out: Path) -> str | None:
    """The hash of the code of the sweep that a directory holds, if it does; InputError for a foreign `spec.json`."""
    if not (out / SPEC).exists():
        return None
    found = read_json(out / SPEC, "of a sweep")
    if not isinstance(found.get("code_sha256"), str) or "spec" not in found:
        raise InputError(str(out / SPEC), "is no file of a sweep: nothing is written beside it")
    return str(found["code_sha256"])


@contextmanager
def _held(out: Path) -> Iterator[None]:
    if out.is_symlink() or (out.exists() and not out.is_dir()):
        raise InputError(str(out), "is no directory")
    if out.is_dir() and _code_of(out) is None and any(one.name[0] != "." for one in out.iterdir()):
        raise InputError(str(out), f"exists and is no sweep (no {SPEC}): nothing is written there")
    try:
        out.mkdir(parents=True, exist_ok=True)
        lock: IO[str] = (out / LOCK).open("w")
    except OSError as error:
        raise InputError(str(out), f"cannot be written: {error.strerror}") from None
    with lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise InputError(str(out), "is being written by another sweep") from None
        yield


def write_findings(out: Path, job: Job, asked: int, found: int, refused: Reasons) -> Findings:
    """Write `sweep.json` beside the sorted rows, last of all; `found` of the points asked for are not refused."""
    path = out / POINTS / SORTED
    with pq.ParquetFile(path) as file:
        groups = [_of_group(file, number) for number in range(file.num_row_groups)]
    rows = sum((counted for counted, _ in groups), Counter[str]())
    errors = merged(one for _, one in groups)
    findings = Findings(asked, refused, found - rows.total(), rows[DONE], rows[FAILED], errors)
    with path.open("rb") as data:
        points_sha256 = hashlib.file_digest(data, "sha256").hexdigest()
    spec = job.spec.to_data()
    written = {
        "schema_version": SCHEMA_VERSION,
        "spec": spec,
        "spec_sha256": hashlib.sha256(_json(spec).encode()).hexdigest(),
        "code_sha256": job.code,
        "git_revision": git_revision(),
        "versions": package_versions(),
        "models": [
            {
                "label": one.label,
                "input_height_px": one.height_px,
                "input_width_px": one.width_px,
                "sha256": one.sha256,
                "derived": "counts_only",
            }
            for one in job.models
        ],
        "counts": counts_of(findings),
        "refused": reasons_data(refused),
        "failed": reasons_data(errors),
        "points_sha256": points_sha256,
    }
    write_text(out / RESULT, _json(written), force=True)
    return findings


def counts_of(findings: Findings) -> dict[str, int]:
    """The numbers of points by what became of them; `asked` is the sum of the others."""
    refused = sum(one.count for one in findings.refused.values())
    return {
        "asked": findings.asked,
        "refused": refused,
        "repeated": findings.repeated,
        "done": findings.done,
        "failed": findings.failed,
    }


def _of_group(file: pq.ParquetFile, number: int) -> tuple[Counter[str], Reasons]:
    """Of one row group of the sorted rows: how many are done and failed, and why, with what the first one asks for."""
    statuses, errors = (column.to_pylist() for column in file.read_row_group(number, ["status", "error"]).columns)
    failed = [place for place, status in enumerate(statuses) if status == FAILED]
    if not failed:
        return Counter(statuses), {}
    rows = file.read_row_group(number, list(ASKED))
    reasons = grouped((number * GROUP_ROWS + place, errors[place]) for place in failed)
    first = {shape: rows.slice(one.first % GROUP_ROWS, 1).to_pylist()[0] for shape, one in reasons.items()}
    return Counter(statuses), {shape: replace(one, point=asked_text(first[shape])) for shape, one in reasons.items()}


def read_findings(directory: Path) -> dict[str, Any] | None:
    """What `sweep.json` says; None while the sweep is not finished. InputError where the directory is no sweep."""
    if not (directory / SPEC).exists():
        raise InputError(str(directory), f"is no sweep of a specification (no {SPEC})")
    return read_json(directory / RESULT, "of a sweep") if (directory / RESULT).exists() else None


def _json(value: object) -> str:
    return json.dumps(value, indent=1, sort_keys=True, ensure_ascii=False) + "\n"
