"""Random layers run side by side with SCALE-Sim 3.0.0 in its own environment."""

from __future__ import annotations

import random
from pathlib import Path
from tempfile import TemporaryDirectory

from mixarray_analysis.validation.check import Check, Mutants, Outcome, Progress, Tier
from mixarray_analysis.validation.scalesim.compare import Subject, compare_run, first_of
from mixarray_analysis.validation.scalesim.faults import caught_faults
from mixarray_analysis.validation.scalesim.peer import SCALESIM, ask
from mixarray_analysis.validation.scalesim.questions import random_question

LAYERS = 5
"""Layers of one topology."""
QUESTIONS = 12
"""Topologies that one process of SCALE-Sim answers; starting it takes a second."""
MUTANT_QUESTIONS = 24


def run(cases: int, seed: int, progress: Progress) -> Outcome:
    """One random layer per case."""
    draw = random.Random(seed)
    sizes = [min(LAYERS, cases - first) for first in range(0, cases, LAYERS)]
    found: list[str] = []
    for first in range(0, len(sizes), QUESTIONS):
        questions = [random_question(draw, layers) for layers in sizes[first : first + QUESTIONS]]
        with TemporaryDirectory() as folder:
            compared = [text for reply in ask(questions, Path(folder)) for text in compare_run(Subject(), reply.run)]
        progress(len(compared))
        found += compared
    return Outcome(len(found), sum(map(bool, found)), first_of(found))


def mutants(seed: int) -> Mutants:
    """Reader and rule with one fault each, on the same random layers."""
    draw = random.Random(seed)
    with TemporaryDirectory() as folder:
        replies = ask([random_question(draw, LAYERS) for _ in range(MUTANT_QUESTIONS)], Path(folder))
        return caught_faults([reply.run for reply in replies])


CHECK = Check(
    name="scalesim_peer",
    title="cycles, SRAM counts and utilisations of random layers, side by side",
    against="SCALE-Sim 3.0.0, run here",
    rule="SCALE-Sim's rule in closed form, `mixarray/timing/scalesim.py`, and our readers of its files",
    source="SCALE-Sim 3.0.0 itself, on the same files",
    agreement="equal cycles and counts; utilisations to 1e-12, for sums in another order",
    tier=Tier.PEERS,
    cases=300,
    run=run,
    mutants=mutants,
    needs=(SCALESIM,),
)
