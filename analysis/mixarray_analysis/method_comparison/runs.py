"""Every command behind the page, in the order in which they can run; places and numbers as in `reproduction.runs`.

Bits first, then models, then their accuracy and their costs, precision by precision: what is there when it is stopped
makes whole tables.
"""

from __future__ import annotations

from collections.abc import Iterator

from mixarray_analysis.method_comparison.subjects import (
    AVERAGE_BITS,
    INPUT_PX,
    MACHINES,
    MARKS,
    METHODS,
    PRECISIONS,
    SHAPE,
    UNIFORM,
    Marks,
    Method,
    Precision,
    allocated_methods,
    allocation_name,
    model_name,
    shape_name,
)
from mixarray_analysis.reproduction.runs import Run

MODULE = "mixarray_analysis.method_comparison"


def every_run() -> tuple[Run, ...]:
    """All of them; a run stands behind those that it needs."""
    return (*_allocations(), *_models(), *_shapes())


def _allocations() -> Iterator[Run]:
    for method in allocated_methods():
        name = allocation_name(method)
        out = f"{{work}}/{name}"
        words = "allocate", "--objective", "bits", "--average-bits", str(AVERAGE_BITS), "--method", method, "-o", out
        keeps = tuple((f"{out}/{file}", f"results/{name}/{file}") for file in ("allocation.json", "report.txt"))
        yield Run(name, words, f"{out}/allocate.json", keeps)


def _models() -> Iterator[Run]:
    for precision in PRECISIONS:
        for method in METHODS:
            name = model_name(method, precision)
            yield _quantize(name, method, precision)
            out = f"{{results}}/{name}/accuracy"
            files = "--resamples", f"{out}.resamples.csv", "-o", f"{out}.csv"
            words = "evaluate", "--model", f"{{work}}/{name}", "--ratios", "0", "--n", "{n}", *files
            yield Run(f"{name}/accuracy", words, f"{out}.csv", needs=(name,), n=True)
            wanted = "record", "--model", f"{{work}}/{name}", "--ratio", "0"
            yield from _costs(name, wanted, (name,))


def _quantize(name: str, method: Method, precision: Precision) -> Run:
    """`--force`: a model without its times was stopped behind its last step."""
    words = "quantize", "--method", method.method, *method.options, *_bits(precision), *_allocation(method, precision)
    made, needs = f"{{work}}/seconds/{name}.json", (allocation_name(method.allocated_as),) if precision.mixed else ()
    keeps = ((made, f"results/{name}/quantized.json"),)
    return Run(name, (*words, "--force", "-o", f"{{work}}/{name}"), made, keeps, needs=needs)


def _bits(precision: Precision) -> tuple[str, ...]:
    pairs = ("weight", precision.weight_bits), ("high", precision.high_bits), ("low", precision.low_bits)
    return tuple(word for name, bits in pairs for word in (f"--{name}-bits", str(bits)))


def _allocation(method: Method, precision: Precision) -> tuple[str, ...]:
    if not precision.mixed:
        return ()
    return "--allocation", f"{{work}}/{allocation_name(method.allocated_as)}/allocation.json"


def _shapes() -> Iterator[Run]:
    """Marks at every precision; the mixed one as found for the shipped model, for traces without a side path."""
    transferred = "swin_t_allocation"
    source = f"{{work}}/{allocation_name(UNIFORM.name)}/allocation.json"
    out = f"{{results}}/{SHAPE}/allocation.json"
    words = "transfer", source, "--shape", SHAPE, "-o", out
    yield Run(transferred, words, out, needs=(allocation_name(UNIFORM.name),), module=MODULE)
    for precision in PRECISIONS:
        for marks in MARKS:
            if precision.mixed and marks.rank:
                continue
            name = shape_name(marks, precision)
            yield from _costs(name, _shape_words(marks, precision, out), (transferred,) if precision.mixed else ())


def _shape_words(marks: Marks, precision: Precision, allocation: str) -> tuple[str, ...]:
    size = f"{INPUT_PX}x{INPUT_PX}"
    words = "record", "--model", SHAPE, "--input", size, "--weights", "random", "--score", "random", "--ratio", "0"
    bits = "--weight-bits", str(precision.weight_bits), "--bits", f"{precision.high_bits},{precision.low_bits}"
    rank = ("--rank", str(marks.rank)) if marks.rank else ()
    return (*words, "--method", marks.method, *rank, *bits, *(("--allocation", allocation) if precision.mixed else ()))


def _costs(name: str, recording: tuple[str, ...], needs: tuple[str, ...]) -> Iterator[Run]:
    """The trace of all windows high, and its cost on every accelerator."""
    bundle, out = f"{{work}}/bundles/{name}", f"{{results}}/{name}/costs.csv"
    yield Run(f"{name}/trace", (*recording, "-o", bundle), f"{bundle}/manifest.json", needs=needs)
    words = "cost", bundle, "-a", ",".join(MACHINES), "-o", out
    yield Run(f"{name}/costs", words, out, needs=(f"{name}/trace",), module=MODULE)
