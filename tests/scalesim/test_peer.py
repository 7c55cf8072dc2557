"""SCALE-Sim 3.0.0 itself, side by side in its own environment."""

from __future__ import annotations

import random
from dataclasses import replace
from pathlib import Path

import pytest

from mixarray.trace.scalesim_topology import topology_form
from mixarray_analysis.scalesim_result import compute_report
from mixarray_analysis.topologies import time_as_scalesim
from mixarray_analysis.validation.checks.scalesim_peer import CHECK
from mixarray_analysis.validation.scalesim.compare import PeerRun
from mixarray_analysis.validation.scalesim.golden import golden_runs
from mixarray_analysis.validation.scalesim.peer import Question, Reply, ask
from mixarray_analysis.validation.scalesim.questions import config_text, random_question

pytestmark = [pytest.mark.full, pytest.mark.needs("scalesim")]
SMALL_CYCLES = 5_000


def ask_again(run: PeerRun, folder: Path) -> Reply:
    texts = run.config.read_text(encoding="utf-8"), run.topology.read_text(encoding="utf-8")
    (reply,) = ask([Question(*texts, topology_form(run.topology))], folder)
    return reply


@pytest.mark.parametrize("seed", [1, 2])
def test_random_layers_agree(seed: int) -> None:
    outcome = CHECK.run(CHECK.cases, seed, lambda _: None)
    assert (outcome.cases, outcome.mismatches, outcome.first_mismatch) == (CHECK.cases, 0, "")


def test_every_fault_is_noticed() -> None:
    mutants = CHECK.mutants(0)
    assert mutants.planted == mutants.caught
    assert len(mutants.planted) >= 23


def test_golden_files_are_what_it_answers_today(tmp_path: Path) -> None:
    """The recorded runs of small layers; the GEMMs of Swin-T take minutes (`make bench` compares those)."""
    runs = [run for run in golden_runs() if max(a.timing.compute_cycles for a in run.answers) <= SMALL_CYCLES]
    assert len(runs) >= 10
    for number, run in enumerate(runs):
        assert ask_again(run, tmp_path / str(number)).run.answers == run.answers, run.config.name


def test_the_compute_report_is_its_own_but_for_the_prefetch(tmp_path: Path) -> None:
    """Same header, same punctuation, same columns; utilisations but for the order of their sums."""
    (reply,) = ask([replace(random_question(random.Random(3), 8), config=config_text(8, 4, "ws"))], tmp_path)
    ours = compute_report(time_as_scalesim(reply.run.topology, reply.run.config, out=None, force=False)).splitlines()
    theirs = reply.compute_report.splitlines()
    assert ours[0] == theirs[0]
    assert len(ours) == len(theirs) == 9
    for own, other in zip(ours[1:], theirs[1:], strict=True):
        mine, its = own.split(", "), other.split(", ")
        assert mine[0] == its[0]
        assert mine[2:4] == its[2:4]
        assert [float(cell.rstrip(",")) for cell in mine[4:]] == pytest.approx([float(c.rstrip(",")) for c in its[4:]])
        assert own.endswith(",")
        assert other.endswith(",")
