"""The page's tables of what was measured: settings of each model, trainings, SQNR, searches."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from math import hypot

from mixarray_analysis.reproduction.cells import (
    cost_of,
    interval_text,
    range_text,
    seeds_text,
    verdict_text,
)
from mixarray_analysis.reproduction.claims import CONTROL, TRAINED, UNIFORM
from mixarray_analysis.reproduction.results import NotMeasuredError, Results
from mixarray_analysis.reproduction.runs import (
    BOTH,
    COMPRESSIONS,
    COSTED,
    PRUNINGS,
    PTQ_MACHINES,
    QAT_MACHINES,
    SEEDS,
)
from mixarray_analysis.reproduction.verdict import Difference, difference

NOT_YET = "not measured yet"
CLAIMED_SPEEDUP = 1.35
SETTING_HEADINGS = (
    "low % (counted)", "pruned % (counted)", "BOPs", *(f"cycles, {name}" for name in PTQ_MACHINES),
    "AP50 [95 %]", "minus ratio 0 [95 %]", "n",
)  # fmt: skip
TRAINING_HEADINGS = ("model", "canvases of its trainings", "AP50, all high: mean (range of seeds)", "seeds", "n")
QAT_HEADINGS = (
    "low %", "pruned %", "BOPs", *(f"cycles, {name}" for name in QAT_MACHINES),
    "AP50 of SAQA: mean (range)", "minus ratio 0 [95 %]", "seeds", "n",
)  # fmt: skip


def setting_rows(model: str, results: Results) -> Iterator[Sequence[str]]:
    """Every setting of one calibrated model, then fewer bits everywhere."""
    try:
        every = results.evaluation(f"{model}/ratios")
    except NotMeasuredError as error:
        yield f"{NOT_YET}: {error}", *("" for _ in SETTING_HEADINGS[1:])
        return
    for one in every:
        low, pruned = f"{one.compression / 10:g} ({100 * one.low_actual:.1f})", one.pruning / 10
        accuracy = f"{one.ap50:.3f} [{one.ap50_low:.3f}, {one.ap50_high:.3f}]"
        costs = _costs(model, one.compression, one.pruning, PTQ_MACHINES, results)
        lost = interval_text(difference([one], [every[0]])) if one is not every[0] else ""
        yield low, f"{pruned:g} ({100 * one.pruned_actual:.1f})", *costs, accuracy, lost, str(one.n)


def _costs(model: str, compression: int, pruning: int, machines: Sequence[str], results: Results) -> list[str]:
    try:
        cost = cost_of(model, compression, pruning, results)
    except NotMeasuredError:
        return [NOT_YET, *("" for _ in machines)]
    return [f"{cost.bops:.3f}", *(f"{cost.cycles[name]:.3f}" for name in machines)]


def training_rows(results: Results) -> Iterator[Sequence[str]]:
    """What every kind of trained model went through, and its AP50 with all windows high."""
    groups = (("uniform", UNIFORM), ("control", CONTROL), ("SAQA", TRAINED))
    for name, models in (*groups, ("SAQA from float", ("saqa_fp_s0",)), ("annealing after SAQA", ("annealing_s0",))):
        try:
            found = [results.measured(f"{model}/ratios") for model in models]
            budgets = {results.training_images(model) for model in models}
        except NotMeasuredError as error:
            yield name, f"{NOT_YET}: {error}", "", "", ""
            continue
        seen = " or ".join(" + ".join(f"{images:,}" for images in budget) or "not noted" for budget in sorted(budgets))
        counts = "/".join(map(str, sorted({one.n for one in found})))
        yield name, seen, range_text([one.ap50 for one in found]), str(len(found)), counts


def trained_rows(results: Results) -> Iterator[Sequence[str]]:
    """Every setting of the SAQA models."""
    settings = [*((q, 0) for q in COMPRESSIONS), *((0, p) for p in PRUNINGS), *BOTH]
    for low, pruned in settings:
        costs = _costs(TRAINED[0], low, pruned, QAT_MACHINES, results)
        shares = f"{low / 10:g}", f"{pruned / 10:g}"
        try:
            ones = [results.measured(f"{model}/ratios", low, pruned) for model in TRAINED]
            zeros = [results.measured(f"{model}/ratios") for model in TRAINED]
            lost = difference(ones, zeros)
        except NotMeasuredError as error:
            yield *shares, *costs, f"{NOT_YET}: {error}", "", "", ""
            continue
        change = interval_text(lost) if low or pruned else ""
        yield *shares, *costs, range_text([one.ap50 for one in ones]), change, seeds_text(lost), str(lost.n)


STEP_HEADINGS = ("speedup left behind the step", *(f"{model}, {name}" for model, on in COSTED.items() for name in on))


def step_rows(results: Results) -> Iterator[Sequence[str]]:
    """From the promised speedup to the simulated one, step by step, for every model and machine."""
    try:
        found = {model: results.waterfall(model) for model in COSTED}
    except NotMeasuredError as error:
        yield f"{NOT_YET}: {error}", *("" for _ in STEP_HEADINGS[1:])
        return
    columns = [found[model][name] for model, machines in COSTED.items() for name in machines]
    for step in columns[0]:
        yield step, *(f"{column[step]:.3f}x" for column in columns)


PUBLISHED_SQNR = "13.70 to 13.60, 9.70 to 9.50, 6.90 to 6.96, 7.81 to 8.14 dB in its four stages"
SQNR_HEADINGS = ("stage", "before SAQA, dB", "after, dB", "change by seed: mean (range)", "canvases")


def sqnr_rows(results: Results) -> Iterator[Sequence[str]]:
    """Mean SQNR by stage before and after SAQA, and its change."""
    try:
        before, after = ([results.sqnr(model) for model in models] for models in (UNIFORM, TRAINED))
        canvases = str(results.sqnr_canvases(TRAINED[0]))
    except NotMeasuredError as error:
        yield f"{NOT_YET}: {error}", "", "", "", ""
        return
    for stage in before[0]:
        changes = [new[stage] - old[stage] for old, new in zip(before, after, strict=True)]
        means = (f"{sum(one[stage] for one in part) / len(part):.2f}" for part in (before, after))
        change = f"{sum(changes) / len(changes):+.2f} ({min(changes):+.2f} to {max(changes):+.2f})"
        yield str(stage), *means, change, canvases


SEARCH_HEADINGS = ("claim", "published", "ours", "cost", "difference [95 %]", "seeds", "n", "verdict")
COMPARED_HEADINGS = ("accelerator", "objective", "seed", "hypervolume over that of BOPs", "front of BOPs costs more")


def searched_row(results: Results) -> Sequence[str]:
    """MixA-Q's claim at PTQ with searched ratios, on the canvases that no search saw."""
    said = "lossless at 1.35x, searched ratios", "no loss of accuracy (abstract)", "shipped model, searched on BOPs"
    try:
        found = [_at_claimed_speedup(*results.search(f"bops_s{seed}")) for seed in SEEDS]
    except NotMeasuredError as error:
        return (*said, "", f"{NOT_YET}: {error}", "", "", "")
    lost = Difference(
        tuple(one.mean for _, one in found),
        sum(one.low for _, one in found) / len(found),
        sum(one.high for _, one in found) / len(found),
        min(one.n for _, one in found),
        paired=False,
    )
    costs = ", ".join(f"{cost:.3f}" for cost, _ in found)
    return (*said, costs, interval_text(lost), seeds_text(lost), str(lost.n), verdict_text(lost))


def compared_rows(results: Results) -> Iterator[Sequence[str]]:
    """What searching on hardware gains over searching on BOPs, seed by seed."""
    try:
        rows = results.compared()
    except NotMeasuredError as error:
        yield f"{NOT_YET}: {error}", "", "", "", ""
        return
    for row in rows:
        ratio = f"{float(row['hypervolume_ratio']):.3f}" if row["hypervolume_ratio"] else "n/a"
        gain = f"{100 * float(row['gain_mean']):+.2f} %" if row["gain_mean"] else "n/a"
        yield row["accelerator"], row["objective"], row["seed"], ratio, gain


def _at_claimed_speedup(baseline: Mapping[str, str], front: Sequence[Mapping[str, str]]) -> tuple[float, Difference]:
    """Relative cost and difference to ratio 0 of the setting that the search itself took for best at that speedup.

    The file holds intervals of each, none of the difference: taken as independent they give one that is too wide.
    """
    allowed = [row for row in front if int(row["bops"]) * CLAIMED_SPEEDUP <= int(baseline["bops"])]
    if not allowed:
        raise NotMeasuredError(f"a front that reaches {CLAIMED_SPEEDUP}x")
    best = max(allowed, key=lambda row: float(row["search_accuracy"]))
    low, value, high = (float(best[name]) for name in ("accuracy_low", "accuracy", "accuracy_high"))
    base_low, base, base_high = (float(baseline[name]) for name in ("accuracy_low", "accuracy", "accuracy_high"))
    change = value - base
    bounds = change - hypot(value - low, base_high - base), change + hypot(high - value, base - base_low)
    cost = int(best["bops"]) / int(baseline["bops"])
    return cost, Difference((change,), *bounds, int(best["n"]), paired=False)
