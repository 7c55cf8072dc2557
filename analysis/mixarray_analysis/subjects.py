"""What is explained: a run that was written, or a bundle on a machine; run again, and held against what was written."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from mixarray.accelerator.load import load_accelerator
from mixarray.accelerator.model import Accelerator
from mixarray.accelerator.write import accelerator_sha256
from mixarray.engine.digest import executions_sha256
from mixarray.errors import InputError
from mixarray.images import Simulated, simulate_images, simulate_ratio_zero, simulate_uniform, ungated
from mixarray.result.read import read_run
from mixarray.trace.bundle import Bundle, read_bundle


@dataclass(frozen=True, slots=True)
class Subject:
    """Something to run again: a bundle on a machine, as recorded or at one precision (activation, weight bits).

    ratio_zero: every window in the high branch instead, the default baseline.
    execution_sha256: what the run counted when it was written; None where it is run for the first time.
    """

    name: str
    bundle: Bundle
    accelerator: Accelerator
    uniform: tuple[int, int] | None = None
    image: int | None = None
    execution_sha256: str | None = None
    ratio_zero: bool = False


def read_subject(directory: Path, moved: Path | None = None, option: str = "--bundle") -> Subject:
    """The run in a directory, ready to be run again; `moved`: its bundle, where that is not at its old place.

    option: how the command line asks for `moved`.
    Raises InputError where the run is none of a bundle, or its trace or machine is gone or has changed.
    """
    result = read_run(directory)
    if result.trace is None:
        raise InputError(str(directory), f"is a run of {result.source}: only runs of a bundle are explained", "trace")
    accelerator = load_accelerator(str(directory / "accelerator.yaml"))
    if accelerator_sha256(accelerator) != result.accelerator_sha256:
        raise InputError(str(directory / "accelerator.yaml"), "is not the machine of this run: it has changed since")
    place = directory / result.trace.path if moved is None else moved
    if not place.is_dir():
        message = f"the trace {result.source!r} of this run is gone from {place}; say where it is with {option}"
        raise InputError(str(directory), message, "trace.path")
    bundle = read_bundle(place)
    if bundle.sha256 != result.trace_sha256:
        raise InputError(str(place), f"is not the trace of the run {directory}: its hash is another", "trace_sha256")
    return Subject(
        str(directory), bundle, accelerator, result.trace.uniform, result.trace.image, result.execution_sha256
    )


def simulate_again(subject: Subject) -> Simulated:
    """Run a subject for its cycles; InputError where its counters are not those that were written."""
    machine = ungated(subject.accelerator)
    if subject.ratio_zero:
        simulated = simulate_ratio_zero(subject.bundle, machine)
    elif subject.uniform is None:
        simulated = simulate_images(subject.bundle, machine, subject.image)
    else:
        simulated = simulate_uniform(subject.bundle, machine, subject.uniform)
    if subject.execution_sha256 not in (None, counters_sha256(simulated)):
        message = "this version of mixarray counts something else for this run; simulate it again"
        raise InputError(subject.name, message, "execution_sha256")
    return simulated


def counters_sha256(simulated: Simulated) -> str:
    """The hash that run.json holds as `execution_sha256`."""
    return executions_sha256((simulation.execution, images) for simulation, images in simulated)


def check_comparable(subject: Subject, against: Subject) -> None:
    """InputError unless both are the same model and input on the same arrays and clock."""
    ours, theirs = subject.accelerator, against.accelerator
    if (ours.arrays, ours.clock_mhz) != (theirs.arrays, theirs.clock_mhz):
        message = f"ran on other arrays ({theirs.name}, not {ours.name}), and a waterfall is of one machine"
        raise InputError(against.name, f"{message}; to see machines side by side, give a bundle and -a A,B")
    shapes = [
        [(op.name, op.kind, op.batch, op.m, op.n, op.k) for op in one.bundle.topology.operators]
        for one in (subject, against)
    ]
    if shapes[0] != shapes[1]:
        raise InputError(against.name, f"is another model or input size than {subject.name}: nothing to compare")
