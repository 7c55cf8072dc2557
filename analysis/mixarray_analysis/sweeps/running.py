"""A sweep from its specification to its data set: what is done is kept, whatever happens to the process."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass, replace
from math import ceil
from pathlib import Path

import numpy as np

from mixarray.errors import InputError
from mixarray_analysis.progress import progress_bar
from mixarray_analysis.sweeps.code_version import code_sha256
from mixarray_analysis.sweeps.directory import Findings, opened, write_findings
from mixarray_analysis.sweeps.index import NO_DIGEST, Digests, digests
from mixarray_analysis.sweeps.keys import SPEC_PLACE
from mixarray_analysis.sweeps.models import open_models
from mixarray_analysis.sweeps.points import DIGEST_BYTES, Point, Points
from mixarray_analysis.sweeps.processes import Range, work_on
from mixarray_analysis.sweeps.reasons import Reasons, merged
from mixarray_analysis.sweeps.rows import point_text
from mixarray_analysis.sweeps.spec import SweepSpec
from mixarray_analysis.sweeps.store import sort_rows
from mixarray_analysis.sweeps.working import Job

RANGE_POINTS = 1024
RANGES_PER_PROCESS = 8
"""At least: so that all processes end at about the same time."""
SHOWN_POINTS = 5


@dataclass(frozen=True, slots=True)
class Ran:
    """What one call did: `computed` are the points that were not finished before."""

    computed: int
    findings: Findings


@dataclass(frozen=True, slots=True)
class Looked:
    """What a sweep would do. asked: all its points; repeated: those that another number asks for too; shown: a few."""

    asked: int
    refused: Reasons
    repeated: int
    shown: tuple[str, ...]

    @property
    def to_run(self) -> int:
        """Points that are left, each once."""
        return self.asked - sum(one.count for one in self.refused.values()) - self.repeated


def run_sweep(spec: SweepSpec, out: Path, jobs: int = 1, force: bool = False, quiet: bool = True) -> Ran:
    """Run a sweep into `out`, or go on with the one that lies there; `force` starts anew.

    `jobs` processes work side by side (0: one per CPU this process may use). InputError for a bad specification, and
    for a directory that is none of a sweep, holds one of another version of the code, or is being written.
    """
    job, points = prepare(spec, out)
    with opened(out, job.code, spec, force):
        identities, refused, computed = _work(job, points, jobs, "sweeping", quiet)
        asked = identities[identities != NO_DIGEST]
        if not len(asked):
            reasons = sorted(refused.values(), key=lambda one: (-one.count, one.first))
            raise InputError(SPEC_PLACE, f"all of its {points.size:,} points are refused: {reasons[0].example}")
        sort_rows(out, asked)
        findings = write_findings(out, job, points.size, len(asked), refused)
    return Ran(computed, findings)


def look(spec: SweepSpec, jobs: int = 1, quiet: bool = True) -> Looked:
    """Ask for every point and evaluate none; InputError for a bad specification."""
    job, points = prepare(spec, None)
    identities, refused, _ = _work(job, points, jobs, "looking at points", quiet)
    numbers = np.flatnonzero(identities != NO_DIGEST)
    _, places = np.unique(identities[numbers], return_index=True)
    first = (points[int(number)] for number in numbers[np.sort(places)[:SHOWN_POINTS]])
    shown = tuple(point_text(point) for point in first if isinstance(point, Point))
    return Looked(points.size, refused, len(numbers) - len(places), shown)


def prepare(spec: SweepSpec, directory: Path | None) -> tuple[Job, Points]:
    """Open what the specification names; InputError for what is wrong with it as a whole."""
    models = tuple(model for one in spec.models for model in open_models(one, spec.promotion))
    job = Job(spec, models, code_sha256(), directory)
    return job, Points(spec, models, job.code)


def _work(job: Job, points: Points, jobs: int, label: str, quiet: bool) -> tuple[Digests, Reasons, int]:
    """The hashes of all points by number (NO_DIGEST where refused), why some are refused, how many were computed."""
    total = points.size
    identities, new = np.zeros(total, f"S{DIGEST_BYTES}"), np.zeros(total, bool)
    refused: Reasons = {}
    processes = max(1, min(jobs or len(os.sched_getaffinity(0)), total))
    done = 0
    with progress_bar(label, quiet, total, "points") as report:

        def say(more: int) -> None:
            nonlocal done
            done += more
            report(done, total)

        for answer in work_on(job, _ranges(total, processes), processes, say):
            found = digests(answer.identities)
            place = slice(answer.start, answer.start + len(found))
            identities[place], new[place] = found, np.frombuffer(answer.new, bool)
            refused = merged([refused, answer.refused])
    named = {reason: replace(one, point=points.asked(one.first)) for reason, one in refused.items()}
    return identities, named, len(np.unique(identities[new]))


def _ranges(points: int, processes: int) -> Iterator[Range]:
    """The numbers of all points in ranges: long ones, because neighbours share work, but enough for all processes."""
    length = max(1, min(RANGE_POINTS, ceil(points / (processes * RANGES_PER_PROCESS))))
    return ((start, min(start + length, points)) for start in range(0, points, length))
