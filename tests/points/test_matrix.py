"""The matrix of a piece against walking its jobs, one by one, from any moments before it."""

from __future__ import annotations

import random
from collections import defaultdict
from typing import Any, NamedTuple

import numpy as np
import pytest

from mixarray.accelerator.load import load_accelerator
from mixarray.mapping.schedule import Event, Final, JobKind, Recent
from mixarray.points import Network, known_steps, priced_steps
from mixarray.points.lowering import Piece
from mixarray.points.max_plus import NEVER, Integers, Walk, ways
from mixarray.points.roles import END, Roles
from mixarray.points.tables import walk_of

Times = tuple[int, int, int]
LONGEST = 5_000_000
"""Moments are drawn up to here: far enough apart that each of them is the latest now and then."""


class Case(NamedTuple):
    """A piece, the places of its matrix, and this. lengths: (occupancy, latency) of its tasks."""

    piece: Piece
    roles: Roles
    rows: list[int]
    columns: list[int]
    lengths: Integers
    matrix: Integers


def walked(case: Case, before: dict[int, int]) -> dict[int, int]:
    """The moments behind a piece by place, from those before it; `Event` indexes the times of a job."""
    piece, roles = case.piece, case.roles
    lanes: dict[tuple[int, JobKind], list[Times]] = defaultdict(list)
    free = [before[roles.unit(unit)] for unit in range(roles.units)]
    behind = {END: before[END]}
    last: list[list[Times]] = [[]]
    for one in piece.known:
        places = dict(one.places)
        times = tuple(before.get(places.get(event, NEVER), NEVER) for event in Event)
        lanes[one.unit, one.kind].append((times[0], times[1], times[2]))
        last[0].append(lanes[one.unit, one.kind][-1])
    for body, repeat in piece.segments[1:]:
        done: list[Times] = []
        for _ in range(repeat):
            done = []
            for job in body:
                start = free[job.unit]
                for wait in job.dependencies:
                    if isinstance(wait, Recent):
                        start = max(start, lanes[wait.unit, wait.kind][-wait.count][wait.event])
                    else:
                        assert isinstance(wait, Final)
                        start = max(start, last[wait.segment][wait.slot][wait.event])
                occupancy, latency = case.lengths[job.occupancy_cycles].tolist()
                issued = start + occupancy
                done.append((start, issued, issued + latency))
                lanes[job.unit, job.kind].append(done[-1])
                free[job.unit], behind[END] = issued, max(behind[END], done[-1][Event.READY])
        last.append(done)
    behind |= {roles.unit(unit): moment for unit, moment in enumerate(free)}
    behind |= {roles.lane(n): lanes[w.unit, w.kind][-w.count][w.event] for n, w in enumerate(roles.lanes)}
    for moment in piece.moments:
        reached = lanes[moment.mark.unit, moment.mark.kind][moment.mark.index][moment.event]
        behind[moment.place] = max(behind.get(moment.place, NEVER), reached)
    return behind


def agree(case: Case, draw: random.Random, matrix: Integers) -> bool:
    """Whether a matrix says what the walk says, for moments drawn at random, one of them late."""
    before = {place: draw.randrange(1000) for place in case.columns}
    before[draw.choice(case.columns)] = draw.randrange(LONGEST)
    vector = np.array([before[place] for place in case.columns])
    behind = walked(case, before)
    found = (
        (behind.get(place, NEVER), max((vector + matrix[row]).max(), NEVER)) for row, place in enumerate(case.rows)
    )
    return all(ours == theirs for ours, theirs in found)


@pytest.fixture(scope="module", params=["packed_w4_32x32", "plain_int8_os_32x32", "decoupled_int8_int4"])
def cases(request: pytest.FixtureRequest, model: Any) -> list[Case]:
    lowered: list[tuple[Piece, Roles, list[int], list[int]]] = []
    found: list[Case] = []
    with pytest.MonkeyPatch.context() as patch:

        def kept(piece: Piece, roles: Roles, rows: list[int], columns: list[int]) -> Walk:
            lowered.append((piece, roles, rows, columns))
            return walk_of(piece, roles, rows, columns)

        def priced(walk: Walk, lengths: Integers, *sizes: int) -> tuple[bool, Integers]:
            known, matrix = ways(walk, lengths, *sizes)
            found.append(Case(*lowered[len(found)], lengths, matrix))
            return known, matrix

        patch.setattr(known_steps, "walk_of", kept)
        patch.setattr(priced_steps, "ways", priced)
        Network(model.topology, model.rows).on(load_accelerator(request.param)).totals(model.drawn(1, (8, 4, 0)))
    assert len(found) == len(lowered)
    return sorted(found, key=lambda case: sum(len(body) * repeat for body, repeat in case.piece.segments))[:24]


def test_the_matrix_is_the_walk(cases: list[Case]) -> None:
    draw = random.Random(0)
    assert all(agree(case, draw, case.matrix) for case in cases for _ in range(10))


def test_every_moment_matters(cases: list[Case]) -> None:
    """Each of them, left out of the matrices, is missed."""
    roles = cases[0].roles
    for place in range(roles.size):
        draw, missed = random.Random(0), False
        for case in cases:
            faulty = case.matrix.copy()
            faulty[:, place] = NEVER
            missed = missed or any(not agree(case, draw, faulty) for _ in range(40))
        assert missed, place
