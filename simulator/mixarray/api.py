"""`mixarray.simulate`: `mixarray simulate` from Python, with the same numbers."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Literal

from mixarray.accelerator.load import changed_accelerator, load_accelerator
from mixarray.accelerator.model import Accelerator
from mixarray.engine.choice import Engine
from mixarray.errors import InputError
from mixarray.images import RATIO_ZERO, Simulated, simulate_images, simulate_ratio_zero, simulate_uniform
from mixarray.result.run import Speedup, TraceUse, run_result, speedup_over, work_of
from mixarray.run import Run
from mixarray.simulation import simulate as simulate_workload
from mixarray.trace.bundle import Bundle, read_bundle
from mixarray.trace.gemms import Gemm, gemms_sha256, gemms_workload
from mixarray.trace.model import OperatorKind
from mixarray.trace.precision import parse_precision

WHERE = "simulate"
"""What errors name; their field is the argument."""
NOTHING: Mapping[str, object] = MappingProxyType({})


def simulate(
    trace: Bundle | Path | str | Gemm | Iterable[Gemm],
    accelerator: Accelerator | Path | str,
    *,
    overrides: Mapping[str, object] = NOTHING,
    uniform: str | None = None,
    image: int | None = None,
    baseline: Run | None = None,
    engine: Engine | Literal["fast", "event"] = Engine.FAST,
) -> Run:
    """Simulate a trace on an accelerator.

    trace: a bundle or its directory, a GEMM, or several, one after the other. accelerator: the name of a shipped one, a
    YAML file, or one in memory, changed by `overrides`: `{"arrays.0.rows": 64}`. uniform: every window at one
    precision, such as "W4A4". image: only this one of the bundle. baseline: what the speedup is over; None: ratio 0 of
    the bundle, and for GEMMs no speedup. Raises InputError naming the argument, file or field that is wrong.
    """
    chosen = _engine(engine)
    machine = _machine(accelerator, overrides)
    settings = "".join(f", {path}={value}" for path, value in overrides.items())
    if isinstance(trace, Bundle | Path | str):
        bundle = trace if isinstance(trace, Bundle) else _bundle(Path(trace))
        return _run_bundle(bundle, machine, settings, uniform, image, baseline, chosen)
    for argument, value in (("uniform", uniform), ("image", image)):
        if value is not None:
            raise InputError(WHERE, "is for a bundle; a GEMM has bits of its own", argument)
    return _run_gemms(_gemms(trace), machine, settings, baseline, chosen)


def _run_bundle(
    bundle: Bundle,
    machine: Accelerator,
    settings: str,
    uniform: str | None,
    image: int | None,
    baseline: Run | None,
    engine: Engine,
) -> Run:
    if image is not None and (not isinstance(image, int) or isinstance(image, bool)):
        raise InputError(WHERE, f"{image!r} is no number of an image; allowed: integers from 0", "image")
    if uniform is not None and image is not None:
        raise InputError(WHERE, "has no meaning with uniform: all images are the same work", "image")
    bits = None if uniform is None else parse_precision(uniform, WHERE, "uniform")
    if bits is None:
        simulated = simulate_images(bundle, machine, image, engine)
    else:
        simulated = simulate_uniform(bundle, machine, bits, engine)
    if baseline is None:
        zero = simulate_ratio_zero(bundle, machine, engine)
        speedup = speedup_over(work_of(simulated), work_of(zero), RATIO_ZERO)
    else:
        speedup = _over(simulated, baseline)
    what = "" if uniform is None else f" at {uniform.upper()}"
    which = "" if image is None else f", image {image}"
    result = run_result(
        simulated,
        source=bundle.path.name,
        trace_sha256=bundle.sha256,
        seed=bundle.manifest.seed,
        speedup=speedup,
        trace=TraceUse(path=bundle.path.as_posix(), uniform=bits, image=image),
    )
    return Run(f"{result.source}{what}{which} on {machine.name}{settings}", result, machine, simulated)


def _run_gemms(gemms: list[Gemm], machine: Accelerator, settings: str, baseline: Run | None, engine: Engine) -> Run:
    alone = len(gemms) == 1
    source = gemms[0].text if alone else f"{len(gemms)} GEMMs"
    simulated = [(simulate_workload(gemms_workload(source, gemms), machine, timeline=True, engine=engine), 1)]
    speedup = None if baseline is None else _over(simulated, baseline)
    digest = None if alone else gemms_sha256(gemms)
    result = run_result(simulated, source=source, trace_sha256=digest, seed=None, speedup=speedup)
    return Run(f"{source} on {machine.name}{settings}", result, machine, simulated)


def _over(simulated: Simulated, baseline: Run) -> Speedup:
    """The speedup over another run; InputError unless both compute the same GEMMs at the same clock."""
    if not isinstance(baseline, Run):
        raise InputError(WHERE, f"is a {type(baseline).__name__}; allowed: what mixarray.simulate gave", "baseline")
    clocks = simulated[0][0].accelerator.clock_mhz, baseline.accelerator.clock_mhz
    if clocks[0] != clocks[1]:
        message = f"ran at {clocks[1]} MHz and this at {clocks[0]}: a speedup is in cycles; compare latency_ms"
        raise InputError(WHERE, message, "baseline")
    if _shapes(simulated) != _shapes(baseline.simulated):
        raise InputError(WHERE, f"({baseline.name}) computes other GEMMs than this", "baseline")
    return speedup_over(work_of(simulated), work_of(baseline.simulated), baseline.name)


def _shapes(simulated: Simulated) -> list[tuple[int, int, int, int]]:
    operators = [grouped.operator for grouped in simulated[0][0].workload.operators]
    return [(op.batch, op.m, op.n, op.k) for op in operators if op.kind is OperatorKind.GEMM]


def _engine(engine: str) -> Engine:
    if engine not in tuple(Engine):
        allowed = ", ".join(known.value for known in Engine)
        raise InputError(WHERE, f"{engine!r} is not possible; allowed: {allowed}", "engine")
    return Engine(engine)


def _machine(accelerator: Accelerator | Path | str, overrides: Mapping[str, object]) -> Accelerator:
    if not isinstance(overrides, Mapping) or not all(isinstance(path, str) for path in overrides):
        message = 'is no mapping of paths to values; allowed: such as {"arrays.0.rows": 64}'
        raise InputError(WHERE, message, "overrides")
    if isinstance(accelerator, Path | str):
        accelerator = load_accelerator(str(accelerator))
    if not isinstance(accelerator, Accelerator):
        message = f"is a {type(accelerator).__name__}; allowed: a name, a path, an Accelerator"
        raise InputError(WHERE, message, "accelerator")
    return changed_accelerator(accelerator, overrides, "overrides")


def _bundle(path: Path) -> Bundle:
    if path.is_file():
        hint = "a SCALE-Sim topology is read with mixarray.read_gemms(path, activation_bits, weight_bits)"
        raise InputError(str(path), f"is a file, and a bundle is a directory; {hint}")
    return read_bundle(path)


def _gemms(trace: Gemm | Iterable[Gemm]) -> list[Gemm]:
    allowed = "allowed: a bundle or its directory, a mixarray.Gemm, or several"
    if isinstance(trace, Gemm):
        return [trace]
    if not isinstance(trace, Iterable):
        raise InputError(WHERE, f"is a {type(trace).__name__}; {allowed}", "trace")
    gemms = list(trace)
    wrong = next((one for one in gemms if not isinstance(one, Gemm)), None)
    if wrong is not None:
        raise InputError(WHERE, f"holds a {type(wrong).__name__}; {allowed}", "trace")
    if not gemms:
        raise InputError(WHERE, f"holds nothing; {allowed}", "trace")
    return gemms
