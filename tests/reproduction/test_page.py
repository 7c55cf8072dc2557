"""The page: what the results say, a row per claim, nothing invented."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from mixarray.errors import InputError
from mixarray_analysis.reproduction.budgets import shorter_beside
from mixarray_analysis.reproduction.cells import CLAIM_HEADINGS, claim_row, cost_of
from mixarray_analysis.reproduction.claims import NOT_TRIED, ptq_claims, qat_claims
from mixarray_analysis.reproduction.draw import draw, page
from mixarray_analysis.reproduction.page import page_text
from mixarray_analysis.reproduction.results import Results
from mixarray_analysis.reproduction.runs import (
    ADAPTED,
    FEWER_CONTROL,
    FEWER_TRAINED,
    JOINT,
    PTQ_MACHINES,
    PTQ_MODELS,
    QAT_MACHINES,
)
from mixarray_analysis.reproduction.sentences import gain_sentence, verdicts_sentence

from .conftest import plain_accuracy, write_all, write_csv

DOCS = Path(__file__).parents[2] / "docs"
LARGEST_FIGURE_BYTES = 200_000
CLAIMS = (*qat_claims(), *(claim for model in PTQ_MODELS for claim in ptq_claims(model)))
NUMBER, VERDICT = CLAIM_HEADINGS.index("n"), CLAIM_HEADINGS.index("verdict")


def test_the_committed_page_is_what_the_committed_results_give() -> None:
    assert page(DOCS) == (DOCS / "reproduction.md").read_text(encoding="utf-8")


def test_committed_figures_are_small() -> None:
    sizes = {path.name: path.stat().st_size for path in (DOCS / "reproduction").glob("*.png")}
    assert all(size < LARGEST_FIGURE_BYTES for size in sizes.values()), sizes


def test_every_claim_has_a_row(results: Results) -> None:
    text = page_text(results, {})
    for claim in CLAIMS:
        assert f"| {claim.said} | {claim.published} ({claim.source}) |" in text
    assert all(said in text for said, *_ in NOT_TRIED)


def test_every_measured_row_says_n_and_a_verdict(results: Results) -> None:
    rows = [claim_row(claim, results) for claim in CLAIMS]
    assert all(row[NUMBER] == "64" and row[VERDICT] for row in rows)


def test_without_results_nothing_is_said_of_accuracy(tmp_path: Path) -> None:
    rows = [claim_row(claim, Results(tmp_path)) for claim in CLAIMS]
    assert all("not measured yet" in " ".join(row) and not row[VERDICT] for row in rows)
    assert "not measured yet" in page_text(Results(tmp_path), {})


@pytest.mark.parametrize(
    ("change", "verdict"), [(0.05, "seen"), (-0.05, "opposite"), (0.0, "within noise")], ids=["gain", "loss", "none"]
)
def test_a_verdict_follows_the_results(tmp_path: Path, change: float, verdict: str) -> None:
    changed = write_all(tmp_path, lambda run, q, p: plain_accuracy(run, q, p) + change * run.startswith("saqa"))
    claim = next(claim for claim in qat_claims() if claim.said.endswith("equal budget"))
    assert claim_row(claim, changed)[VERDICT].startswith(verdict)


def test_one_seed_that_disagrees_takes_the_verdict_away(tmp_path: Path) -> None:
    gains = {"saqa_s0": 0.09, "saqa_s1": 0.09, "saqa_s2": -0.01}
    changed = write_all(tmp_path, lambda run, q, p: plain_accuracy(run, q, p) + gains.get(run.split("/")[0], 0.0))
    claim = next(claim for claim in qat_claims() if claim.said.endswith("equal budget"))
    assert claim_row(claim, changed)[VERDICT].startswith("within noise")


def test_after_training_pruning_is_judged_by_the_model_adapted_to_it(tmp_path: Path) -> None:
    """What the SAQA models do when pruned decides none of these claims."""

    def verdicts(model: str) -> list[str]:
        def accuracy(run: str, q: int, p: int) -> float:
            return plain_accuracy(run, q, p) + 0.5 * (run.startswith(model) and p > 0 and q == 0)

        changed = write_all(tmp_path / model, accuracy)
        rows = [claim_row(claim, changed) for claim in qat_claims() if "pruning" in claim.said]
        return [row[VERDICT].split(" (")[0] for row in rows]

    plain, other, adapted, joint = (verdicts(name) for name in ("none", "saqa_s", ADAPTED, JOINT))
    won = ["opposite"] * 2 + ["seen"] * 2 + ["opposite"] * 2
    assert other == plain
    assert adapted == ["seen"] * 2 + won + plain[8:]
    assert joint == plain[:8] + won


def test_fewer_bits_are_judged_at_an_equal_budget(tmp_path: Path) -> None:
    def verdict(model: str) -> str:
        changed = write_all(tmp_path / model, lambda run, q, p: plain_accuracy(run, q, p) - 0.2 * run.startswith(model))
        return next(claim_row(claim, changed)[VERDICT] for claim in qat_claims() if "W4A3" in claim.said)

    assert [verdict(name) for name in ("none", FEWER_TRAINED, FEWER_CONTROL)] == ["opposite", "opposite", "seen"]


def test_unlike_canvases_are_not_compared(results: Results, tmp_path: Path) -> None:
    copy = _copy(results, tmp_path)
    write_all(tmp_path / "more", n=128)
    shutil.copytree(tmp_path / "more" / "control_s1", copy.directory / "control_s1", dirs_exist_ok=True)
    claim = next(claim for claim in qat_claims() if claim.said.endswith("equal budget"))
    assert "on equal canvases (now 64, 128)" in " ".join(claim_row(claim, copy))


def _without_n(text: str) -> str:
    return text.replace(",n,", ",m,")


def _one_column_less(text: str) -> str:
    return "\n".join(line.rpartition(",")[0] for line in text.splitlines()) + "\n"


@pytest.mark.parametrize(
    ("file", "fault", "error"),
    [("ratios.csv", _without_n, KeyError), ("ratios.resamples.csv", _one_column_less, InputError)],
)
def test_a_damaged_result_is_refused(
    results: Results, tmp_path: Path, file: str, fault: Callable[[str], str], error: type[Exception]
) -> None:
    copy = _copy(results, tmp_path)
    path = copy.directory / "saqa_s0" / file
    path.write_text(fault(path.read_text(encoding="utf-8")), encoding="utf-8")
    with pytest.raises(error):
        page_text(copy, {})


def test_searched_ratios_and_sqnr(results: Results) -> None:
    text = page_text(results, {})
    assert "| 0.740, 0.740, 0.740 | -0.002 [-0.015, +0.014] | 3: -0.002 to -0.002 | 500 | within noise" in text
    assert "| 2 | 8.00 | 9.00 | +1.00 (+1.00 to +1.00) | 32 |" in text
    assert "| a | cycles | 1 | 1.020 | +2.00% (+1.00% to +3.00%) | 16, 15 |" in text
    assert "| a | cycles | all 2: mean (range) | 1.015 (1.010 to 1.020) | +2.00% (+2.00% to +2.00%) |  |" in text
    assert "| b | cycles | 0 | n/a | n/a (n/a to n/a) | 3, 2 |" in text
    near = "13,365 (220) | 140 to 141 | 0.900 (0.900 to 0.900) | 0.010 (0.010 to 0.010) | 2.00% (5.00%)"
    assert f"| decoupled_int8_int4 | {near} |" in text


@pytest.mark.parametrize(
    ("gains", "said"),
    [((0.02, 0.01), "every seed gains"), ((-0.02, -0.01), "every seed loses"), ((0.02, -0.01), "the seeds disagree")],
)
def test_what_searching_on_hardware_was_worth(
    results: Results, tmp_path: Path, gains: tuple[float, float], said: str
) -> None:
    copy = _copy(results, tmp_path)
    rows = [("accelerator", "gain_mean"), *(("a", gain) for gain in gains), ("b", "")]
    write_csv(copy.directory / "search" / "compare.csv", rows)
    assert gain_sentence(copy) == (
        f"So, searching on cycles instead of BOPs: on a {said} ({min(gains):+.2%} to {max(gains):+.2%})."
    )


def test_verdicts_are_counted(results: Results, tmp_path: Path) -> None:
    counts = [int(word) for word in re.findall(r"\d+", verdicts_sentence(results))]
    assert counts[0] == len(CLAIMS) == sum(counts[1:])
    assert verdicts_sentence(Results(tmp_path)).endswith(f": {len(CLAIMS)} not measured yet.")


def test_what_rankings_are_worth(results: Results) -> None:
    text = page_text(results, {})
    assert "| l2 | 37.5 (39.1) | 0.700 [0.650, 0.750] |  | 64 |" in text
    assert "| random | 37.5 (39.1) | 0.600 [0.650, 0.750] | -0.100 [-0.110, +0.010] | 64 |" in text
    assert "| sparsevit, reversed | 37.5 (39.1) | 0.500" in text


def test_a_training_is_told_with_its_budget_and_time(results: Results, tmp_path: Path) -> None:
    copy = _copy(results, tmp_path)
    lines = "uniform_s0,600\nuniform_s1,1200\nuniform_s0,900\n"
    (copy.directory / "times.csv").write_text(lines, encoding="utf-8")
    text = page_text(copy, {})
    assert "| uniform | 32,000 of 112 px, 16 a step | 15 to 20 |" in text
    assert "| control | 32,000 + 32,000 of 112 px, 16 a step | not noted |" in text
    assert "A search took" not in text
    (copy.directory / "times.csv").write_text("bops_s0,600\ncycles_packed_w4_32x32_s2,1210\n", encoding="utf-8")
    assert "A search took 10 to 20 minutes of one core" in page_text(copy, {})


@pytest.mark.parametrize(("model", "cost"), [("shipped_a6", 6 / 8), ("uniform_a3_s0", 3 / 4)])
def test_fewer_bits_everywhere_cost_their_share(results: Results, model: str, cost: float) -> None:
    """Of the bits; of the cycles what simulating them says."""
    found = cost_of(model, 0, 0, results)
    assert found.bops == cost
    assert set(found.cycles.values()) == {0.9}
    assert set(found.cycles) == set(QAT_MACHINES if "_s" in model else PTQ_MACHINES)


def test_the_sentence_on_hardware_follows_the_cycles(results: Results) -> None:
    said = "which has no 2-bit modes, takes 0.800 to 0.938 times the cycles of ratio 0"
    assert said in page_text(results, {})
    assert "with every window low, 0.750 and 0.750 times" in page_text(results, {})


def test_steps_from_the_claim_to_cycles(results: Results) -> None:
    text = page_text(results, {})
    assert "| step 0 | 1.400x | 1.400x | 1.400x | 1.400x | 1.400x | 1.400x |" in text
    assert "| step 2 | 1.200x | 1.000x | 1.200x | 1.000x | 1.200x | 1.000x |" in text


def test_all_is_drawn_where_all_is_measured(results: Results, tmp_path: Path) -> None:
    copy = _copy(results, tmp_path / "reproduction")
    shutil.copytree(results.directory, shorter_beside(copy).directory)
    written = draw(copy.directory.parents[1])
    assert [path.name for path in written] == ["ptq.png", "qat.png", "reproduction.md"]
    assert "not measured yet" not in written[-1].read_text(encoding="utf-8")
    assert page(copy.directory.parents[1]) == written[-1].read_text(encoding="utf-8")


def _copy(results: Results, place: Path) -> Results:
    return Results(Path(shutil.copytree(results.directory, place / "results")))
