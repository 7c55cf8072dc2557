"""The page's tables of searches: the claim at searched ratios, BOPs against hardware, and how close searches come."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from math import hypot

from mixarray_analysis.reproduction.cells import interval_text, seeds_text, verdict_text
from mixarray_analysis.reproduction.measured_tables import NOT_YET
from mixarray_analysis.reproduction.results import NotMeasuredError, Results
from mixarray_analysis.reproduction.runs import SEARCH_MACHINES, SEEDS
from mixarray_analysis.reproduction.verdict import Difference
from mixarray_analysis.spread import mean_and_range

CLAIMED_SPEEDUP = 1.35
GAINS = ("gain_mean", "gain_least", "gain_most")
SEARCH_HEADINGS = ("claim", "published", "ours", "cost", "difference [95 %]", "seeds", "n", "verdict")
COMPARED_HEADINGS = (
    "accelerator", "objective", "seed", "hypervolume over that of BOPs",
    "at equal AP50 the front of BOPs costs more: mean (least to most)", "settings on the fronts, BOPs and own",
)  # fmt: skip
SPACE_HEADINGS = (
    "accelerator", "settings (simulated)", "settings a search measured", "hypervolume over the true front's", "IGD+",
    "chosen by BOPs alone costs more: mean (most)",
)  # fmt: skip


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
        compared = results.compared()
    except NotMeasuredError as error:
        yield f"{NOT_YET}: {error}", "", "", "", ""
        return
    for machine, rows in compared.items():
        for row in rows:
            yield machine, row["objective"], row["seed"], *_compared_cells(row)
        ratios = [float(row["hypervolume_ratio"]) for row in rows if row["hypervolume_ratio"]]
        gains = [float(row["gain_mean"]) for row in rows if row["gain_mean"]]
        spread = mean_and_range(ratios, ".3f"), mean_and_range(gains, "+.2%")
        yield machine, rows[0]["objective"], f"all {len(rows)}: mean (range)", *spread, ""


def _compared_cells(row: Mapping[str, str]) -> Sequence[str]:
    ratio = f"{float(row['hypervolume_ratio']):.3f}" if row["hypervolume_ratio"] else "n/a"
    mean, least, most = (f"{float(row[name]):+.2%}" if row[name] else "n/a" for name in GAINS)
    return ratio, f"{mean} ({least} to {most})", f"{row['settings_bops']}, {row['settings_own']}"


def space_rows(results: Results) -> Iterator[Sequence[str]]:
    """How far searches stay from the true front where every cost is known and bit operations stand for accuracy."""
    for machine in SEARCH_MACHINES:
        try:
            found = results.space(machine)
        except NotMeasuredError as error:
            yield machine, f"{NOT_YET}: {error}", *("" for _ in SPACE_HEADINGS[2:])
            continue
        searches = found["distances"]
        shares = [one["hypervolume_ratio"] for one in searches]
        away = [one["igd_plus"] for one in searches]
        measured = sorted(one["evaluations"] for one in searches)
        wrong = f"{found['misled']['mean']:.2%} ({found['misled']['most']:.2%})"
        settings = f"{found['settings']:,} ({found['simulated']:,})"
        yield (
            machine,
            settings,
            f"{measured[0]} to {measured[-1]}",
            mean_and_range(shares, ".3f"),
            mean_and_range(away, ".3f"),
            wrong,
        )


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
