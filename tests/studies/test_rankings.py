"""Rankings at equal ratios: the same counts for all, an exact reverse, paired differences."""

from __future__ import annotations

import math

import pytest
import torch

from mixarray.errors import InputError
from mixarray_traces.importance.context import ImageFacts, Score, ScoreContext
from mixarray_traces.importance.order import rank_windows
from mixarray_traces.importance.registry import load_score
from mixarray_traces.model.windows import WindowGrid
from mixarray_traces.quantization.quantized import QuantizedDetector
from mixarray_traces.quantization.ratios import RatioChoice
from mixarray_traces.studies.rankings import Ranking, compare_rankings, score_of


def context() -> ScoreContext:
    tokens = torch.randn(2, 21, 16, 8, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    facts = tuple(ImageFacts(seed, torch.tensor([[2.0, 2.0, 30.0, 40.0]])) for seed in (1, 2))
    return ScoreContext(tokens, tokens, WindowGrid(21, 16, 7, 3), 0, 4, facts)


def reverse_violation(true: Score, reversed_one: Score) -> str:
    """Whether one ranking is not the other read backwards."""
    ranks = [rank_windows(score(context()).numpy()) for score in (true, reversed_one)]
    return "" if (ranks[0] + ranks[1] == ranks[0].shape[1] - 1).all() else "not the reverse"


@pytest.mark.parametrize("name", ["centered_l2", "sparsevit", "l2"])
def test_reversed_is_the_exact_reverse_of_the_true_ranking(name: str) -> None:
    true, turned = score_of(Ranking.TRUE, name), score_of(Ranking.REVERSED, name)
    assert reverse_violation(true, turned) == ""
    assert reverse_violation(true, true) != ""
    assert reverse_violation(true, score_of(Ranking.RANDOM, name)) != ""
    other = "l2" if name != "l2" else "sparsevit"
    assert reverse_violation(load_score(other), turned) != ""


def test_random_and_oracle_are_the_scores_of_these_names() -> None:
    for ranking in (Ranking.RANDOM, Ranking.ORACLE):
        assert score_of(ranking, "l2") is load_score(ranking.value)


def test_all_rankings_run_the_same_counts_on_the_same_canvases(model: QuantizedDetector) -> None:
    rows = compare_rankings(model, [RatioChoice(400, 200), 400], n=2, size=112)
    assert [row.ranking for row in rows] == [*Ranking, *Ranking]
    for part in (rows[:4], rows[4:]):
        assert len({(row.low_actual, row.pruned_actual, row.compression, row.pruning, row.n) for row in part}) == 1
        assert (part[0].difference, part[0].difference_low, part[0].difference_high) == (0, 0, 0)
    assert rows[0].pruned_actual > 0 == rows[4].pruned_actual
    for row in rows:
        true = rows[0] if row in rows[:4] else rows[4]
        assert row.difference == pytest.approx(row.ap50 - true.ap50)
        assert row.ap50_low <= row.ap50 <= row.ap50_high


def test_without_the_true_ranking_there_is_no_difference(model: QuantizedDetector) -> None:
    (row,) = compare_rankings(model, [400], n=1, size=112, rankings=(Ranking.RANDOM,))
    assert math.isnan(row.difference)
    with pytest.raises(InputError, match="unknown"):
        compare_rankings(model, [400], n=1, size=112, score="loud")
