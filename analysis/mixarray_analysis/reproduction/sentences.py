"""Sentences of the page that its numbers write."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

from mixarray_analysis.reproduction.cells import CLAIM_HEADINGS, QAT_COSTS, claim_row
from mixarray_analysis.reproduction.claims import ptq_claims, qat_claims
from mixarray_analysis.reproduction.results import NotMeasuredError, Results
from mixarray_analysis.reproduction.runs import (
    ALL_LOW,
    COMPRESSIONS,
    EXPLAINED,
    PRUNINGS,
    PTQ_MODELS,
    QAT_MACHINES,
    SEARCHES,
)
from mixarray_analysis.reproduction.verdict import Verdict

VERDICT = CLAIM_HEADINGS.index("verdict")


def verdicts_sentence(results: Results) -> str:
    """How many of the comparisons came out how."""
    claims = [*(claim for model in PTQ_MODELS for claim in ptq_claims(model)), *qat_claims()]
    verdicts = Counter(claim_row(claim, results)[VERDICT].split(" (")[0] or "not measured yet" for claim in claims)
    parts = [f"{verdicts[name]} {name}" for name in (*Verdict, "not measured yet") if verdicts[name]]
    return f"Of {len(claims)} comparisons with ratios that are the same everywhere: {', '.join(parts)}."


def hardware_sentence(results: Results) -> str:
    """What a low branch at A2, and pruning, do to the cycles of a machine without 2-bit modes, and of one with them."""
    without, with_them = QAT_MACHINES
    mixed = [quota for quota in COMPRESSIONS if quota]
    try:
        costs = [results.cost(QAT_COSTS, quota, 0).cycles for quota in mixed]
        all_low = results.cost(QAT_COSTS, ALL_LOW, 0).cycles
        least, most = (results.cost(QAT_COSTS, 0, share).cycles for share in (PRUNINGS[0], PRUNINGS[-1]))
    except NotMeasuredError as error:
        return f"Cycles: not measured yet: {error}."
    spans = {
        name: f"{min(one[name] for one in costs):.3f} to {max(one[name] for one in costs):.3f}" for name in QAT_MACHINES
    }
    shares = f"At {mixed[0] / 10:g} to {mixed[-1] / 10:g} % low"
    return (
        f"{shares} {without}, which has no 2-bit modes, takes {spans[without]} times the cycles of ratio 0, and "
        f"{with_them}, which has them, {spans[with_them]} times; with every window low, {all_low[without]:.3f} and "
        f"{all_low[with_them]:.3f} times. Pruning saves on both, but less than its "
        f"share: {_pruned(PRUNINGS[0], least)}, {_pruned(PRUNINGS[-1], most)}. "
        f"[Where the speedup went](#where-the-speedup-went) takes {EXPLAINED / 10:g} % low apart."
    )


def _pruned(share: int, cycles: Mapping[str, float]) -> str:
    times = " and ".join(f"{cycles[name]:.3f}" for name in QAT_MACHINES)
    return f"{share / 10:g} % pruned takes {times} times"


def search_time_sentence(results: Results) -> str:
    """How long the searches took that ran from their start to their end; nothing where none was timed."""
    every = [results.seconds(name) for name in SEARCHES]
    minutes = sorted(round(one / 60) for one in every if one is not None)
    if not minutes:
        return ""
    return (
        f"A search took {minutes[0]} to {minutes[-1]} minutes of one core of a shared machine, its front "
        f"measured again ({len(minutes)} of {len(every)} were timed; they share what was measured)."
    )


def gain_sentence(results: Results) -> str:
    """Whether searching on hardware was worth it, by accelerator: what every seed says, or that seeds disagree."""
    try:
        compared = results.compared()
    except NotMeasuredError:
        return ""
    found = []
    for machine, rows in compared.items():
        gains = [float(row["gain_mean"]) for row in rows if row["gain_mean"]]
        if not gains:
            continue
        span = f"{min(gains):+.2%} to {max(gains):+.2%}"
        says = "every seed gains" if min(gains) > 0 else "every seed loses" if max(gains) < 0 else "the seeds disagree"
        found.append(f"on {machine} {says} ({span})")
    return f"So, searching on cycles instead of BOPs: {'; '.join(found)}."
