"""The tables of the page: accuracy beside cost, side work, rounding up, times, and what made the numbers."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from mixarray.digits import percent, significant
from mixarray_analysis.method_comparison.cost import Cost
from mixarray_analysis.method_comparison.results import NOT_YET, Compared, cell, every_model, every_shape
from mixarray_analysis.method_comparison.subjects import (
    MACHINES,
    MARKS,
    METHODS,
    PLAIN,
    PRECISIONS,
    UNIFORM,
    Precision,
    model_name,
    shape_name,
)
from mixarray_analysis.reproduction.cells import interval_text
from mixarray_analysis.reproduction.results import NotMeasuredError
from mixarray_analysis.reproduction.verdict import difference

DIGITS = 4
SHORT = {machine: machine.partition("_")[0] for machine in MACHINES}
"""Names of accelerators in headings of wide tables."""
_ON_MACHINES = tuple(
    f"{SHORT[machine]}: {what}" for machine in MACHINES for what in ("cycles (of W8A8)", "ms", "µJ", "side")
)
_COSTS = ("BOPs of W8A8", *_ON_MACHINES)
COMPARED_HEADINGS = ("method", "AP50 [95 %]", "minus uniform affine [95 %]", "n", *_COSTS)
SHAPE_HEADINGS = ("method", "AP50", *_COSTS)
SIDE_HEADINGS = (
    "method", "bits", "accelerator", "row sums", "column sums", "thin GEMMs", "conditional shifts",
    "cycles over uniform affine's", "energy over uniform affine's",
)  # fmt: skip
ROUNDED_HEADINGS = ("model", "bits", "accelerator", "BOPs", "BOPs at the modes that ran", "cycles", "energy")
TIME_HEADINGS = ("method", *(precision.name for precision in PRECISIONS), "calibration", "seed", "cores")
VERSION_HEADINGS = ("version", "revision", "engine", "rows")


def compared_rows(precision: Precision, found: Compared) -> Iterator[Sequence[str]]:
    """Every method on the shipped model at one precision."""
    for method in METHODS:
        name = model_name(method, precision)
        accuracy = _accuracy_cells(name, model_name(UNIFORM, precision), found)
        yield method.label, *accuracy, *_cost_cells(name, found)


def shape_rows(precision: Precision, found: Compared) -> Iterator[Sequence[str]]:
    """Every method's marks without a model at one precision."""
    for marks in MARKS:
        if not (precision.mixed and marks.rank):
            yield marks.label, "n/a", *_cost_cells(shape_name(marks, precision), found)


def _accuracy_cells(name: str, uniform: str, found: Compared) -> tuple[str, str, str]:
    try:
        one = found.accuracy(name)
    except NotMeasuredError as error:
        return f"{NOT_YET}: {error}", "", ""
    change = "" if name == uniform else cell(lambda: interval_text(difference([one], [found.accuracy(uniform)])))
    return f"{one.ap50:.3f} [{one.ap50_low:.3f}, {one.ap50_high:.3f}]", change, str(one.n)


def _cost_cells(name: str, found: Compared) -> tuple[str, ...]:
    """BOPs, then for each accelerator cycles, latency, energy and side work."""
    try:
        costs = [found.cost(name, machine) for machine in MACHINES]
    except NotMeasuredError as error:
        return f"{NOT_YET}: {error}", *("" for _ in _ON_MACHINES)
    cells = [f"{costs[0].bops / costs[0].widest_bops:.3f}"]
    for cost in costs:
        cells += [
            f"{cost.cycles:,} ({cost.cycles / cost.widest_cycles:.3f})",
            significant(cost.latency_ms, DIGITS),
            significant(cost.energy_uj, DIGITS),
            percent(_side_cycles(cost) / cost.cycles),
        ]
    return tuple(cells)


def side_rows(found: Compared) -> Iterator[Sequence[str]]:
    """What each method's own operators take, on the shipped model and on Swin-T; what is not measured is left out."""
    for precision in PRECISIONS:
        for method in METHODS:
            names = model_name(method, precision), model_name(UNIFORM, precision)
            yield from _side_of(method.label, precision, *names, found)


def shape_side_rows(found: Compared) -> Iterator[Sequence[str]]:
    """The same without a model."""
    for precision in PRECISIONS:
        for marks in MARKS:
            names = shape_name(marks, precision), shape_name(PLAIN, precision)
            yield from _side_of(marks.label, precision, *names, found)


def _side_of(label: str, precision: Precision, name: str, plain: str, found: Compared) -> Iterator[Sequence[str]]:
    for machine in MACHINES:
        try:
            cost, base = found.cost(name, machine), found.cost(plain, machine)
        except NotMeasuredError:
            continue
        sums = [(cost.row_sum_cycles, cost.row_sum_uj), (cost.column_sum_cycles, cost.column_sum_uj)]
        spent = [_spent(cost, *one) for one in (*sums, (cost.thin_gemm_cycles, cost.thin_gemm_uj))]
        shifts = f"{cost.shifts:,}, {percent(cost.shift_uj / cost.energy_uj)} of energy" if cost.shifts else "0"
        over = f"{cost.cycles / base.cycles:.3f}", f"{cost.energy_uj / base.energy_uj:.3f}"
        yield label, precision.name, machine, *spent, shifts, *over


def rounded_rows(found: Compared) -> Iterator[Sequence[str]]:
    """What uniform affine's bits promise and what arrives, all relative to W8A8 of the same operators."""
    for precision in PRECISIONS:
        names = ("shipped", model_name(UNIFORM, precision)), ("Swin-T, 672 px", shape_name(PLAIN, precision))
        for what, name in names:
            for machine in MACHINES:
                try:
                    cost = found.cost(name, machine)
                except NotMeasuredError as error:
                    yield what, precision.name, machine, f"{NOT_YET}: {error}", "", "", ""
                    continue
                shares = cost.bops / cost.widest_bops, cost.mode_bops / cost.widest_bops
                rest = cost.cycles / cost.widest_cycles, cost.energy_uj / cost.widest_energy_uj
                yield what, precision.name, machine, *(f"{share:.3f}" for share in (*shares, *rest))


def time_rows(found: Compared) -> Iterator[Sequence[str]]:
    """Processor seconds of every quantization, and what they were of."""
    for method in METHODS:
        names = [model_name(method, precision) for precision in PRECISIONS]
        known = []
        for name in names:
            try:
                known.append(found.quantized(name))
            except NotMeasuredError:
                continue
        facts = [
            {f"{one.calibration_canvases} canvases of {one.calibration_px} px" for one in known},
            {str(one.seed) for one in known},
            {str(one.cores) for one in known},
        ]
        yield method.label, *(_seconds(name, found) for name in names), *(", ".join(sorted(one)) for one in facts)


def _seconds(name: str, found: Compared) -> str:
    return cell(lambda: f"{found.quantized(name).processor_seconds:.0f} s")


def version_rows(found: Compared) -> Iterator[Sequence[str]]:
    """Which code made which rows of costs."""
    made: dict[tuple[str, str, str], list[str]] = {}
    for name in (*every_model(), *every_shape()):
        try:
            cost = found.cost(name, MACHINES[0])
        except NotMeasuredError:
            continue
        made.setdefault((cost.version, cost.git_revision, cost.engine), []).append(name)
    for key, names in made.items():
        yield *key, ", ".join(names)


def _side_cycles(cost: Cost) -> int:
    return cost.row_sum_cycles + cost.column_sum_cycles + cost.thin_gemm_cycles


def _spent(cost: Cost, cycles: int, energy_uj: float) -> str:
    if not cycles and not energy_uj:
        return "0"
    return f"{cycles:,} ({percent(cycles / cost.cycles)}), {percent(energy_uj / cost.energy_uj)} of energy"
