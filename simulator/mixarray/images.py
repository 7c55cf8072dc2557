"""Simulating a bundle: equal images once, and what a run of it is compared with."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from mixarray.accelerator.enums import ZeroGating
from mixarray.accelerator.model import Accelerator
from mixarray.cost.zeros import image_codes, require_codes
from mixarray.engine.choice import Engine
from mixarray.simulation import Simulation, simulate, with_codes
from mixarray.trace.baseline import has_layer_bits, ratio_zero_workload, uniform_workload
from mixarray.trace.bundle import Bundle
from mixarray.trace.workload import Workload

Simulated = Sequence[tuple[Simulation, int]]
"""Distinct simulations, each with the number of images it stands for."""
RATIO_ZERO = "ratio 0: same model, same accelerator, every window at the high bits"
"""The default baseline, in the words of a result."""


def simulate_images(
    bundle: Bundle, accelerator: Accelerator, image: int | None = None, engine: Engine = Engine.FAST
) -> Simulated:
    """Simulate every image of the bundle (or only `image`), images with equal group sizes once.

    Raises InputError where the bundle has no such image, or the accelerator cannot run the bits.
    """
    distinct = bundle.distinct_workloads() if image is None else [(bundle.workload(image), (image,))]
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
    """(activation bits, weight bits) of the high branch: of ratio 0, where no layer has bits of its own."""
    return bundle.manifest.activation_bits_high, bundle.manifest.weight_bits


def is_ratio_zero(bundle: Bundle, bits: tuple[int, int] | None) -> bool:
    """Whether a uniform precision, (activation bits, weight bits), is the default baseline of this bundle."""
    return bits == high_bits(bundle) and not has_layer_bits(bundle)


def simulate_ratio_zero(bundle: Bundle, accelerator: Accelerator, engine: Engine = Engine.FAST) -> Simulated:
    """Simulate what RATIO_ZERO says: the default baseline of a run of this bundle on this accelerator."""
    return [(simulate(ratio_zero_workload(bundle), ungated(accelerator), timeline=True, engine=engine), 1)]
