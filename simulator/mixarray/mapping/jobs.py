"""Jobs of an array and of the units that arrays share: what each step does, and what it costs (`tasks`).

Jobs of an array carry the dependencies of their fold (load and stream, or stream and drain, following each other in
the Schedule) and of the array's registers; whatever else binds them is added where they are put in order.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace

from mixarray.accelerator.model import Accelerator, Array
from mixarray.mapping.chain_plan import VectorWork
from mixarray.mapping.own_work import FreeJobs
from mixarray.mapping.schedule import Dependency, Job, JobKind, Products
from mixarray.mapping.tasks import (
    ACCUMULATOR,
    ACTIVATION,
    FREE,
    WEIGHT,
    ArrayLoad,
    Drain,
    Load,
    OutputStream,
    Price,
    Store,
    Stream,
    Switch,
    Task,
    VectorPart,
    active_pe_cycles,
)
from mixarray.mapping.tiles import Run, Runs
from mixarray.mapping.units import DRAM, VECTOR, ArrayUnits, array_units, load_waits, loaded, output_waits, summed
from mixarray.mapping.vector_cost import vector_kind

NOWHERE = 0
"""In place of the number of an operator, where it does not matter."""


@dataclass(frozen=True, slots=True)
class Shop:
    """Makes jobs for array number `array` of one accelerator, and for the units that arrays share.

    free: those that take no time and no energy. ask: says what a task costs (None: its price on this accelerator).
    made: moves and vector jobs, each made once: most differ in nothing. works: vector operators, wherever they stand.
    Works are told apart by their objects, which a shop must not outlive.
    """

    accelerator: Accelerator
    array: int = 0
    free: FreeJobs = frozenset()
    ask: Callable[[Task], Price] | None = None
    made: dict[tuple[object, ...], Job] = field(default_factory=dict, compare=False, repr=False)
    works: dict[int, VectorWork] = field(default_factory=dict, compare=False, repr=False)

    @property
    def model(self) -> Array:
        """The array."""
        return self.accelerator.arrays[self.array]

    @property
    def units(self) -> ArrayUnits:
        """Its units."""
        return array_units(self.array)

    def dram_load(self, kind: JobKind, operator: int, bits: int, before: int = 0) -> Job:
        """`bits` from DRAM into the weight or the activation buffer, behind `before` bits of the same transfer."""
        key = kind, operator, bits, before
        if key not in self.made:
            weight = kind in (JobKind.DRAM_LOAD_WEIGHT, JobKind.DRAM_LOAD_PARAMETER)
            self.made[key] = self._job(DRAM, kind, operator, Load(WEIGHT if weight else ACTIVATION, bits, before))
        return self.made[key]

    def dram_store(self, kind: JobKind, operator: int, bits: int) -> Job:
        """`bits` from the activation buffer to DRAM."""
        key = kind, operator, bits
        if key not in self.made:
            self.made[key] = self._job(DRAM, kind, operator, Store(ACTIVATION, bits))
        return self.made[key]

    def partial_store(self, operator: int, bits: int) -> Job:
        """Sums that are not complete, from the accumulator buffer to DRAM."""
        return self._job(DRAM, JobKind.DRAM_STORE_PARTIAL, operator, Store(ACCUMULATOR, bits))

    def partial_load(self, operator: int, bits: int) -> Job:
        """Sums that are not complete, from DRAM back into the accumulator buffer."""
        return self._job(DRAM, JobKind.DRAM_LOAD_PARTIAL, operator, Load(ACCUMULATOR, bits))

    def vector(self, work: VectorWork, elements: int) -> Job:
        """A part of a vector operator: so many elements of it, or scores to sort."""
        key = id(work), elements
        if key not in self.made:
            if id(work) not in self.works:
                self.works[id(work)] = replace(work, operator=NOWHERE, makers=(), elements=())
            task = VectorPart(self.works[id(work)], elements)
            self.made[key] = self._job(VECTOR, vector_kind(self.accelerator, work), work.operator, task)
        return self.made[key]

    def _job(
        self,
        unit: int,
        kind: JobKind,
        operator: int,
        task: Task,
        dependencies: tuple[Dependency, ...] = (),
        group: int = -1,
        products: tuple[Products, ...] = (),
        useful_pe_cycles: int = 0,
    ) -> Job:
        """A job with its price; where it is free its place and its waits are left."""
        price = FREE if (operator, kind) in self.free else self._price(task)
        macs = sum(product.macs for product in products)
        lengths = price.occupancy_cycles, price.latency_cycles
        return Job(unit, kind, *lengths, dependencies, operator, group, macs, useful_pe_cycles, price.actions, products)

    def _price(self, task: Task) -> Price:
        return task.price(self.accelerator) if self.ask is None else self.ask(task)

    def switch(self, stream: Job) -> Job:
        """The pause before the rows that `stream` brings."""
        return self._job(stream.unit, JobKind.MODE_SWITCH, stream.operator, Switch(), group=stream.group)

    def array_load(self, operator: int, group: int, depth: int, tile_bits: int, place: str) -> Job:
        """One fold's stationary tile, `depth` values of K, `tile_bits` in all, from buffer `place` into the array."""
        waits = (load_waits(self.units)[self.model.weight_loading],)
        task = ArrayLoad(self.array, depth, tile_bits, place)
        return self._job(self.units.port, JobKind.ARRAY_LOAD, operator, task, waits, group)

    def stream(
        self,
        operator: int,
        runs: Runs,
        size: tuple[int, int],
        first_fold: bool,
        products: tuple[Products, ...],
        place: str = ACTIVATION,
    ) -> Job:
        """The rows of `runs`, read from buffer `place`, through a fold of `size` (depth, width).

        The first fold of a column writes its sums, the others add to them.
        """
        group = runs[0].group if len(runs) == 1 else -1
        useful = sum(active_pe_cycles(run, size, self.model.rows) for run in runs)
        task = Stream(self.array, runs, size, first_fold, place)
        waits = (loaded(self.units),)
        return self._job(self.units.array, JobKind.STREAM, operator, task, waits, group, products, useful)

    def output_stream(self, operator: int, run: Run, size: tuple[int, int], place: str = WEIGHT) -> Job:
        """`size` (depth, width): steps of K, and columns of the other operand (in `place`), for sums of the run's rows.

        A fold whose weights arrive in parts has several, one behind the other.
        """
        products, waits = products_of((run,), size), (output_waits(self.units)[self.model.weight_loading],)
        task, useful = OutputStream(self.array, run, size, place), sum(product.macs for product in products)
        return self._job(self.units.array, JobKind.STREAM, operator, task, waits, run.group, products, useful)

    def drain(self, operator: int, group: int, size: tuple[int, int], adds: bool = False) -> Job:
        """The sums of a fold of `size` (height, width) out of the array, right behind its last step.

        adds: they are added to those of earlier values of K.
        """
        task = Drain(self.array, size, adds)
        return self._job(self.units.results, JobKind.DRAIN, operator, task, (summed(self.units),), group)


def products_of(rows: Runs, size: tuple[int, int]) -> tuple[Products, ...]:
    """What the rows of a GEMM multiply in a fold over `size` (depth, columns of N)."""
    depth, width = size
    found = []
    for run in rows:
        mode = run.mode
        assert mode is not None  # vector work never comes here
        found.append(
            Products(
                row_bits=run.stream_bits,
                other_bits=run.stationary_bits,
                mode_bits=(mode.stream_bits, mode.stationary_bits),
                per_pe_cycle=(mode.lanes, mode.slots_per_value),
                macs=run.rows * depth * width,
            )
        )
    return tuple(found)
