"""The list of runs: complete, in order, and of equal cost where it says so."""

from __future__ import annotations

from pathlib import Path

from mixarray.trace.ratio import group_sizes
from mixarray_analysis.reproduction.claims import EQUAL_COSTS, MIXED, REVERSED_PAIRS, ptq_claims, qat_claims
from mixarray_analysis.reproduction.runs import PTQ_MODELS, Places, command_line, every_run

from .conftest import settings_of

WINDOWS = (256, 64, 16)
"""Of a block in each stage of the shipped model at 448 px."""


def halves(compression: int, pruning: int, windows: int) -> int:
    """What a block's windows cost, in halves of a high one."""
    high, low, _ = group_sizes(windows, compression, pruning)
    return 2 * high + low


def test_a_run_stands_behind_what_it_needs() -> None:
    seen: set[str] = set()
    for run in every_run():
        assert run.name not in seen
        assert set(run.needs) <= seen, run.name
        seen.add(run.name)


def test_every_place_and_number_of_a_command_is_filled() -> None:
    places = Places(Path("W"), Path("R"), 7, 100, 4)
    assert all("{" not in command_line(run, places) + places.fill(run.makes) for run in every_run())


def test_every_side_of_a_claim_is_measured_by_a_run() -> None:
    runs = {run.name: settings_of(run) for run in every_run() if run.words[0] == "evaluate"}
    claims = [*qat_claims(), *(claim for model in PTQ_MODELS for claim in ptq_claims(model))]
    for side in (side for claim in claims for side in (claim.one, claim.other)):
        for model in side.models:
            assert (side.compression, side.pruning) in runs[f"{model}/{side.what}"]


def test_what_is_compared_at_equal_cost_costs_the_same_in_every_block() -> None:
    pairs = [((q, 0), (0, p)) for q, p in (*EQUAL_COSTS, *REVERSED_PAIRS)]
    pairs += [((q, p), (0, alone)) for q, p, alone, *_ in MIXED]
    for one, other in pairs:
        assert all(halves(*one, windows) == halves(*other, windows) for windows in WINDOWS), (one, other)


def test_plain_tenths_would_not_cost_the_same() -> None:
    assert any(halves(400, 0, windows) != halves(0, 200, windows) for windows in WINDOWS)
