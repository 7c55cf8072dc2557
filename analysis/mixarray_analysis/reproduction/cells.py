"""Cells of the page's tables: numbers as text, and one row per claim."""

from __future__ import annotations

import re
from collections.abc import Sequence

from mixarray_analysis.reproduction.claims import Claim, Side
from mixarray_analysis.reproduction.results import Cost, Measured, NotMeasuredError, Results
from mixarray_analysis.reproduction.runs import FEWER_START, is_trained
from mixarray_analysis.reproduction.verdict import Difference, Sides, Verdict, difference
from mixarray_analysis.spread import mean_and_range

CLAIM_HEADINGS = ("claim", "published", "ours", "cost", "AP50", "difference [95 %]", "seeds", "n", "verdict")
SHOWN = 0.0005
"""The least that three decimals show."""
HIGHEST_BITS = 8
"""Activation bits of ratio 0 at PTQ, which costs are relative to."""
HIGHEST_TRAINED_BITS = 4
"""The same after QAT."""
QAT_COSTS = "ofq_start"
"""The model whose costs stand for all trained ones: equal shapes and bits, so equal group sizes."""


def claim_row(claim: Claim, results: Results) -> tuple[str, ...]:
    """The row of a claim; what was not measured says so, and then has no verdict."""
    published = f"{claim.published} ({claim.source})"
    about = f"; {claim.about}" if claim.about else ""
    ours = f"{', against '.join(_side_words(claim))}{about}"
    try:
        ones, others = sides_of(claim, results)
        found = difference(ones, others)
    except NotMeasuredError as error:
        return claim.said, published, ours, "", "", f"not measured yet: {error}", "", "", ""
    accuracies = f"{_mean(ones):.3f} / {_mean(others):.3f}"
    return (
        claim.said, published, ours, f"{_cost(claim.one, results)} / {_cost(claim.other, results)}", accuracies,
        interval_text(found), seeds_text(found), str(found.n), verdict_text(found),
    )  # fmt: skip


def sides_of(claim: Claim, results: Results) -> Sides:
    """What both sides of a claim measured; NotMeasuredError where one has not run."""
    return _measured(claim.one, results), _measured(claim.other, results)


def _measured(side: Side, results: Results) -> list[Measured]:
    return [results.measured(f"{model}/{side.what}", side.compression, side.pruning) for model in side.models]


def cost_of(model: str, compression: int, pruning: int, results: Results) -> Cost:
    """Relative to ratio 0 of the model's method; at fewer bits everywhere, to that at the usual bits."""
    trained = is_trained(model)
    fewer = re.search(r"_a(\d)(?:_s\d)?$", model)
    if fewer is not None:
        usual, its = (QAT_COSTS, FEWER_START) if trained else (model[: fewer.start()], model)
        zero, bits = results.cycles(usual), HIGHEST_TRAINED_BITS if trained else HIGHEST_BITS
        cycles = {machine: count / zero[machine] for machine, count in results.cycles(its).items()}
        return Cost(int(fewer[1]) / bits, cycles)
    return results.cost(QAT_COSTS if trained else model, compression, pruning)


def interval_text(found: Difference) -> str:
    """`+0.012 [-0.003, +0.027]`."""
    return with_interval(found.mean, found.low, found.high, form="+.3f")


def with_interval(value: float, low: float, high: float, *, form: str = ".3f") -> str:
    """`0.712 [0.702, 0.721]`, each number in the format `form`."""
    return f"{value:{form}} [{low:{form}}, {high:{form}}]"


def seeds_text(found: Difference) -> str:
    """Least and most of the seeds; a dash where nothing was trained."""
    if len(found.seeds) == 1:
        return "1"
    return f"{len(found.seeds)}: {min(found.seeds):+.3f} to {max(found.seeds):+.3f}"


def verdict_text(found: Difference) -> str:
    """The verdict, and within noise how large a loss is not excluded."""
    if found.verdict is Verdict.WITHIN_NOISE and found.low < 0:
        least = f"{found.low:.3f}" if found.low <= -SHOWN else f"{found.low:.1g}"
        return f"{found.verdict} ({least} not excluded)"
    return found.verdict


def range_text(values: Sequence[float]) -> str:
    """`0.712`, or mean and range: `0.712 (0.709 to 0.715)`."""
    return f"{values[0]:.3f}" if len(values) == 1 else mean_and_range(values, ".3f")


def _side_words(claim: Claim) -> list[str]:
    """Both settings; where they are of unlike models, of which."""
    sides, unlike = (claim.one, claim.other), claim.one.models != claim.other.models
    return [side.words + (f" of {', '.join(side.models)}" if unlike else "") for side in sides]


def _mean(found: Sequence[Measured]) -> float:
    return sum(one.ap50 for one in found) / len(found)


def _cost(side: Side, results: Results) -> str:
    try:
        return f"{cost_of(side.models[0], side.compression, side.pruning, results).bops:.3f}"
    except NotMeasuredError:
        return "not measured yet"
