"""One simulation from the command line: run it, write it where asked, and report it."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path

from mixarray.accelerator.load import load_accelerator
from mixarray.accelerator.model import Accelerator
from mixarray.atomic import ResultKind, atomic_directory
from mixarray.digits import significant
from mixarray.errors import InputError
from mixarray.result.balance import Balance
from mixarray.result.ports import words_on_ports
from mixarray.result.run import RunResult, run_result
from mixarray.result.totals import Totals
from mixarray.result.write import write_run
from mixarray.simulation import simulate
from mixarray.trace.gemms import Gemm
from mixarray.trace.workload import RESULT_BITS, Workload, single_gemm
from mixarray_analysis.gemm_lines import gemm_lines
from mixarray_analysis.own_work_lines import own_work_lines
from mixarray_analysis.printable import printable
from mixarray_analysis.run_options import DEFAULTS, RunOptions
from mixarray_analysis.runs import RunTask, run_task
from mixarray_analysis.sentence import words_for
from mixarray_analysis.tables import to_json

MOST_ENTRIES = 6
DIGITS = 4
"""Significant digits in the report; run.json has all."""


def simulate_workload(
    workload: Workload,
    machine: Accelerator,
    *,
    source: str,
    trace_sha256: str | None = None,
    reads: Sequence[Path] = (),
    out: Path | None,
    force: bool,
    options: RunOptions = DEFAULTS,
) -> RunResult:
    """One workload on a machine; writes a run directory where `out` is given, never over the files in `reads`.

    source: where the workload comes from, in words. trace_sha256: of the file that it was read from.
    """
    with _place(out, force, *reads) as directory:
        simulated = [(simulate(workload, machine, timeline=True, engine=options.engine), 1)]
        result = run_result(simulated, source=source, trace_sha256=trace_sha256, seed=None, speedup=None)
        if directory is not None:
            write_run(directory, result, simulated, machine)
            options.write(directory, simulated[0][0])
    return result


def simulate_gemm(
    shape: tuple[int, int, int],
    bits: tuple[int, int],
    *,
    result_bits: int | None,
    accelerator: str,
    overrides: tuple[str, ...],
    out: Path | None,
    force: bool,
    options: RunOptions = DEFAULTS,
) -> RunResult:
    """One GEMM of (M, N, K) at (activation, weight) bits; writes a run directory where `out` is given.

    Its results are requantized to `result_bits` (None: 8) on the vector unit and stored in DRAM.
    """
    m, n, k = shape
    width = RESULT_BITS if result_bits is None else result_bits
    machine, workload = load_accelerator(accelerator, overrides), single_gemm(m, n, k, *bits, width)
    source = Gemm(m, n, k, *bits, width).text
    return simulate_workload(workload, machine, source=source, out=out, force=force, options=options)


def simulate_bundle(
    bundle: Path,
    *,
    accelerator: str,
    overrides: tuple[str, ...],
    uniform: tuple[int, int] | None,
    image: int | None,
    out: Path | None,
    force: bool,
    options: RunOptions = DEFAULTS,
) -> RunResult:
    """A bundle as recorded, or its model at one uniform precision, compared with ratio 0."""
    if uniform is not None and image is not None:
        raise InputError("--image", "has no meaning with --uniform: all images are the same work")
    with _place(out, force, bundle) as directory:
        task = RunTask(bundle, accelerator, overrides, uniform=uniform, image=image, out=directory, options=options)
        return run_task(task).result


def report_json(result: RunResult) -> str:
    """The totals at the top level (cycles, macs, utilization, energy_uj, ...) and what explains them."""
    whole = result.model_dump(mode="json")
    totals = whole.pop("totals")
    return to_json({"accelerator": whole.pop("accelerator"), "source": whole.pop("source"), **totals, **whole})


def report_text(result: RunResult) -> str:
    """A few lines for people."""
    totals = result.totals
    lines = [
        f"{printable(result.source)} on {result.accelerator}",
        f"  cycles       {totals.cycles:,.0f}  ({_digits(totals.latency_ms)} ms)",
        f"  energy       {_banded(totals.energy_uj, 'µJ', totals.energy_low_uj, totals.energy_high_uj)}",
        f"  EDP          {_banded(totals.edp_uj_ms, 'µJ·ms', totals.edp_low_uj_ms, totals.edp_high_uj_ms)}",
        f"  operations   {_digits(totals.tops)} TOPS, "
        + _banded(totals.tops_per_watt, "TOPS/W", totals.tops_per_watt_low, totals.tops_per_watt_high),
        *_area(totals),
        f"  MACs         {totals.macs:,.0f}",
        f"  utilization  {100 * totals.utilization:.1f} %  (of peak MACs {100 * totals.peak_mac_utilization:.1f} %)",
        *_arrays(result.balance),
        f"  DRAM         {totals.dram_read_bits:,.0f} bits read, {totals.dram_write_bits:,.0f} written",
        *_ports(totals),
    ]
    if result.speedup is not None:
        promise = f"BOPs of the blocks promise {result.speedup.bops_blocks:.3f}x"
        lines.append(
            f"  speedup      {result.speedup.simulated:.3f}x simulated, {promise}, over {result.speedup.baseline}"
        )
    lines += gemm_lines(result)
    if result.attribution:
        lines.append("  where the cycles went (critical chain)")
        for entry in result.attribution[:MOST_ENTRIES]:
            share = 100 * entry.cycles / totals.cycles
            lines.append(f"    {share:5.1f} %  {words_for(entry.kind.value)} ({entry.unit})")
    return "\n".join([*lines, *own_work_lines(result.own_work)])


def _digits(value: float) -> str:
    return significant(value, DIGITS)


def _banded(value: float, unit: str, low: float, high: float) -> str:
    """A quantity with its band: `0.02912 µJ  (0.02185 to 0.04903)`."""
    return f"{_digits(value)} {unit}  ({_digits(low)} to {_digits(high)})"


def _area(totals: Totals) -> list[str]:
    """Nothing where the energy table has no areas."""
    if totals.area_mm2 is None or totals.area_low_mm2 is None or totals.area_high_mm2 is None:
        return []
    area = _banded(totals.area_mm2, "mm² of PEs and buffers", totals.area_low_mm2, totals.area_high_mm2)
    return [
        f"  area         {area}" + ("" if totals.tops_per_mm2 is None else f", {_digits(totals.tops_per_mm2)} TOPS/mm²")
    ]


def _ports(totals: Totals) -> list[str]:
    """Nothing where one port serves every buffer."""
    words = words_on_ports(totals.buffers)
    return [f"  ports        {words}"] if words else []


def _arrays(balance: Balance) -> list[str]:
    """How two arrays share the work; nothing to say of one."""
    if len(balance.arrays) == 1 or balance.imbalance is None:
        return []
    busy = ", ".join(f"{one.name} streams {100 * one.share:.1f} % of the cycles" for one in balance.arrays)
    return [f"  arrays       {busy}; the busiest {balance.imbalance:.2f} times their mean"]


def _place(out: Path | None, force: bool, *reads: Path) -> AbstractContextManager[Path | None]:
    return nullcontext(None) if out is None else atomic_directory(out, ResultKind.RUN, force, reads)
