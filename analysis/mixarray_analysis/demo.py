"""The demo: the shipped model on shipped images, on two accelerators, with everything it found said plainly."""

from __future__ import annotations

import math
from pathlib import Path

from mixarray_analysis import equivalents
from mixarray_analysis.experiment import Findings
from mixarray_analysis.models import choose_score, open_model
from mixarray_analysis.plan import Layout, Plan
from mixarray_analysis.sentence import describe
from mixarray_analysis.sweeping import Say, run_sweep, write_tables
from mixarray_traces.quantization.ratios import choice_of

DEMO_PLAN = Plan(
    ratios=(0, 200, 400, 600, 800),
    accelerators=("packed_w4_32x32", "plain_int8_32x32"),
    canvases=100,
    recorded=4,
    size=448,
    tensors="sampled",
    uniform=((8, 8), (8, 4), (4, 4)),
)
PICTURE_RATIO = 400
"""The ratio whose windows are drawn."""
AUC_CANVASES = 20


def run_demo(plan: Plan, work: Path, shown: Path, say: Say) -> tuple[Findings, list[str]]:
    """Sweep, tabulate and draw into `work`, which will be renamed `shown`; returns findings and sentences."""
    layout, visible = Layout(work), Layout(shown)
    findings = run_sweep(plan, layout, visible, say)
    write_tables(findings, layout)
    draw_all(plan, layout, visible, say)
    last = plan.ratios[-1]
    share = choice_of(last).nominal / 1000
    sentences = [describe(name, share, findings.verdict(name, last)) for name in findings.accelerators]
    (work / "sentences.txt").write_text("".join(f"{sentence}\n" for sentence in sentences), encoding="utf-8")
    return findings, sentences


def draw_all(plan: Plan, layout: Layout, visible: Layout, say: Say) -> None:
    """The four pictures of a sweep."""
    from mixarray_analysis.plots.draw import draw
    from mixarray_analysis.plots.names import Kind
    from mixarray_analysis.plots.request import Request

    for what in (Kind.SPEEDUP, Kind.ENERGY, Kind.ACCURACY) if plan.canvases else (Kind.SPEEDUP, Kind.ENERGY):
        say(equivalents.plot(what, visible.root, visible.plot(what)))
        draw(what, Request((layout.root,)), layout.plot(what))
    ratio = PICTURE_RATIO if PICTURE_RATIO in plan.ratios else plan.ratios[-1]
    say(equivalents.plot("windows", visible.bundle(ratio), visible.plot("windows")))
    draw(Kind.WINDOWS, Request((layout.bundle(ratio),)), layout.plot("windows"))


def score_lines(plan: Plan) -> list[str]:
    """Which importance score ranks the windows, and how well it and the paper's predict windows with objects."""
    from mixarray_traces.data import Split
    from mixarray_traces.importance import DEFAULT_SCORE, PAPER_SCORE, auc_table

    chosen = choose_score(plan.score)
    names = tuple(dict.fromkeys((chosen, PAPER_SCORE)))
    rows = auc_table(open_model(plan.model).detector, AUC_CANVASES, plan.size, Split.TEST, plan.seed, names)
    lines = []
    for name in names:
        role = " (default)" if name == DEFAULT_SCORE else " (the paper's)" if name == PAPER_SCORE else ""
        cells = [f"stage {row.stage} {row.grid} {_number(row.auc)}" for row in rows if row.score == name]
        lines.append(f"importance score {name}{role}, AUC on {AUC_CANVASES} canvases: {', '.join(cells)}")
    return lines


def _number(auc: float) -> str:
    return "n/a" if math.isnan(auc) else f"{auc:.3f}"
