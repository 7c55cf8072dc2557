"""Slices of several jobs: every grain keeps to its limit, and the arguments are those of all its jobs together."""

from __future__ import annotations

import copy
import json
from collections import Counter
from itertools import pairwise

import numpy as np
import pytest

from mixarray.engine.timeline import Timeline
from mixarray.result.perfetto import FEWEST_SLICES, FILE_NAME, write_timeline
from mixarray.result.perfetto_jobs import stored_jobs
from mixarray.result.perfetto_slices import Grain, divide, slice_events
from mixarray.simulation import Simulation


def runs(timeline: Timeline, gapless: bool) -> int:
    """Neighbours on a unit of one operator and kind, counted one by one; gapless: only those that touch."""
    columns = timeline.unit, timeline.operator, timeline.kind, timeline.start_cycles, timeline.issued_cycles
    rows = sorted(zip(*(column.tolist() for column in columns), range(len(timeline.unit)), strict=True), key=unit_first)
    return 1 + sum(one[:3] != two[:3] or (gapless and one[4] != two[3]) for one, two in pairwise(rows))


def unit_first(row):
    return row[0], row[-1]


Merged = tuple[Grain, list[list[int]], list[dict]]
MERGED = [Grain.GAPLESS, Grain.RUN, Grain.SEVERAL]


@pytest.fixture(scope="module")
def every(swin) -> dict[Grain, Merged]:
    """By grain: the grain, the jobs of each slice, and the slices as they are written, at a limit that forces it."""
    timeline, units = swin.execution.timeline, len(swin.schedule.units)
    gapless, run = (runs(timeline, touching) for touching in (True, False))
    assert swin.execution.jobs > gapless > run > units
    limits = {Grain.JOB: swin.execution.jobs, Grain.GAPLESS: gapless, Grain.RUN: gapless - 1, Grain.SEVERAL: run - 1}
    found = {}
    for grain, limit in limits.items():
        slices = divide(timeline, units, limit)
        assert slices.grain is grain
        assert len(slices.first) <= limit
        members = [part.tolist() for part in np.split(slices.order, slices.first[1:])]
        found[grain] = grain, members, list(slice_events(slices, swin.workload, stored_jobs(swin.schedule), timeline))
    return found


def groups_of(event) -> set[tuple]:
    """(operator, group, bits, windows) in the arguments of a slice; without a group: (operator,)."""
    details, operator = event["args"], event["name"].split(": ")[0]
    by_operator = details.get("groups_by_operator", {operator: details.get("groups", [details])})
    found = set()
    for name, groups in by_operator.items():
        found |= {(name, g["group"], g["group_bits"], g.get("group_windows")) for g in groups if "group" in g}
        found.add((name,))
    return found


def expected_groups(jobs, swin: Simulation) -> set[tuple]:
    """The same of jobs, from the workload: windows from the rows of their block's window-wise operators."""
    found = set()
    for job in jobs:
        grouped = swin.workload.operators[job.operator]
        op = grouped.operator
        found.add((op.name,))
        if job.group < 0:
            continue
        bits, windows = grouped.groups[job.group].bits, None
        for other in swin.workload.operators:
            same = (other.operator.stage, other.operator.block) == (op.stage, op.block)
            if same and (other.operator.rows_per, other.operator.variation) == ("window", "row"):
                windows = next((g.rows // 49 for g in other.groups if g.bits == bits), windows)
        found.add((op.name, job.group, bits, windows))
    return found


def lost(grain: Grain, members: list[list[int]], events: list[dict], swin: Simulation) -> set[str]:
    """The arguments that do not say what the jobs of their slices do, by name."""
    timeline, stored = swin.execution.timeline, stored_jobs(swin.schedule)
    found = set()
    busy: Counter = Counter()
    for numbers, event in zip(members, events, strict=True):
        jobs = [stored.jobs[stored.index[number]] for number in numbers]
        details, duration = event["args"], event.get("dur", 0)
        modes: Counter = Counter()
        for job in jobs:
            for products in job.products:
                modes["x".join(map(str, products.mode_bits))] += products.macs
        cycles = sum(job.occupancy_cycles for job in jobs)
        end = event["ts"] + duration
        by_mode = details.get("macs_by_mode", {details.get("bits"): details["macs"]} if "macs" in details else {})
        claims = {
            "macs": (details.get("macs", 0), sum(job.macs for job in jobs)),
            "macs_by_mode": (by_mode, dict(modes)),
            "bits": (details.get("bits", ""), ", ".join(modes)),
            "latency_cycles": (details["latency_cycles"], int(max(timeline.ready_cycles[n] for n in numbers)) - end),
            "groups": (groups_of(event), expected_groups(jobs, swin)),
            "time": (event["ts"], int(timeline.start_cycles[numbers[0]])),
            "end": (end, int(timeline.issued_cycles[numbers[-1]])),
        }
        kinds = {event["cat"]: duration}
        if grain is not Grain.JOB:
            share = 1000 * cycles // duration if duration else None
            claims["jobs"] = details["jobs"], len(jobs)
            claims["busy_cycles"] = details["busy_cycles"], cycles
            claims["busy_thousandths"] = details.get("busy_thousandths"), share
            kinds = details.get("busy_cycles_by_kind", {event["cat"]: details["busy_cycles"]})
        if grain in (Grain.JOB, Grain.GAPLESS):
            claims["gap"] = duration, cycles
        found |= {name for name, (said, true) in claims.items() if said != true}
        busy.update({(event["tid"] - 1, kind): n for kind, n in kinds.items()})
    counters = {key: cycles for key, cycles in swin.execution.busy_cycles.items() if cycles}
    return found | ({"counters"} if {key: n for key, n in busy.items() if n} != counters else set())


@pytest.mark.parametrize("grain", Grain)
def test_no_argument_is_lost_and_sums_are_the_counters(grain, every, swin):
    assert lost(*every[grain], swin) == set()


@pytest.mark.parametrize("grain", MERGED)
def test_merged_slices_have_several_jobs_and_gaps_where_their_grain_says_so(grain, every):
    details = [event["args"] for event in every[grain][2]]
    assert any(one["jobs"] > 1 for one in details)
    assert any(one.get("busy_thousandths", 1000) < 1000 for one in details) == (grain is not Grain.GAPLESS)


@pytest.mark.parametrize("grain", [Grain.RUN, Grain.SEVERAL])
def test_merged_slices_have_several_modes_and_groups(grain, every):
    assert any(len(event["args"].get("macs_by_mode", {})) > 1 for event in every[grain][2])
    assert any(sum(len(key) > 1 for key in groups_of(event)) > 1 for event in every[grain][2])


def lose_group(details):
    (details.get("groups") or next(filter(None, details["groups_by_operator"].values()))).pop()


FAULTS = {
    "macs": lambda details: details.pop("macs"),
    "macs_by_mode": lambda details: details["macs_by_mode"].popitem(),
    "bits": lambda details: details.pop("bits"),
    "latency_cycles": lambda details: details.update(latency_cycles=details["latency_cycles"] + 1),
    "groups": lose_group,
    "busy_cycles": lambda details: details.update(busy_cycles=details["busy_cycles"] - 1),
    "busy_thousandths": lambda details: details.pop("busy_thousandths"),
    "jobs": lambda details: details.update(jobs=details["jobs"] + 1),
}


@pytest.mark.parametrize("grain", MERGED)
@pytest.mark.parametrize("name", FAULTS)
def test_a_lost_argument_is_noticed(name, grain, every, swin):
    _, members, events = every[grain]
    faulty = copy.deepcopy(events)
    grouped = name == "groups"
    has = (lambda e: any(len(key) > 1 for key in groups_of(e))) if grouped else (lambda e: "macs_by_mode" in e["args"])
    whole = next(event["args"] for event in faulty if has(event))
    FAULTS[name](whole)
    assert name in lost(grain, members, faulty, swin)


@pytest.mark.parametrize("limit", [6, 7, 20, 100, 500])
def test_every_grain_keeps_to_its_limit_and_to_its_unit(swin, limit):
    timeline, units = swin.execution.timeline, len(swin.schedule.units)
    slices = divide(timeline, units, limit)
    assert slices.grain is Grain.SEVERAL
    assert len(slices.first) <= limit
    parts = np.split(timeline.unit[slices.order], slices.first[1:])
    assert all(len(set(part.tolist())) == 1 for part in parts)
    assert sorted(slices.order.tolist()) == list(range(swin.execution.jobs))


def test_a_file_is_bounded(swin, tmp_path):
    sizes = []
    for limit in (swin.execution.jobs, FEWEST_SLICES):
        write_timeline(tmp_path, swin, limit)
        lines = (tmp_path / FILE_NAME).read_text(encoding="utf-8").splitlines()
        slices = [line for line in lines if '"ph": "X"' in line or '"ph": "i"' in line]
        assert len(slices) == json.loads("".join(lines))["metadata"]["slices"] <= limit
        sizes.append(sum(map(len, slices)))
    assert sizes[1] < min(sizes[0], 1000 * FEWEST_SLICES)
