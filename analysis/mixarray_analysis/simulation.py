"""Simulating a bundle: equal images once, means per image, and the counters that sentences are built from."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

from mixarray.accelerator.enums import ZeroGating
from mixarray.accelerator.model import Accelerator
from mixarray.cost.zeros import image_codes, require_codes
from mixarray.engine.choice import Engine
from mixarray.errors import InputError
from mixarray.mapping.schedule import JobKind, dram_bits
from mixarray.simulate import Simulation, simulate, with_codes
from mixarray.trace.baseline import uniform_workload
from mixarray.trace.bops import bops
from mixarray.trace.bundle import Bundle
from mixarray.trace.model import OperatorKind
from mixarray.trace.workload import Workload
from mixarray_analysis.speedup import Counters, UnitKind

Simulated = Sequence[tuple[Simulation, int]]
"""Distinct simulations, each with the number of images it stands for."""
ARRAY_WORK = (JobKind.STREAM, JobKind.ARRAY_LOAD, JobKind.DRAIN)


def simulate_images(
    bundle: Bundle, accelerator: Accelerator, image: int | None = None, engine: Engine = Engine.FAST
) -> Simulated:
    """Simulate every image of the bundle (or only `image`), images with equal group sizes once.

    Raises InputError where the bundle has no such image, or the accelerator cannot run the bits.
    """
    if image is None:
        distinct = bundle.distinct_workloads()
    elif 0 <= image < len(bundle.images):
        distinct = [(bundle.workload(image), (image,))]
    else:
        raise InputError("--image", f"{image} is not in the bundle; it has images 0 to {len(bundle.images) - 1}")
    if accelerator.zero_gating is ZeroGating.OPERAND:
        require_codes(bundle, (image for _, images in distinct for image in images))
        return [
            (run, 1)
            for workload, images in distinct
            for run in _by_image(bundle, workload, images, accelerator, engine)
        ]
    return [
        (simulate(workload, accelerator, timeline=True, engine=engine), len(images)) for workload, images in distinct
    ]


def _by_image(
    bundle: Bundle, workload: Workload, images: Sequence[int], accelerator: Accelerator, engine: Engine
) -> Iterator[Simulation]:
    """Images of equal group sizes take equal cycles, but each has its own codes and so its own energy."""
    first = simulate(workload, accelerator, timeline=True, codes=image_codes(bundle, images[0]), engine=engine)
    yield first
    for image in images[1:]:
        yield with_codes(first, image_codes(bundle, image))


def simulate_uniform(
    bundle: Bundle, accelerator: Accelerator, bits: tuple[int, int], engine: Engine = Engine.FAST
) -> Simulated:
    """Simulate the bundle's model with every window at one precision; `bits` are (activation bits, weight bits)."""
    return [(simulate(uniform_workload(bundle, bits[0], bits[1]), accelerator, timeline=True, engine=engine), 1)]


def ungated(accelerator: Accelerator) -> Accelerator:
    """The accelerator without zero gating, which changes no cycle: for a baseline, whose codes nobody recorded."""
    return accelerator.model_copy(update={"zero_gating": ZeroGating.NONE})


def high_bits(bundle: Bundle) -> tuple[int, int]:
    """(activation bits, weight bits) of ratio 0, the default baseline."""
    return bundle.manifest.activation_bits_high, bundle.manifest.weight_bits


def mean_bops(simulated: Simulated) -> float:
    """Mean bit operations of the blocks per image, as published, counted from the rows that ran."""
    return sum(bops(run.workload) * number for run, number in simulated) / _images(simulated)


def count(simulated: Simulated) -> Counters:
    """Counters per image, means over the images; every simulation must carry its attribution."""
    images = _images(simulated)
    attributed: Counter[UnitKind] = Counter()
    gemms: Counter[str] = Counter()
    moved_bits = total_cycles = 0
    for run, number in simulated:
        if run.attribution is None:
            raise ValueError("the simulation was run without a timeline: nothing is attributed")
        for (unit, kind), cycles in run.attribution.by_unit_and_kind().items():
            attributed[unit, kind.value] += cycles * number
        for name, cycles in _gemm_array_cycles(run).items():
            gemms[name] += cycles * number
        moved_bits += dram_bits(run.execution.actions.items()) * number
        total_cycles += run.execution.total_cycles * number
    return Counters(
        total_cycles=total_cycles / images,
        attributed_cycles={key: cycles / images for key, cycles in attributed.items()},
        gemm_array_cycles={name: cycles / images for name, cycles in gemms.items()},
        dram_bits=moved_bits / images,
    )


def _images(simulated: Simulated) -> int:
    return sum(number for _, number in simulated)


def _gemm_array_cycles(run: Simulation) -> dict[str, int]:
    """Cycles that each GEMM's streams occupy the array, its loads the weight port and its drains the result port."""
    return {
        grouped.operator.name: sum(cycles for (_, kind), cycles in counts.busy_cycles.items() if kind in ARRAY_WORK)
        for grouped, counts in zip(run.workload.operators, run.execution.operators, strict=True)
        if grouped.operator.kind is OperatorKind.GEMM
    }
