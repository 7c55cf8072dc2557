"""The Perfetto file: its schema, disjoint slices, and every sum against the counters of the run; faults too."""

from __future__ import annotations

import copy
import json
from collections import Counter
from dataclasses import replace

import numpy as np
import pytest

from mixarray.accelerator.load import load_accelerator
from mixarray.engine.choice import Engine, run_schedule
from mixarray.mapping.schedule import Action, Back, Event, Job, JobKind, Schedule, Segment
from mixarray.result.perfetto import FILE_NAME, write_timeline
from mixarray.result.perfetto_counters import MOST_BINS, bin_cycles
from mixarray.result.perfetto_slices import Grain
from mixarray.simulation import Simulation, simulate
from mixarray.trace.bundle import read_bundle
from mixarray.trace.workload import single_gemm
from mixarray_analysis.cli import main
from mixarray_traces.record.random_trace import random_bundle

PACKED = load_accelerator("packed_w4_32x32")
ALLOWED = {
    "M": {"name", "ph", "pid", "tid", "args"},
    "X": {"name", "cat", "ph", "pid", "tid", "ts", "dur", "args"},
    "i": {"name", "cat", "ph", "pid", "tid", "ts", "s", "args"},
    "C": {"name", "ph", "pid", "ts", "args"},
}


@pytest.fixture(scope="module", params=["packed_w4_32x32", "plain_int8_os_32x32"])
def gemm(request) -> Simulation:
    return simulate(single_gemm(200, 130, 70, 8, 8), load_accelerator(request.param), timeline=True)


def written(place, simulation, limit=100_000):
    write_timeline(place, simulation, limit)
    return json.loads((place / FILE_NAME).read_text(encoding="utf-8"))


def numbers(value):
    """Every number in a piece of JSON."""
    if isinstance(value, dict):
        return [n for one in value.values() for n in numbers(one)]
    if isinstance(value, list):
        return [n for one in value for n in numbers(one)]
    return [value] if isinstance(value, (int, float)) else []


def problems(content, simulation: Simulation) -> list[str]:
    """What is wrong with a file, by name."""
    execution, units = simulation.execution, simulation.schedule.units
    events = content["traceEvents"]
    found = []
    if any(event["ph"] not in ALLOWED or not event.keys() <= ALLOWED[event["ph"]] for event in events):
        found.append("schema")
    if any(not isinstance(number, int) or number < 0 for number in numbers(content)):
        found.append("integers")
    tracks = {event["tid"]: event["args"]["name"] for event in events if event["name"] == "thread_name"}
    if tracks != dict(enumerate(units, 1)):
        found.append("tracks")
    slices = [event for event in events if event["ph"] in "Xi"]
    if len(slices) != content["metadata"]["slices"]:
        found.append("slices")
    ends = Counter()
    busy, macs, jobs = Counter(), 0, 0
    for event in slices:
        if event["ts"] < ends[event["tid"]] or (event["ph"] == "X") != (event.get("dur", 0) > 0):
            found.append("overlap")
        ends[event["tid"]] = event["ts"] + event.get("dur", 0)
        details = event["args"]
        kinds = details.get("busy_cycles_by_kind", {event["cat"]: details.get("busy_cycles", event.get("dur", 0))})
        for kind, cycles in kinds.items():
            busy[event["tid"] - 1, kind] += cycles
        macs += details.get("macs", 0)
        jobs += details.get("jobs", 1)
    if {key: cycles for key, cycles in busy.items() if cycles} != {k: v for k, v in execution.busy_cycles.items() if v}:
        found.append("busy")
    if (macs, jobs) != (execution.macs, execution.jobs) or max(ends.values()) > execution.total_cycles:
        found.append("sums")
    moved = Counter()
    taken = Counter()
    for event in events:
        if event["ph"] == "C" and " busy: " in event["name"]:
            taken[units.index(event["name"].split(" busy")[0])] += event["args"]["cycles"]
        elif event["ph"] == "C" and event["name"].startswith("dram_channels"):
            component, direction = event["name"].split(":")[0].split()
            moved[Action(component, f"{direction}_bits")] += event["args"]["bits"]
    if moved != {action: n for action, n in execution.actions.items() if action.component.startswith("dram")}:
        found.append("moved")
    by_unit = Counter()
    for (unit, _), cycles in execution.busy_cycles.items():
        by_unit[unit] += cycles
    if taken != by_unit:
        found.append("taken")
    return found


def levels(content, name, unit="bits"):
    """ts -> value of a counter whose name begins so."""
    return {e["ts"]: e["args"][unit] for e in content["traceEvents"] if e["ph"] == "C" and e["name"].startswith(name)}


def test_a_swin(swin, tmp_path):
    content = written(tmp_path, swin)
    assert problems(content, swin) == []
    assert content["metadata"]["time"] == "1 cycle = 1 us"
    assert content["metadata"]["grain"] == Grain.JOB.value
    assert content["metadata"]["jobs"] == swin.execution.jobs > 1000


def test_a_gemm_in_both_dataflows(gemm, tmp_path):
    content = written(tmp_path, gemm)
    assert problems(content, gemm) == []
    assert {e["args"]["bits"] for e in content["traceEvents"] if e["ph"] == "X" and "macs" in e["args"]} == {"8x8"}


def change_slice(events):
    next(event for event in events if event["ph"] == "X")["dur"] += 1


def drop_slice(events):
    events.remove(next(event for event in events if event["ph"] == "X"))


def move_slice(events):
    [one, two] = [event for event in events if event["ph"] == "X" and event["tid"] == 1][:2]
    one["ts"], two["ts"] = two["ts"], one["ts"]


def change_counter(events):
    next(event for event in events if event["ph"] == "C" and " read: " in event["name"])["args"]["bits"] += 1


def change_busy(events):
    next(event for event in events if event["ph"] == "C" and "arrays.0 busy" in event["name"])["args"]["cycles"] += 1


def lose_macs(events):
    next(event for event in events if "macs" in event["args"])["args"].pop("macs")


def fraction(events):
    events[-1]["args"]["bits"] += 0.5


def rename_track(events):
    next(event for event in events if event["name"] == "thread_name")["args"]["name"] = "x"


def unknown_key(events):
    events[-1]["tts"] = 1


@pytest.mark.parametrize(
    ("fault", "named"),
    [
        (change_slice, "busy"),
        (drop_slice, "slices"),
        (move_slice, "overlap"),
        (change_counter, "moved"),
        (change_busy, "taken"),
        (lose_macs, "sums"),
        (fraction, "integers"),
        (rename_track, "tracks"),
        (unknown_key, "schema"),
    ],
)
def test_a_fault_in_the_file_is_noticed(fault, named, gemm, tmp_path):
    content = copy.deepcopy(written(tmp_path, gemm))
    fault(content["traceEvents"])
    assert named in problems(content, gemm)


def test_the_details_of_a_slice_are_those_of_its_job(swin, toy, tmp_path):
    slices = [event for event in written(tmp_path, swin)["traceEvents"] if event["ph"] in "Xi"]
    timeline = swin.execution.timeline
    order = np.argsort(timeline.unit, kind="stable")
    jobs = [job for segment in swin.schedule.segments for n in range(segment.repeat) for job in segment.jobs(n)]
    windows = 0
    for event, number in zip(slices, order.tolist(), strict=True):
        job, details = jobs[number], event["args"]
        assert (event["ts"], event.get("dur", 0)) == (timeline.start_cycles[number], job.occupancy_cycles)
        assert (event["cat"], details["latency_cycles"]) == (job.kind, job.latency_cycles)
        assert (details.get("macs", 0), details.get("group", -1)) == (job.macs, job.group)
        if "group_windows" in details:
            op = swin.workload.operators[job.operator]
            heads = toy.heads[op.operator.stage]
            group = op.groups[job.group]
            assert group.bits == details["group_bits"]
            rows = {"row": group.rows, "batch": group.batch * 49 // heads}[op.operator.variation.value]
            assert op.operator.rows_per.value == "token" or rows == 49 * details["group_windows"]
            windows += 1
    assert windows > 100


def by_hand() -> Simulation:
    """Two loads of 6 cycles and two accesses each; three streams of 5, 1, 2 cycles read 1, 1, 2 accesses.

    loads 0-6, 6-12; streams (the first needs load 0, the second load 1) 6-11, 12-13, 13-15; then a store of 4 cycles
    of what nobody made. Each load brings 12 bits from DRAM, the store takes 7.
    """
    width = "buffers.activation"
    load = Job(
        1,
        JobKind.DRAM_LOAD_ACTIVATION,
        6,
        0,
        (),
        0,
        actions=((Action("dram_channels.0", "read_bits"), 12), (Action(width, "write"), 2)),
    )

    def stream(cycles, accesses, *waits):
        sums = (Action("buffers.accumulator", "write"), 3), (Action("buffers.accumulator", "read"), 2)
        return Job(0, JobKind.STREAM, cycles, 1, waits, 0, 0, actions=((Action(width, "read"), accesses), *sums))

    store = Job(
        1,
        JobKind.DRAM_STORE,
        4,
        0,
        (Back(4, 0, Event.ISSUED),),
        0,
        actions=((Action("dram_channels.0", "write_bits"), 7),),
    )
    body = (
        load,
        load,
        stream(5, 1, Back(0, 0, Event.READY)),
        stream(1, 1, Back(1, 0, Event.READY)),
        stream(2, 2),
        store,
    )
    schedule = Schedule(("arrays.0", "dram_channels.0"), (Segment(body),))
    execution = run_schedule(Engine.FAST, schedule, 1, with_timeline=True)
    done = simulate(single_gemm(4, 4, 4, 8, 8), PACKED)
    return replace(done, schedule=schedule, execution=execution)


def test_counters_worked_out_on_paper(tmp_path):
    content = written(tmp_path, by_hand())
    width, sums = PACKED.buffers.activation.port_bits, PACKED.buffers.accumulator.port_bits
    # two accesses arrive in cycles 0-6, two in 6-12; the streams read 1 in 6-11, 1 in 12-13, 2 in 13-15, of 4 in all
    come = [2 * ts * width // 6 for ts in range(7)] + [(2 * width) + 2 * ts * width // 6 for ts in range(1, 7)]
    gone = [0] * 6 + [ts * width // 5 for ts in range(6)] + [width, 2 * width, 3 * width, 4 * width]
    come += [4 * width] * 8
    gone += [4 * width] * 5
    fill = {ts: one - other for ts, (one, other) in enumerate(zip(come[:20], gone[:20], strict=True))}
    assert levels(content, "buffers.activation fill") == fill
    # every stream leaves one access of new sums; nobody reads them: free when the operator is ready, at 19
    begun = (
        [0] * 6 + [ts * sums // 5 for ts in range(6)] + [sums, 2 * sums, 2 * sums + sums // 2] + [3 * sums] * 4 + [0]
    )
    assert levels(content, "buffers.accumulator fill") == dict(enumerate(begun))
    assert set(levels(content, "buffers.weight fill").values()) == {0}
    assert list(levels(content, "arrays.0 busy", "cycles").values()) == [0] * 6 + [1] * 5 + [0] + [1] * 3 + [0] * 4
    assert list(levels(content, "dram_channels.0 read").values()) == [2] * 12 + [0] * 7
    assert list(levels(content, "dram_channels.0 write").values()) == [0] * 15 + [1, 2, 2, 2]


def test_buffers_end_empty_and_are_sampled_in_bins(swin, tmp_path):
    content = written(tmp_path, swin)
    total = swin.execution.total_cycles
    assert content["metadata"]["bin_cycles"] == bin_cycles(total)
    for name in ("activation", "weight", "accumulator"):
        found = levels(content, f"buffers.{name} fill")
        capacity = content["metadata"]["capacity_bits"][f"buffers.{name}"]
        assert max(found) == total
        assert found[total] == 0
        assert capacity / 20 < max(found.values()) <= capacity
        assert len(found) <= MOST_BINS + 1


@pytest.mark.parametrize("total", [0, 1, MOST_BINS, MOST_BINS + 1, 10**9 + 7])
def test_bins(total):
    length = bin_cycles(total)
    assert -(-total // length) <= MOST_BINS
    assert length == 1 or -(-total // (length - 1)) > MOST_BINS


def test_equal_runs_give_equal_bytes_whichever_engine_ran(swin, tmp_path):
    for engine in Engine:
        (tmp_path / engine).mkdir()
        execution = run_schedule(engine, swin.schedule, len(swin.workload.operators), with_timeline=True)
        write_timeline(tmp_path / engine, replace(swin, execution=execution))
    event, fast = ((tmp_path / engine / FILE_NAME).read_text(encoding="utf-8") for engine in Engine)
    assert event.replace('"engine": "event"', '"engine": "fast"') == fast


def test_what_has_no_timeline_or_no_room_is_refused(gemm, tmp_path):
    for simulation, limit in ((replace(gemm, execution=replace(gemm.execution, timeline=None)), 10**6), (gemm, 999)):
        with pytest.raises(ValueError, match="needs a simulation that kept it"):
            write_timeline(tmp_path, simulation, limit)


GEMM = ("simulate", "--gemm", "300,64,64", "--bits", "8,4", "-q")


def test_the_command_writes_it_beside_the_result_and_names_the_engine(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert main([*GEMM, "-o", "fast"]) == 0
    assert main([*GEMM, "-o", "event", "--engine", "event", "--timeline", "--timeline-limit", "1000"]) == 0
    assert not (tmp_path / "fast" / FILE_NAME).exists()
    assert json.loads((tmp_path / "event" / FILE_NAME).read_text(encoding="utf-8"))["metadata"]["engine"] == "event"
    runs = [json.loads((tmp_path / name / "run.json").read_text(encoding="utf-8")) for name in ("fast", "event")]
    assert [run.pop("engine") for run in runs] == ["fast", "event"]
    assert runs[0] == runs[1]


def test_of_a_bundle_the_first_image_is_shown(toy, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    random_bundle(toy, 112, 112, 500, 0, tmp_path / "bundle")
    assert main(["simulate", "bundle", "-q", "-o", "run", "--timeline", "--engine", "event"]) == 0
    content = json.loads((tmp_path / "run" / FILE_NAME).read_text(encoding="utf-8"))
    simulation = simulate(read_bundle(tmp_path / "bundle").workload(0), PACKED, timeline=True)
    assert problems(content, simulation) == []
    assert content["metadata"]["engine"] == "event"


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--timeline",), "there is no --out"),
        (("--timeline-limit", "5000"), "belongs to --timeline"),
        (("-o", "run", "--timeline", "--timeline-limit", "10"), "--timeline-limit"),
        (("--engine", "slow"), "slow"),
    ],
)
def test_the_command_refuses(options, message, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert main([*GEMM, *options]) == 2
    assert message in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


def test_scalesims_rule_runs_no_engine(tmp_path, capsys):
    files = ["--topology", str(tmp_path / "t.csv"), "--scalesim-config", str(tmp_path / "c.cfg")]
    assert main(["simulate", *files, "--engine", "event"]) == 2
    assert "no engine runs" in capsys.readouterr().err
