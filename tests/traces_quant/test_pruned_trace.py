"""Pruned windows, whole-block padding and repeated rankings in the trace, and what the simulator counts of them."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from mixarray.accelerator.load import load_accelerator
from mixarray.errors import InputError
from mixarray.mapping.own_work import pruned_rows
from mixarray.simulation import Simulation, simulate
from mixarray.trace.baseline import ratio_zero_workload
from mixarray.trace.bops import bops
from mixarray.trace.bundle import WINDOWS, Bundle, read_bundle, rehash
from mixarray.trace.inspect import inspect_bundle
from mixarray.trace.manifest import Derived, Manifest
from mixarray.trace.model import OperatorKind
from mixarray.trace.padding import WHOLE_BLOCK_NOTE, Padding
from mixarray.trace.ratio import Promotion
from mixarray.trace.workload import GroupedOperator, Workload
from mixarray_traces.quantization.quantized import QuantizedDetector
from mixarray_traces.quantization.ratios import AnyRatios, RatioChoice, Ratios
from mixarray_traces.record.images import canvas_images
from mixarray_traces.record.random_trace import random_bundle
from mixarray_traces.record.recorder import TensorMode, record, shape_of
from mixarray_traces.record.shape import SwinShape

SMALL = SwinShape("small", channels=(32, 64), depths=(2, 2), heads=(1, 2))
PACKED = "packed_w4_32x32"


def small(path: Path, ratio: AnyRatios, padding: Padding = Padding.ATTENTION, side: int = 200) -> Bundle:
    """A random bundle of 50x50 and 25x25 tokens (64 and 16 windows): both stages pad."""
    return read_bundle(random_bundle(SMALL, side, side, ratio, 3, path, padding=padding))


def pruned_violation(workload: Workload, counts: dict[tuple[int, int], tuple[int, int]]) -> str:
    """A GEMM of a block whose rows are not those of its kept windows, or nothing.

    counts: (kept windows, their real tokens) by (stage, block).
    """
    for grouped in workload.operators:
        op = grouped.operator
        if op.kind is not OperatorKind.GEMM or op.block < 0:
            continue
        kept, tokens = counts[op.stage, op.block]
        rows = sum(group.batch * group.rows for group in grouped.groups)
        heads = SMALL.heads[op.stage] if op.batch > 1 else 1
        expected = tokens if "mlp" in op.name else kept * 49 * heads
        if rows != expected or any(group.bits == 0 for group in grouped.groups):
            return f"{op.name}: {rows} rows, {expected} of kept windows"
    return ""


def kept_of(bundle: Bundle) -> dict[tuple[int, int], tuple[int, int]]:
    table, found = bundle.windows, {}
    for (_, stage, block), rows in table.blocks():
        kept = table.bits[rows] > 0
        found[stage, block] = int(kept.sum()), int(table.tokens[rows][kept].sum())
    return found


def test_no_gemm_has_rows_of_pruned_windows(tmp_path: Path) -> None:
    bundle = small(tmp_path / "bundle", RatioChoice(300, 200))
    workload = bundle.workload(0)
    assert pruned_violation(workload, kept_of(bundle)) == ""
    assert {(stage, kept) for (stage, _), (kept, _) in kept_of(bundle).items()} == {(0, 51), (1, 12)}
    whole = replace(workload, operators=tuple(_with_pruned_low(grouped) for grouped in workload.operators))
    assert "rows" in pruned_violation(whole, kept_of(bundle))


def _with_pruned_low(grouped: GroupedOperator) -> GroupedOperator:
    """The fault: pruned windows join the last group."""
    rows = pruned_rows(grouped)
    if not rows or not grouped.groups:
        return grouped
    last = grouped.groups[-1]
    return replace(grouped, groups=(*grouped.groups[:-1], replace(last, rows=last.rows + rows // last.batch)))


def test_gemms_have_the_macs_of_the_kept_windows(tmp_path: Path) -> None:
    """Operator by operator; outside the blocks all of them."""
    workloads = {}
    for name, ratio in {"whole": 0, "pruned": RatioChoice(0, 500)}.items():
        bundle = small(tmp_path / name, ratio)
        workloads[name] = bundle, bundle.workload(0)
    (bundle, pruned), (_, whole) = workloads["pruned"], workloads["whole"]
    kept = kept_of(bundle)
    for one, all_of_it in zip(pruned.operators, _same_operators(pruned, whole), strict=True):
        op = one.operator
        if op.kind is OperatorKind.GEMM and op.block >= 0:
            windows, tokens = kept[op.stage, op.block]
            share = tokens / op.m if "mlp" in op.name else windows / (64, 16)[op.stage]
            assert one.macs == pytest.approx(all_of_it.macs * share)
        elif op.block < 0:
            assert one.macs == all_of_it.macs
    assert bops(pruned) / bops(whole) == pytest.approx(0.5, abs=0.03)


def test_the_machine_counts_the_kept_share_of_pruned_blocks_and_all_else_as_before(tmp_path: Path) -> None:
    """The mark switched off: what was pruned runs high. Only the second pair of blocks of the first stage prunes.

    There every count of arrays and vector units falls exactly to the share of kept windows (attention) or of their real
    tokens (all else); elsewhere none changes, but the ranking that pruning needs is there or not.
    """
    shape = SwinShape("four", channels=(32, 64), depths=(4, 2), heads=(1, 2))
    machine, done = load_accelerator(PACKED), {}
    for name, pruning in {"whole": 0, "pruned": 500}.items():
        ratios = Ratios(((0, 0), (0,)), ((0, pruning), (0,)))
        bundle = read_bundle(random_bundle(shape, 200, 200, ratios, 3, tmp_path / name))
        done[name] = bundle, simulate(bundle.workload(0), machine)
    (bundle, pruned), (_, whole) = done["pruned"], done["whole"]
    fewer, before = _counted(pruned), _counted(whole)
    added = {operator for operator, _ in fewer.keys() - before.keys()}
    assert added == {f"stages.0.{name}" for name in ("rank.regular", "rank.shifted", "token_map", "token_sum")}
    assert before.keys() <= fewer.keys()
    kept = kept_of(bundle)
    for (operator, action), count in before.items():
        windows, tokens = next((kept[0, n] for n in (2, 3) if f"stages.0.blocks.{n}." in operator), (64, 2500))
        share = Fraction(windows, 64) if ".attn." in operator else Fraction(tokens, 2500)
        assert fewer[operator, action] == share * count, (operator, action)


def _counted(done: Simulation) -> dict[tuple[str, str], int]:
    """Actions of arrays and vector units by (operator, action)."""
    found: Counter[tuple[str, str]] = Counter()
    for counts in done.execution.operators:
        name = done.workload.operators[counts.operator].operator.name
        for action, count in counts.actions.items():
            if action.component.startswith(("arrays.", "vector_units.")):
                found[name, action.name] += count
    return dict(found)


def _same_operators(one: Workload, other: Workload) -> list[GroupedOperator]:
    """The operators of `other` by the names of `one`; a ranking, which a uniform model has not, stands for itself."""
    named = {grouped.operator.name: grouped for grouped in other.operators}
    return [named.get(grouped.operator.name, grouped) for grouped in one.operators]


def test_windows_of_a_recording_say_who_was_pruned(model: QuantizedDetector, tmp_path: Path) -> None:
    ratios = Ratios(((300,), (200,), (0, 300, 100)), ((100,), (300,), (0, 200, 500)))
    bundle = read_bundle(record(model, canvas_images(2, 128), tmp_path / "bundle", ratios, tensors=TensorMode.ALL))
    manifest = bundle.manifest
    assert manifest.pair_ratios_thousandths == ratios.compression
    assert manifest.pair_pruning_thousandths == ratios.pruning
    assert (manifest.pruning_thousandths, manifest.promotion, manifest.padding) == (220, "refused", "attention")
    counts = {key: {c.bits: c.windows for c in value} for key, value in bundle.assignment(1).items()}
    assert counts[0, 1] == {8: 15, 4: 7, 0: 3}
    assert counts[2, 5] == {8: 1, 4: 1, 0: 2}
    table = bundle.windows
    for _, rows in table.blocks():
        order = np.argsort(table.rank[rows])
        assert (np.diff(table.bits[rows][order]) <= 0).all()
    low = bundle.tensors("image-1")["stages.0.blocks.0.mlp.fc1.input@4.shape"]
    tokens = sum(c.tokens for c in bundle.assignment(1)[0, 0] if c.bits == 4)
    assert low.tolist() == [1, tokens, 32]
    assert bundle.pruning_actual == pytest.approx(float((table.bits == 0).mean()))


def block_groups(workload: Workload) -> dict[str, object]:
    """The groups of the GEMMs of all blocks, by name."""
    return {grouped.operator.name: grouped.groups for grouped in workload.operators if grouped.operator.in_block}


@pytest.mark.parametrize(("side", "padding"), [(128, Padding.BLOCK), (224, Padding.ATTENTION)])
def test_a_recording_and_a_random_choice_have_the_same_counts(
    model: QuantizedDetector, tmp_path: Path, side: int, padding: Padding
) -> None:
    """Where every window has the same rows (whole blocks, or no padding) it does not matter which ones are chosen.

    (Gathers and scatters move real tokens alone; row and column sums depend on zero points, which a shape lacks.)
    """
    ratio = RatioChoice(300, 200)
    images = canvas_images(1, side)
    ran = read_bundle(record(model, images, tmp_path / "ran", ratio, tensors=TensorMode.NONE, padding=padding))
    path = random_bundle(shape_of(model.detector), side, side, ratio, 3, tmp_path / "random", padding=padding)
    drawn = read_bundle(path)
    bits = [bundle.windows.bits for bundle in (ran, drawn)]
    assert not np.array_equal(*bits)  # other windows, as many of each kind
    assert block_groups(ran.workload(0)) == block_groups(drawn.workload(0))
    assert (ran.ratio_actual, ran.pruning_actual) == (drawn.ratio_actual, drawn.pruning_actual)
    more = read_bundle(record(model, images, tmp_path / "more", RatioChoice(300, 300), padding=padding))
    assert block_groups(more.workload(0)) != block_groups(drawn.workload(0))


@pytest.mark.parametrize("padding", list(Padding))
def test_windows_that_are_assigned_anew_count_like_those_that_ran(
    model: QuantizedDetector, tmp_path: Path, padding: Padding
) -> None:
    """A trace at another ratio whose windows are replaced: `counts_only`, and the same work, cycles and energy."""
    images, machine, ratios = canvas_images(1, 128), load_accelerator(PACKED), (RatioChoice(300, 200), 0)
    ran, other = (
        read_bundle(record(model, images, tmp_path / f"at-{n}", ratio, tensors=TensorMode.NONE, padding=padding))
        for n, ratio in enumerate(ratios)
    )
    (other.path / WINDOWS).write_bytes((ran.path / WINDOWS).read_bytes())
    rehash(other.path)
    counts = read_bundle(other.path)
    assert (ran.manifest.derived, counts.manifest.derived) == (Derived.NONE, Derived.COUNTS_ONLY)
    assert counts.workload(0).operators == ran.workload(0).operators
    one, same = (simulate(bundle.workload(0), machine) for bundle in (ran, counts))
    assert (one.execution.total_cycles, one.execution.actions) == (same.execution.total_cycles, same.execution.actions)
    assert one.energy.total_pj == same.energy.total_pj
    with pytest.raises(InputError, match="counts_only"):
        _ = counts.identified_windows


def test_a_block_may_be_pruned_whole_and_an_image_may_not(tmp_path: Path) -> None:
    pruned = Ratios(((0,), (0,)), ((0,), (1000,)))
    bundle = small(tmp_path / "block", pruned)
    assert bundle.assignment(0)[1, 0][0].bits == 0
    assert simulate(bundle.workload(0), load_accelerator(PACKED)).execution.total_cycles > 0
    with pytest.raises(InputError, match="every window is pruned"):
        small(tmp_path / "image", RatioChoice(0, 1000))


def test_a_whole_padded_block_has_rows_for_padded_positions(tmp_path: Path) -> None:
    bundles = {padding: small(tmp_path / padding, RatioChoice(300, 200), padding) for padding in Padding}
    changed: Counter[str] = Counter()
    workloads = [bundles[padding].workload(0).operators for padding in (Padding.ATTENTION, Padding.BLOCK)]
    for one, other in zip(*workloads, strict=True):
        assert one.operator.name == other.operator.name
        if one.operator.m != other.operator.m:
            changed[one.operator.name.split(".", 4)[-1]] += 1
            windows = (64, 16)[one.operator.stage]
            assert (one.operator.m, other.operator.m) == (one.operator.m, windows * 49)
    names = ("norm1", "norm2", "mlp.fc1", "mlp.gelu", "mlp.fc2", "residual1", "residual2")
    assert changed == Counter(dict.fromkeys(names, 4))
    assert WHOLE_BLOCK_NOTE in inspect_bundle(bundles[Padding.BLOCK]).padding
    assert WHOLE_BLOCK_NOTE not in inspect_bundle(bundles[Padding.ATTENTION]).padding


def test_without_padded_positions_both_paddings_are_one_workload(tmp_path: Path) -> None:
    one, other = (small(tmp_path / padding, 400, padding, side=224) for padding in Padding)
    sizes = [
        [(grouped.operator.name, grouped.operator.m, grouped.groups) for grouped in bundle.workload(0).operators]
        for bundle in (one, other)
    ]
    assert sizes[0] == sizes[1]
    padded = [bundle.workload(0).macs for bundle in (small(tmp_path / f"p{p}", 400, p) for p in Padding)]
    assert padded[0] < padded[1]


def test_recorded_codes_follow_the_padding(model: QuantizedDetector, tmp_path: Path) -> None:
    path = record(model, canvas_images(1, 128), tmp_path / "bundle", 400, padding=Padding.BLOCK)
    bundle = read_bundle(path)
    shape = bundle.tensors("image-0")["stages.0.blocks.0.mlp.fc2.input@4.shape"]
    low = next(c.windows for c in bundle.assignment(0)[0, 0] if c.bits == 4)
    assert shape.tolist() == [1, low * 49, 128]


def rankings(workload: Workload) -> Counter[OperatorKind]:
    kinds = (grouped.operator.kind for grouped in workload.operators)
    return Counter(kind for kind in kinds if kind in (OperatorKind.RANK, OperatorKind.TOKEN_MAP))


def test_where_ranking_promotes_every_block_ranks(tmp_path: Path) -> None:
    once = small(tmp_path / "once", 400).workload(0)
    anew = small(tmp_path / "anew", RatioChoice(400, 0, Promotion.RANKING)).workload(0)
    assert rankings(once)[OperatorKind.RANK] == 4
    deep = SwinShape("deep", channels=(32,), depths=(6,), heads=(1,))
    found = {}
    for promotion in (Promotion.REFUSED, Promotion.RANKING):
        path = random_bundle(deep, 112, 112, RatioChoice(400, 0, promotion), 0, tmp_path / promotion.value)
        found[promotion] = read_bundle(path).workload(0)
    assert [rankings(found[promotion])[OperatorKind.RANK] for promotion in found] == [2, 6]
    ratios = [rankings(work)[OperatorKind.TOKEN_MAP] for work in found.values()]
    assert ratios[1] == 6 * ratios[0]
    cycles = [simulate(work, load_accelerator(PACKED)).execution.total_cycles for work in found.values()]
    assert cycles[0] < cycles[1]
    assert anew.macs == once.macs


def test_uniform_baselines_prune_nothing(tmp_path: Path) -> None:
    bundle = small(tmp_path / "bundle", RatioChoice(300, 400))
    assert ratio_zero_workload(bundle).macs == small(tmp_path / "zero", 0).workload(0).macs


def manifest_of(bundle: Bundle, **changes: object) -> Manifest:
    return Manifest.model_validate(bundle.manifest.model_dump() | changes)


def test_the_manifest_checks_its_pruning(tmp_path: Path) -> None:
    bundle = small(tmp_path / "bundle", RatioChoice(300, 200))
    assert manifest_of(bundle) == bundle.manifest
    older = {key: value for key, value in bundle.manifest.model_dump().items() if "pruning" not in key}
    assert Manifest.model_validate(older).pair_pruning_thousandths == ()
    for changes, message in (
        ({"pruning_thousandths": 100}, "their mean is 200"),
        ({"pair_pruning_thousandths": ((800,), (200,)), "pruning_thousandths": 500}, "at most 1"),
        ({"pair_pruning_thousandths": ((200,),)}, "other block pairs"),
        ({"padding": "none"}, "attention"),
        ({"promotion": "yes"}, "refused"),
    ):
        with pytest.raises(ValueError, match=message):
            manifest_of(bundle, **changes)
