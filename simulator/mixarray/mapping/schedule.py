"""The Schedule: a max-plus system of jobs, the contract between mapping and the engines (design 5).

Every unit serves its jobs in the order of the Schedule; nothing is decided at run time. A job starts at the maximum
of the time its unit becomes free (the previous job's start plus its occupancy) and the times its dependencies name.
Hence one well-defined answer, and shortening a job can never lengthen the run.

Memory grows with distinct segments, not with windows: a segment is a body of jobs with a repeat count, whose first
and last iteration may have variants of the same jobs.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import IntEnum, StrEnum

from mixarray.mapping.schedule_tables import Tables


class Event(IntEnum):
    """The moment of a job that a dependency waits for: start, start + occupancy, start + occupancy + latency."""

    STARTED = 0
    ISSUED = 1
    READY = 2


class JobKind(StrEnum):
    """What a job does; with its unit, the grain of latency attribution."""

    DRAM_LOAD_WEIGHT = "dram_load_weight"
    DRAM_LOAD_ACTIVATION = "dram_load_activation"
    DRAM_LOAD_PARTIAL = "dram_load_partial"
    DRAM_LOAD_PARAMETER = "dram_load_parameter"
    DRAM_STORE = "dram_store"
    DRAM_STORE_COPY = "dram_store_copy"
    DRAM_STORE_PARTIAL = "dram_store_partial"
    ARRAY_LOAD = "array_load"
    STREAM = "stream"
    DRAIN = "drain"
    MODE_SWITCH = "mode_switch"
    TRANSPOSE = "transpose"
    SOFTMAX = "softmax"
    LAYERNORM = "layernorm"
    GELU = "gelu"
    RESIDUAL = "residual"
    REQUANTIZE = "requantize"
    ROW_SUM = "row_sum"
    COLUMN_SUM = "column_sum"
    TOKEN_MAP = "token_map"
    RANK = "rank"
    SORT = "sort"
    GATHER = "gather"
    SCATTER = "scatter"
    PATCH_EMBED = "patch_embed"
    PATCH_MERGE = "patch_merge"
    UPSAMPLE_ADD = "upsample_add"


@dataclass(frozen=True, slots=True)
class Back:
    """Wait for job `slot` of this segment, `iterations` before this one (0 = the same iteration).

    Void where that iteration does not exist (before the first).
    """

    slot: int
    iterations: int
    event: Event


@dataclass(frozen=True, slots=True)
class Recent:
    """Wait for the `count`-th most recent job (1 = the latest) of this unit and kind that stands before this job in
    Schedule order, across segments. Void where there are fewer. This is how buffer slots bind: a load that reuses
    one of s slots waits for the s-th most recent job that frees one.
    """

    unit: int
    kind: JobKind
    count: int
    event: Event


@dataclass(frozen=True, slots=True)
class Final:
    """Wait for job `slot` in the last iteration of an earlier segment: how operators follow one another."""

    segment: int
    slot: int
    event: Event


Dependency = Back | Recent | Final


@dataclass(frozen=True, slots=True)
class Action:
    """Something that costs energy: a component of the accelerator (its config path) and what it does."""

    component: str
    name: str


def dram_bits(actions: Iterable[tuple[Action, int]], *names: str) -> int:
    """Bits that all DRAM channels moved under these names (`read_bits`, `write_bits`); without names in both ways."""
    channels = ((action.name, count) for action, count in actions if action.component.startswith("dram_channels."))
    return sum(count for name, count in channels if not names or name in names)


@dataclass(frozen=True, slots=True)
class Products:
    """Multiplications of one kind in a job: `macs` of `row_bits` (the GEMM's rows) by `other_bits`.

    Published BOPs count the former alone. mode_bits: (streaming, stationary) bits of the mode that runs them.
    per_pe_cycle: products that a PE finishes per cycle in it at best, as a fraction.
    """

    row_bits: int
    other_bits: int
    mode_bits: tuple[int, int]
    per_pe_cycle: tuple[int, int]
    macs: int


@dataclass(frozen=True, slots=True)
class Job:
    """One step on one unit. The unit is free after the occupancy; the result exists after occupancy plus latency.

    `operator` indexes the workload's operators, `group` that operator's groups (-1: none or several of them).
    `actions` are the counts that the cost model multiplies; `useful_pe_cycles` are PE-cycles doing a useful MAC pass;
    `products` say what was multiplied in them (their MACs sum to `macs`).
    """

    unit: int
    kind: JobKind
    occupancy_cycles: int
    latency_cycles: int
    dependencies: tuple[Dependency, ...] = ()
    operator: int = -1
    group: int = -1
    macs: int = 0
    useful_pe_cycles: int = 0
    actions: tuple[tuple[Action, int], ...] = ()
    products: tuple[Products, ...] = ()

    def waiting_for(self, dependencies: tuple[Dependency, ...]) -> Job:
        """The job with other dependencies (written out: most jobs of a Schedule are made here)."""
        return Job(
            self.unit,
            self.kind,
            self.occupancy_cycles,
            self.latency_cycles,
            dependencies,
            self.operator,
            self.group,
            self.macs,
            self.useful_pe_cycles,
            self.actions,
            self.products,
        )


@dataclass(frozen=True, slots=True)
class Segment:
    """`repeat` iterations of `body`; `first` and `last` replace the body in those iterations where given.

    Variants have the same number of jobs on the same units and kinds, slot by slot; durations, dependencies and
    actions may differ. With repeat 1 the first variant wins.
    """

    body: tuple[Job, ...]
    repeat: int = 1
    first: tuple[Job, ...] | None = None
    last: tuple[Job, ...] | None = None

    def jobs(self, iteration: int) -> tuple[Job, ...]:
        """The jobs of iteration 0 .. repeat-1."""
        if iteration == 0 and self.first is not None:
            return self.first
        if iteration == self.repeat - 1 and self.last is not None:
            return self.last
        return self.body


@dataclass(frozen=True, slots=True)
class Schedule:
    """Units by name, and the segments in order.

    tables: the same as integers, where they were written down too (`tabulate.with_tables`). They add nothing: Schedules
    are equal with and without them, and one that is made from another has none.
    """

    units: tuple[str, ...]
    segments: tuple[Segment, ...]
    tables: Tables | None = field(default=None, init=False, compare=False, repr=False)

    @property
    def stored_jobs(self) -> int:
        """Jobs held in memory (distinct ones)."""
        return sum(
            len(segment.body) * (1 + (segment.first is not None) + (segment.last is not None))
            for segment in self.segments
        )

    @property
    def total_jobs(self) -> int:
        """Jobs that run."""
        return sum(len(segment.body) * segment.repeat for segment in self.segments)
