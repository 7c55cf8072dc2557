"""Small Swins, random settings of them, and every counter of a point beside those of its direct run."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from dataclasses import astuple, replace

import pytest

from mixarray.accelerator.model import Accelerator
from mixarray.points import Network, PointTotals
from mixarray.simulation import simulate
from mixarray.trace.bops import bops
from mixarray.trace.model import Role, Topology
from mixarray.trace.workload import Assignment, WindowCount, build_workload
from mixarray_traces.quantization.allocation import Allocation, operands_of
from mixarray_traces.record.graph import Precision
from mixarray_traces.record.shape import SwinShape
from mixarray_traces.record.topology import block_grids, build_topology

TOY = SwinShape("toy", channels=(32, 64), depths=(2, 4), heads=(1, 2))
SIZE = 112, 56
PADDED = 90, 62


class Model:
    """A toy Swin at one size; settings are drawn window by window, so all that the format allows occurs."""

    def __init__(self, size: tuple[int, int], allocation: Allocation | None = None) -> None:
        self.topology: Topology = build_topology(TOY, *size, precision=Precision(allocation=allocation))
        self.grids = block_grids(TOY, *size)
        self.rows = TOY.window**2

    def setting(self, bits_of: Callable[[int, int, int], int]) -> Assignment:
        """Windows of (stage, block, window) at these bits."""
        found: dict[tuple[int, int], tuple[WindowCount, ...]] = {}
        for (stage, block), grid in self.grids.items():
            tokens: dict[int, list[int]] = {8: [], 4: [], 0: []}
            for window, held in enumerate(grid.window_tokens()):
                tokens[bits_of(stage, block, window)].append(held)
            found[stage, block] = tuple(WindowCount(b, len(t), sum(t)) for b, t in tokens.items() if t)
        return found

    def drawn(self, seed: int, choices: tuple[int, ...] = (8, 4)) -> Assignment:
        """A random setting; some blocks are uniform."""
        draw = random.Random(seed)
        uniform = {place: draw.choice((0, *choices)) if draw.random() < 0.3 else None for place in self.grids}

        def bits_of(stage: int, block: int, window: int) -> int:
            whole = uniform[stage, block]
            return draw.choice(choices) if whole is None or whole not in choices else whole

        return self.setting(bits_of)

    def uniform(self, bits: int) -> Assignment:
        """Every window at the same bits."""
        return self.setting(lambda *_: bits)

    def without(self, *gone: tuple[int, int]) -> Assignment:
        """No window of some blocks; in others every second one low."""
        return self.setting(lambda stage, block, window: 0 if (stage, block) in gone else 8 - 4 * (window % 2))

    def direct(self, assignment: Assignment, accelerator: Accelerator) -> PointTotals:
        """The totals of a simulation."""
        workload = build_workload("counts only", self.topology, assignment, self.rows)
        run = simulate(workload, accelerator)
        counted, spent = run.execution, run.energy
        return PointTotals(
            counted.total_cycles,
            counted.jobs,
            counted.macs,
            counted.useful_pe_cycles,
            counted.busy_cycles,
            counted.actions,
            spent.total_pj,
            spent.low_pj,
            spent.high_pj,
            bops(workload),
            None,
        )

    def check(self, accelerator: Accelerator, settings: list[Assignment]) -> Mapping[int, PointTotals]:
        """Every setting, put together, equals its direct run; their totals."""
        points = Network(self.topology, self.rows).on(accelerator)
        found = {}
        for number, setting in enumerate(settings):
            totals = found[number] = points.totals(setting)
            assert totals.direct is None
            wanted = self.direct(setting, accelerator)
            assert totals == wanted, differing(totals, wanted)
        return found


def differing(ours: PointTotals, theirs: PointTotals) -> str:
    """What differs."""
    names = PointTotals.__dataclass_fields__
    return ", ".join(n for n, a, b in zip(names, astuple(replace(ours)), astuple(theirs), strict=True) if a != b)


@pytest.fixture(scope="session")
def model() -> Model:
    return Model(SIZE)


@pytest.fixture(scope="session")
def padded() -> Model:
    return Model(PADDED)


@pytest.fixture(scope="session")
def allocated(model: Model) -> Model:
    """Every weight and activation at bits of its own."""
    rng = random.Random(0)
    weights = [t.name.removesuffix(".weight") for t in model.topology.tensors if t.role is Role.WEIGHT]
    given = ({name: rng.randint(2, 8) for name in names} for names in (weights, operands_of(weights)))
    return Model(PADDED, Allocation(*given))
