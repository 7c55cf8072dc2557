"""The work of one process: points of a range of numbers, evaluated where no finished row says what they come to."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from mixarray.points import Network
from mixarray_analysis.sweeps.evaluating import Evaluator
from mixarray_analysis.sweeps.index import NO_DIGEST, Index, digests
from mixarray_analysis.sweeps.machines import Machine
from mixarray_analysis.sweeps.models import OpenModel
from mixarray_analysis.sweeps.points import Point, Points
from mixarray_analysis.sweeps.reasons import Reasons, grouped
from mixarray_analysis.sweeps.rows import RESULTS, Row, failed_result, row_of
from mixarray_analysis.sweeps.spec import SweepSpec
from mixarray_analysis.sweeps.store import POINTS, data_files
from mixarray_analysis.sweeps.writing import Writer

SAY_POINTS = 16
"""Points after which progress is told."""
EVALUATORS_KEPT = 8


@dataclass(frozen=True)
class Job:
    """A sweep to work on. directory: None to look at its points without evaluating any."""

    spec: SweepSpec
    models: tuple[OpenModel, ...]
    code: str
    directory: Path | None


@dataclass(frozen=True, slots=True)
class Answer:
    """What a range came to. identities: a hash per point, NO_DIGEST where refused; new: a byte per point, 1 where no
    finished row was found."""

    start: int
    identities: bytes
    refused: Reasons
    new: bytes


class Worker:
    """Works on ranges of one sweep, in one process."""

    def __init__(self, job: Job) -> None:
        self._points = Points(job.spec, job.models, job.code)
        self._index = Index([] if job.directory is None else data_files(job.directory))
        self._writer = None if job.directory is None else Writer(job.directory / POINTS)
        self._network = lru_cache(1)(_network)
        self._evaluator = lru_cache(EVALUATORS_KEPT)(self._make_evaluator)

    def look(self, start: int, stop: int) -> tuple[Answer, list[Point]]:
        """Points start to stop - 1: what they come to, and those of them that are to be computed."""
        found = [self._points[number] for number in range(start, stop)]
        identities = b"".join(NO_DIGEST if isinstance(one, str) else one.identity for one in found)
        refused = grouped((start + at, one) for at, one in enumerate(found) if isinstance(one, str))
        known = self._index.positions(digests(identities)) >= 0
        wanted = [None if isinstance(one, str) or at else one for one, at in zip(found, known, strict=True)]
        new = {one.identity: one for one in wanted if one is not None}
        return Answer(start, identities, refused, bytes(one is not None for one in wanted)), list(new.values())

    def compute(self, points: Sequence[Point], say: Callable[[int], None], died: str = "") -> None:
        """Write the rows of points; `say` is told of points as they are done with.

        died: what they are known to come to if it is computed, for a failed row.
        """
        if self._writer is None:
            say(len(points))
            return
        results = {point.content: failed_result(point.groups, died) for point in points} if died else {}
        results = results or self._known_results(points)
        said = 0
        for done, point in enumerate(points, 1):
            evaluator = self._evaluator(point.model, point.machine)
            if point.content not in results:
                results[point.content] = evaluator.result(point.groups)
            self._writer.add(row_of(point, evaluator.machine_row, results[point.content]))
            if done - said == SAY_POINTS or done == len(points):
                say(done - said)
                said = done
        self._writer.flush()

    def _known_results(self, points: Sequence[Point]) -> dict[bytes, Row]:
        """Results of finished rows that ran the same for another request, by content."""
        contents = list(dict.fromkeys(point.content for point in points))
        places = self._index.positions_of_content(digests(b"".join(contents)))
        known = [content for content, place in zip(contents, places, strict=True) if place >= 0]
        if not known:
            return {}
        table = self._index.rows(places[places >= 0]).select(RESULTS)
        rows = zip(*(column.to_pylist() for column in table.columns), strict=True)
        return dict(zip(known, rows, strict=True))

    def _make_evaluator(self, model: OpenModel, machine: Machine) -> Evaluator:
        return Evaluator(self._network(model), model, machine)


def _network(model: OpenModel) -> Network:
    return Network(model.topology, model.window_rows)
