"""What a slice of the Perfetto file says of its job, or of all of its jobs where several share it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from mixarray.mapping.schedule import Job
from mixarray.trace.model import RowsPer, Variation
from mixarray.trace.workload import Workload

Details = dict[str, object]


@dataclass(frozen=True)
class Describer:
    """Describes jobs of one workload. Nothing is made up: what a job does not have is absent."""

    workload: Workload
    stored: Sequence[Job]

    def title(self, job: Job) -> str:
        """Operator and kind of a job."""
        return f"{self._operator(job)}: {job.kind}" if job.operator >= 0 else job.kind.value

    def of_job(self, job: Job) -> Details:
        """The arguments of a slice that is one job."""
        by_mode = _macs_by_mode([(job, 1)])
        return {
            "latency_cycles": job.latency_cycles,
            **(self._group(job) if self._has_group(job) else {}),
            **_macs(job.macs, by_mode, len(by_mode) > 1),
        }

    def of_jobs(self, times: Mapping[int, int], duration_cycles: int, latency_cycles: int, alike: bool) -> Details:
        """The arguments of a slice of several jobs, with every sum.

        times: how often it has each stored job. latency_cycles: from its end to the last result. alike: all jobs are of
        one operator and kind.
        """
        jobs = [(self.stored[number], count) for number, count in times.items()]
        busy = sum(job.occupancy_cycles * count for job, count in jobs)
        return {
            "latency_cycles": latency_cycles,
            "jobs": sum(times.values()),
            "busy_cycles": busy,
            **({"busy_thousandths": 1000 * busy // duration_cycles} if duration_cycles else {}),
            **_macs(sum(job.macs * count for job, count in jobs), _macs_by_mode(jobs), True),
            **(self._groups(jobs) if alike else self._operators(jobs)),
        }

    def _operator(self, job: Job) -> str:
        return self.workload.operators[job.operator].operator.name

    def _has_group(self, job: Job) -> bool:
        return job.operator >= 0 and job.group >= 0

    def _group(self, job: Job) -> dict[str, int]:
        """A job's group, its activation bits and its windows."""
        windows = self._windows.get((job.operator, job.group))
        return {
            "group": job.group,
            "group_bits": self.workload.operators[job.operator].groups[job.group].bits,
            **({} if windows is None else {"group_windows": windows}),
        }

    def _groups(self, jobs: Iterable[tuple[Job, int]]) -> Details:
        """Every group of one operator that its jobs belong to."""
        found = {job.group: self._group(job) for job, _ in jobs if self._has_group(job)}
        return {"groups": [found[group] for group in sorted(found)]} if found else {}

    def _operators(self, jobs: Sequence[tuple[Job, int]]) -> Details:
        """Of jobs that differ: the busy cycles of each kind, and every operator with its groups."""
        busy: Counter[str] = Counter()
        of_operator: dict[int, list[tuple[Job, int]]] = {}
        for job, count in jobs:
            busy[job.kind.value] += job.occupancy_cycles * count
            if job.operator >= 0:
                of_operator.setdefault(job.operator, []).append((job, count))
        operators = {self._operator(some[0][0]): self._groups(some).get("groups", []) for some in of_operator.values()}
        return {"busy_cycles_by_kind": dict(busy), **({"groups_by_operator": operators} if operators else {})}

    @cached_property
    def _windows(self) -> dict[tuple[int, int], int]:
        """(operator, group) -> windows: of operators on whole windows, and of their block's others of equal bits."""
        of_block: dict[tuple[int, int, int], int] = {}
        for grouped in self.workload.operators:
            op = grouped.operator
            if op.variation is Variation.ROW and op.rows_per is RowsPer.WINDOW:
                for group in grouped.groups:
                    of_block[op.stage, op.block, group.bits] = group.rows // self.workload.window_rows
        found: dict[tuple[int, int], int] = {}
        for number, grouped in enumerate(self.workload.operators):
            for index, group in enumerate(grouped.groups):
                key = grouped.operator.stage, grouped.operator.block, group.bits
                if key in of_block:
                    found[number, index] = of_block[key]
        return found


def _macs_by_mode(jobs: Iterable[tuple[Job, int]]) -> dict[str, int]:
    """Multiply-accumulates by the mode that runs them, streaming x stationary bits such as `8x4`."""
    found: Counter[str] = Counter()
    for job, count in jobs:
        for products in job.products:
            stream, stationary = products.mode_bits
            found[f"{stream}x{stationary}"] += products.macs * count
    return dict(found)


def _macs(macs: int, by_mode: Mapping[str, int], divided: bool) -> Details:
    """Multiply-accumulates and the modes that run them; `divided`: by mode too."""
    return {
        **({"macs": macs} if macs else {}),
        **({"bits": ", ".join(by_mode)} if by_mode else {}),
        **({"macs_by_mode": dict(by_mode)} if by_mode and divided else {}),
    }
