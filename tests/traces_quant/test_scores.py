"""Importance scores: one conformance test over all of them, formulas by hand, and the AUC."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
import torch
from torch import Tensor

from mixarray.errors import InputError
from mixarray_traces.data.items import Split
from mixarray_traces.importance.auc import auc, auc_table, stage_entries
from mixarray_traces.importance.context import ImageFacts, ScoreContext, object_tokens
from mixarray_traces.importance.default import DEFAULT_SCORE, DEFAULT_TOKEN_MAP, PAPER_SCORE
from mixarray_traces.importance.order import rank_windows
from mixarray_traces.importance.registry import load_score, score_names, token_map_of
from mixarray_traces.importance.token_map import TokenMap
from mixarray_traces.model.detector import Detector
from mixarray_traces.model.windows import WindowGrid


def context(shift: int = 0, height: int = 16, width: int = 10) -> ScoreContext:
    generator = torch.Generator().manual_seed(4)
    tokens = torch.randn(2, height, width, 6, generator=generator, dtype=torch.float64) + 0.3
    premerge = torch.randn(2, height, width, 12, generator=generator, dtype=torch.float64)
    boxes = torch.tensor([[3.0, 5.0, 9.0, 12.0]], dtype=torch.float64)
    images = (ImageFacts(1, boxes), ImageFacts(2, boxes + 20))
    return ScoreContext(tokens, premerge, WindowGrid(height, width, 7, shift), 1, 4, images)


def test_all_expected_scores_are_discovered() -> None:
    expected = {"centered_l2", "l2", "oracle", "premerge", "random", "reversed", "sparsevit"}
    assert set(score_names()) == expected
    assert {DEFAULT_SCORE, PAPER_SCORE} <= expected


@pytest.mark.parametrize("shift", [0, 3])
@pytest.mark.parametrize("name", score_names())
def test_every_score_conforms(name: str, shift: int) -> None:
    seen = context(shift)
    before = seen.tokens.clone()
    scores = load_score(name)(seen)
    assert scores.shape == (2, seen.grid.count)
    assert bool(torch.isfinite(scores).all())
    assert torch.equal(scores, load_score(name)(context(shift)))
    assert torch.equal(seen.tokens, before)


@pytest.mark.parametrize("name", score_names())
def test_a_score_reads_what_its_token_map_says(name: str) -> None:
    seen = context()
    reads = {
        TokenMap.NONE: (False, False, False),
        TokenMap.TOKENS: (True, True, False),
        TokenMap.CENTERED: (False, True, False),
        TokenMap.PREMERGE: (False, False, True),
    }[token_map_of(name)]
    changes = (
        dataclasses.replace(seen, tokens=seen.tokens + 1),
        dataclasses.replace(seen, tokens=seen.tokens.square()),
        dataclasses.replace(seen, premerge=seen.premerge + 1),
    )
    scores = load_score(name)
    assert tuple(not torch.allclose(scores(seen), scores(changed)) for changed in changes) == reads


def test_the_default_token_map_is_the_one_of_the_default_score() -> None:
    assert token_map_of(DEFAULT_SCORE) is DEFAULT_TOKEN_MAP


def windows_by_loop(token_map: Tensor, shift: int) -> np.ndarray:
    """L2 per window of one padded and rolled map, written as loops."""
    padded = np.zeros((21, 14))
    padded[:16, :10] = token_map.numpy()
    sums = np.zeros((3, 2))
    for row in range(21):
        for column in range(14):
            sums[row // 7, column // 7] += padded[(row + shift) % 21, (column + shift) % 14] ** 2
    return np.sqrt(sums).reshape(-1)


@pytest.mark.parametrize("shift", [0, 3])
def test_formulas_by_hand(shift: int) -> None:
    seen = context(shift)
    first = seen.tokens[0]
    by_hand = {
        "sparsevit": first.abs().mean(-1),
        "l2": first.square().sum(-1).sqrt(),
        "centered_l2": (first - first.reshape(-1, 6).mean(0)).square().sum(-1).sqrt(),
        "premerge": seen.premerge[0].square().sum(-1).sqrt(),
    }
    for name, token_map in by_hand.items():
        expected = windows_by_loop(token_map, shift)
        np.testing.assert_allclose(load_score(name)(seen)[0].numpy(), expected, rtol=1e-12)


def test_the_reverse_ranks_the_other_way_round() -> None:
    seen = context()
    assert torch.equal(load_score("reversed")(seen), -load_score(DEFAULT_SCORE)(seen))


def test_random_depends_on_image_and_grid_but_not_on_pixels() -> None:
    one, two = load_score("random")(context()), load_score("random")(context(3))
    assert not torch.equal(one[0], one[1])
    assert not torch.equal(one, two)


def test_object_tokens_overlap_boxes() -> None:
    covered = object_tokens(context())[0]
    # Box x 3..9, y 5..12 at 4 px per token: columns 0..2, rows 1..2.
    assert covered[1:3, 0:3].sum() == covered.sum() == 6


def test_equal_scores_rank_by_window_number() -> None:
    scores = np.array([[0.5, 2.0, 0.5, 2.0], [1.0, 1.0, 1.0, 3.0]])
    assert rank_windows(scores).tolist() == [[2, 0, 3, 1], [1, 2, 3, 0]]


@torch.no_grad()
def test_scores_see_the_float_model_at_stage_entry(detector: Detector) -> None:
    images = torch.randn(1, 3, 200, 220, generator=torch.Generator().manual_seed(0))
    entries = stage_entries(detector, images, (ImageFacts(),))
    features = detector.backbone.patch_embed(images)
    for index, stage in enumerate(detector.backbone.layers):
        features = features if index == 0 else stage.downsample(features)  # type: ignore[union-attr, operator]
        seen = [entry for entry in entries if entry.stage == index]
        assert {entry.grid.shift for entry in seen} == {0, 3}
        for entry in seen:
            torch.testing.assert_close(entry.tokens, features, rtol=1e-4, atol=1e-4)
        for block in stage.blocks:  # type: ignore[union-attr]
            features = block(features)


def test_unknown_score_and_missing_boxes_are_refused() -> None:
    with pytest.raises(InputError, match="sparsevit"):
        load_score("loudness")
    blind = ScoreContext(
        *(getattr(context(), f) for f in ("tokens", "premerge", "grid", "stage", "stride")), (ImageFacts(),) * 2
    )
    with pytest.raises(ValueError, match="boxes"):
        load_score("oracle")(blind)


def test_auc_by_hand() -> None:
    scores = np.array([0.1, 0.4, 0.35, 0.8])
    assert auc(scores, np.array([False, False, True, True])) == 0.75
    assert auc(np.ones(4), np.array([True, False, True, False])) == 0.5
    assert np.isnan(auc(scores, np.zeros(4, bool)))


def test_auc_table_of_oracle_and_chance(detector: Detector) -> None:
    rows = auc_table(detector, n=4, size=224, split=Split.TEST, scores=("oracle", "random"))
    first = {row.score: row for row in rows if row.stage == 0 and row.grid == "regular"}
    assert first["oracle"].auc == 1.0
    assert 0.3 < first["random"].auc < 0.7
    assert {(row.stage, row.grid) for row in rows} == {(s, g) for s in range(3) for g in ("regular", "shifted")}
