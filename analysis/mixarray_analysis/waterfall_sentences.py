"""Three sentences about one waterfall, built from its steps and from counters of the runs."""

from __future__ import annotations

from fractions import Fraction

from mixarray.engine.effects import STREAM_EFFECTS, Effect
from mixarray_analysis.explaining import Explanation, Lever
from mixarray_analysis.sentence import words_for
from mixarray_analysis.speedup import arrived_share
from mixarray_analysis.waterfall_steps import Step, Waterfall


def tell(found: Explanation) -> tuple[str, str, str]:
    """What was promised and what arrived; the largest loss and its counter; what to change."""
    return _arrival(found), _loss(found), _change(found)


def _arrival(found: Explanation) -> str:
    falls = found.waterfall
    share = arrived_share(float(falls.promised), float(falls.simulated))
    head = (
        f"{found.subject.accelerator.name}: BOPs promise {_times(falls.promised)}, {_times(falls.simulated)} simulated"
    )
    last = falls.steps[-1]
    went = f"cycles went from {_count(last.against_cycles)} to {_count(last.cycles)}"
    if share is None:
        return f"{head}; {went}."
    what = "of the promised gain arrived" if share >= 0 else "of the promised gain, a slowdown"
    return f"{head}: {100 * share:.1f} % {what}; {went}."


def _loss(found: Explanation) -> str:
    worst = found.waterfall.worst()
    if worst is None:
        return "No step takes anything from the speedup."
    low, high = worst.range
    size = f"{float(worst.bar):+.3f}x ({float(low):+.3f} to {float(high):+.3f} by the order of steps)"
    streams = Effect(worst.number) in STREAM_EFFECTS
    counter = _stream_counter(found.waterfall, worst) if streams else _added_counter(found, worst)
    return f"The largest loss is step {worst.number}, {worst.name}: {size}; {counter}."


def _stream_counter(falls: Waterfall, step: Step) -> str:
    before = falls.steps[step.number - 1]
    return (
        f"without it GEMMs take {_count(before.against_cycles)} and {_count(before.cycles)} cycles of the arrays, with "
        f"it {_count(step.against_cycles)} and {_count(step.cycles)}{_why_wider(step)}"
    )


def _why_wider(step: Step) -> str:
    """Why bits gain nothing, behind the counters of the step in which they stop to."""
    if step.number != Effect.MODES:
        return ""
    return ": the arrays have no mode as narrow as some operands, which take the cycles of a wider one"


def _added_counter(found: Explanation, step: Step) -> str:
    before = found.waterfall.steps[step.number - 1]
    added = step.against_cycles - before.against_cycles, step.cycles - before.cycles
    busy = " and ".join(map(_count, found.busy[Effect(step.number)]))
    return (
        f"it adds {_count(added[0])} cycles to {_count(before.against_cycles)} of the baseline and {_count(added[1])} "
        f"to {_count(before.cycles)} of the run; its jobs keep their units busy for {busy}"
    )


def _change(found: Explanation) -> str:
    lever = found.lever
    if lever is None:
        return "Nothing but streams is on the critical chain: only fewer passes of the arrays make this run faster."
    share = 100 * lever.attributed_cycles / lever.total_cycles
    return (
        f"Beside streams, {words_for(lever.kind)} ({lever.unit}) holds the most of the run's critical chain, "
        f"{lever.attributed_cycles:,.0f} of {lever.total_cycles:,.0f} cycles ({share:.1f} %): {_without(lever)}."
    )


def _without(lever: Lever) -> str:
    speedup = lever.free_against_cycles / lever.free_cycles
    return f"with these jobs free in both runs, this one takes {_count(lever.free_cycles)} cycles, {_times(speedup)}"


def _times(speedup: Fraction) -> str:
    return f"{float(speedup):.3f}x"


def _count(cycles: Fraction) -> str:
    return f"{float(cycles):,.0f}"
