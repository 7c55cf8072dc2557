"""The page's tables of what was measured: settings and rankings of each model, trainings, SQNR, steps."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from mixarray_analysis.reproduction.cells import cost_of, interval_text, range_text, seeds_text, with_interval
from mixarray_analysis.reproduction.claims import CONTROL, TRAINED, UNIFORM
from mixarray_analysis.reproduction.results import Measured, NotMeasuredError, Results, Training
from mixarray_analysis.reproduction.runs import (
    ADAPTED,
    BOTH,
    COMPRESSIONS,
    COSTED,
    FEWER_BITS,
    FEWER_CONTROL,
    FEWER_TRAINED,
    FEWER_TRAINED_BITS,
    JOINT,
    PRUNINGS,
    PTQ_MACHINES,
    QAT_MACHINES,
)
from mixarray_analysis.reproduction.verdict import difference
from mixarray_analysis.spread import mean_and_range

NOT_YET = "not measured yet"
SETTING_HEADINGS = (
    "low % (counted)", "pruned % (counted)", "BOPs", *(f"cycles, {name}" for name in PTQ_MACHINES),
    "AP50 [95 %]", "minus ratio 0 [95 %]", "n",
)  # fmt: skip
PRUNED_KINDS = {ADAPTED: "SparseViT's adaptation", JOINT: "joint"}
TRAINED_KINDS: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("uniform", UNIFORM),
    ("control", CONTROL),
    ("SAQA", TRAINED),
    ("SAQA from float", ("saqa_fp_s0",)),
    ("annealing after SAQA", ("annealing_s0",)),
    (f"uniform at W4A{FEWER_TRAINED_BITS}", (FEWER_TRAINED,)),
    (f"control at W4A{FEWER_TRAINED_BITS}", (FEWER_CONTROL,)),
    *((name, (model,)) for model, name in PRUNED_KINDS.items()),
)
TRAINING_HEADINGS = (
    "model", "canvases of its trainings", "minutes of the last one", "AP50, all high: mean (range of seeds)", "seeds",
    "n",
)  # fmt: skip
QAT_HEADINGS = (
    "low % (counted)", "pruned % (counted)", "BOPs", *(f"cycles, {name}" for name in QAT_MACHINES),
    "AP50 of SAQA: mean (range)", "minus ratio 0 [95 %]", "seeds", "n",
)  # fmt: skip
PRUNED_HEADINGS = (
    "model", "low % (counted)", "pruned % (counted)", "BOPs", *(f"cycles, {name}" for name in QAT_MACHINES),
    "AP50 [95 %]", "minus ratio 0 [95 %]", "n",
)  # fmt: skip


def setting_rows(model: str, results: Results) -> Iterator[Sequence[str]]:
    """Every setting of one calibrated model, then fewer bits everywhere."""
    try:
        every = results.evaluation(f"{model}/ratios")
    except NotMeasuredError as error:
        yield f"{NOT_YET}: {error}", *("" for _ in SETTING_HEADINGS[1:])
        return
    for one in every:
        yield _low(one), *_setting_cells(model, one, every[0], PTQ_MACHINES, results)
    for bits in FEWER_BITS:
        yield _fewer_bits(f"{model}_a{bits}", bits, every[0], results)


def pruned_rows(results: Results) -> Iterator[Sequence[str]]:
    """Every setting of the models whose training pruned."""
    for model, name in PRUNED_KINDS.items():
        try:
            every = results.evaluation(f"{model}/ratios")
        except NotMeasuredError as error:
            yield name, f"{NOT_YET}: {error}", *("" for _ in PRUNED_HEADINGS[2:])
            continue
        for one in every:
            yield name, _low(one), *_setting_cells(model, one, every[0], QAT_MACHINES, results)


def _setting_cells(
    model: str, one: Measured, zero: Measured, machines: Sequence[str], results: Results
) -> tuple[str, ...]:
    """What is pruned, costs, AP50 and what it lost, n."""
    costs = _costs(model, one.compression, one.pruning, machines, results)
    lost = interval_text(difference([one], [zero])) if one is not zero else ""
    return _pruned(one), *costs, with_interval(one.ap50, one.ap50_low, one.ap50_high), lost, str(one.n)


def _low(one: Measured) -> str:
    return f"{one.compression / 10:g} ({100 * one.low_actual:.1f})"


def _pruned(one: Measured) -> str:
    return f"{one.pruning / 10:g} ({100 * one.pruned_actual:.1f})"


def _fewer_bits(model: str, bits: int, zero: Measured, results: Results) -> Sequence[str]:
    """All windows at `bits`; arrays run them in their next wider mode, so only memory traffic is saved."""
    words, costs = f"all at A{bits}", _costs(model, 0, 0, PTQ_MACHINES, results)
    try:
        one = results.measured(f"{model}/ratios")
        lost = interval_text(difference([one], [zero]))
    except NotMeasuredError as error:
        return words, "", *costs, f"{NOT_YET}: {error}", "", ""
    accuracy = with_interval(one.ap50, one.ap50_low, one.ap50_high)
    return words, "", *costs, accuracy, lost, str(one.n)


RANKING_HEADINGS = ("windows ranked by", "low % (counted)", "AP50 [95 %]", "minus that ranking [95 %]", "n")
RANKINGS = ("rankings", "papers_score")
ENDS = ("", "_low", "_high")


def ranking_rows(model: str, results: Results) -> Iterator[Sequence[str]]:
    """Our score's ranking, chance, the oracle and the reverse at equal ratios; then the paper's score, and reversed."""
    for what in RANKINGS:
        try:
            rows = results.rankings(f"{model}/{what}")
        except NotMeasuredError as error:
            yield f"{NOT_YET}: {error}", *("" for _ in RANKING_HEADINGS[1:])
            continue
        for row in rows:
            score = row["score"]
            ranked = {"true": score, "reversed": f"{score}, reversed"}.get(row["ranking"], row["ranking"])
            low = f"{100 * float(row['compression'].split('/')[0]):g} ({100 * float(row['low_actual']):.1f})"
            accuracy, change = ([float(row[f"{name}{end}"]) for end in ENDS] for name in ("ap50", "difference"))
            lost = "" if row["ranking"] == "true" else with_interval(*change, form="+.3f")
            yield ranked, low, with_interval(*accuracy), lost, row["n"]


def _costs(model: str, compression: int, pruning: int, machines: Sequence[str], results: Results) -> list[str]:
    try:
        cost = cost_of(model, compression, pruning, results)
    except NotMeasuredError:
        return [NOT_YET, *("" for _ in machines)]
    return [f"{cost.bops:.3f}", *(f"{cost.cycles[name]:.3f}" for name in machines)]


def training_rows(results: Results) -> Iterator[Sequence[str]]:
    """What every kind of trained model went through, and its AP50 with all windows high."""
    for name, models in TRAINED_KINDS:
        try:
            found = [results.measured(f"{model}/ratios") for model in models]
            budgets = {results.trainings(model) for model in models}
        except NotMeasuredError as error:
            yield name, f"{NOT_YET}: {error}", *("" for _ in TRAINING_HEADINGS[2:])
            continue
        seen = " or ".join(_budget_text(budget) for budget in sorted(budgets, key=str))
        counts = "/".join(map(str, sorted({one.n for one in found})))
        took = _minutes([results.seconds(model) for model in models])
        yield name, seen, took, range_text([one.ap50 for one in found]), str(len(found)), counts


def _budget_text(trainings: Sequence[Training]) -> str:
    """`32,000 + 32,000 of 112 px, 16 a step`."""
    shapes = dict.fromkeys(f" of {one.size} px, {one.batch} a step" for one in trainings)
    return " + ".join(f"{one.images:,}" for one in trainings) + " or".join(shapes) if trainings else "not noted"


def _minutes(seconds: Sequence[int | None]) -> str:
    """`15`, or `15 to 23`; those that were stopped and went on have no time."""
    known = [f"{one / 60:.0f}" for one in sorted(one for one in seconds if one is not None)]
    return " to ".join(dict.fromkeys((known[0], known[-1]))) if known else "not noted"


def trained_rows(results: Results) -> Iterator[Sequence[str]]:
    """Every setting of the SAQA models."""
    settings = [*((q, 0) for q in COMPRESSIONS), *((0, p) for p in PRUNINGS), *BOTH]
    for low, pruned in settings:
        costs = _costs(TRAINED[0], low, pruned, QAT_MACHINES, results)
        shares = [f"{low / 10:g}", f"{pruned / 10:g}"]
        try:
            ones = [results.measured(f"{model}/ratios", low, pruned) for model in TRAINED]
            zeros = [results.measured(f"{model}/ratios") for model in TRAINED]
            lost = difference(ones, zeros)
        except NotMeasuredError as error:
            yield *shares, *costs, f"{NOT_YET}: {error}", "", "", ""
            continue
        change = interval_text(lost) if low or pruned else ""
        yield (
            _low(ones[0]),
            _pruned(ones[0]),
            *costs,
            range_text([one.ap50 for one in ones]),
            change,
            seeds_text(lost),
            str(lost.n),
        )


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
        yield str(stage), *means, mean_and_range(changes, "+.2f"), canvases
