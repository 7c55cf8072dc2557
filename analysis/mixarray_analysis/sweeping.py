"""The sweep as a workflow: every step announced as the command that would do it alone, then done."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

from mixarray.trace.bundle import read_bundle
from mixarray_analysis import equivalents
from mixarray_analysis.experiment import Findings, Shares, accelerator_names, simulate_plan
from mixarray_analysis.models import open_model
from mixarray_analysis.plan import Layout, Plan
from mixarray_analysis.steps import draw_images, evaluate_ratios, record_ratio
from mixarray_analysis.summary import write_summary, write_tidy
from mixarray_analysis.tables import to_json, without_nan
from mixarray_traces.quantization.ratios import Asked, ratios_at

if TYPE_CHECKING:
    from mixarray_traces.evaluation import EvaluationRow

Say = Callable[[str], None]


def run_sweep(plan: Plan, layout: Layout, shown: Layout, say: Say, model_path: Path | None = None) -> Findings:
    """Evaluate, record and simulate into `layout.root`; `shown` is the layout that people will find.

    `model_path` is where the plan's model lies now, if that is not yet its final place.
    """
    names = accelerator_names(plan)
    model = open_model(plan.model if model_path is None else model_path)
    for ratio in plan.ratios:
        ratios_at(ratio, model.depths)
    accuracy: dict[Asked, EvaluationRow] = {}
    if plan.canvases:
        say(equivalents.evaluate(plan))
        rows = evaluate_ratios(
            model,
            plan.ratios,
            canvases=plan.canvases,
            size=plan.size,
            seed=plan.seed,
            score=plan.score,
            quiet=plan.quiet,
            padding=plan.padding,
        )
        accuracy = dict(zip(plan.ratios, rows, strict=True))
    images = draw_images(plan.recorded, plan.size, plan.seed)
    for ratio in plan.ratios:
        say(equivalents.record(plan, shown, ratio))
        path = layout.bundle(ratio)
        record_ratio(
            model,
            images,
            path,
            ratio,
            score=plan.score,
            seed=plan.seed,
            tensors=plan.tensors,
            quiet=plan.quiet,
            padding=plan.padding,
        )
    for line in equivalents.simulate(plan, shown, names):
        say(line)
    runs, uniform = simulate_plan(plan, layout, names)
    bundles = {ratio: read_bundle(layout.bundle(ratio)) for ratio in plan.ratios}
    actual = {ratio: Shares(bundle.ratio_actual, bundle.pruning_actual) for ratio, bundle in bundles.items()}
    return Findings(names, accuracy, actual, runs, uniform)


def write_tables(findings: Findings, layout: Layout) -> None:
    """summary.csv for the first accelerator alone, and summary_<accelerator>.csv for each (the demo's files)."""
    for name in findings.accelerators:
        write_summary(findings.rows(name), layout.root / f"summary_{name}.csv")
    write_summary(findings.rows(findings.accelerators[0]), layout.root / "summary.csv")


def write_one_table(findings: Findings, layout: Layout) -> None:
    """summary.csv and summary.parquet with the column `accelerator` (the sweep's files)."""
    write_tidy([(name, row) for name in findings.accelerators for row in findings.rows(name)], layout.root)


def summary_json(findings: Findings) -> str:
    """The rows of every accelerator as a JSON list; NaN as null."""
    rows = [
        {"accelerator": name, **without_nan(asdict(row))}
        for name in findings.accelerators
        for row in findings.rows(name)
    ]
    return to_json(rows)
