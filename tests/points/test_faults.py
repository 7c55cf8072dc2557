"""What points are put together from is what decides them: leaving any of it out is seen.

Moments before a border that others always cover in whole networks are held one by one in `test_matrix`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from mixarray.accelerator.load import load_accelerator
from mixarray.errors import InputError
from mixarray.points import Network, composing
from mixarray.points.composing import Composer
from mixarray.points.known import NO_WEIGHTS
from mixarray.points.known_steps import START, Form, KnownSteps
from mixarray.points.lowering import Piece, lower_group
from mixarray.points.max_plus import NEVER
from mixarray.points.network import Blocks
from mixarray.points.priced_steps import PricedSteps
from mixarray.points.roles import Roles
from mixarray.points.stays import staying
from mixarray.points.structure import Sources
from mixarray.trace.workload import WindowCount

MACHINE = "packed_w4_32x32"
TIGHT = ("mixed_precision.mode_switch_cycles=50", "dram_channels.0.bits_per_cycle=16")


def _stale_contents(patch: pytest.MonkeyPatch) -> None:
    """Plans of a block are taken for those of other group sizes."""
    of = Sources.of
    patch.setattr(Sources, "of", lambda self, notes: frozenset(value for value in of(self, notes) if value >= 6))


def _stale_order(patch: pytest.MonkeyPatch) -> None:
    """Ranking forgets that all who read its order decide how it is cut."""
    of = Sources.of
    patch.setattr(Sources, "of", lambda self, notes: of(self, notes) if len(of(self, notes)) < 2 else frozenset())


def _stale_ranking(patch: pytest.MonkeyPatch) -> None:
    """Contents do not say whether their stage ranks its windows."""
    content = Blocks._content

    def stale(self: Blocks, assignment: Any, needless: Any, key: Any) -> Any:
        made = content(self, assignment, needless, key)
        self._known[key[0], key[1], not key[2]] = made
        return made

    patch.setattr(Blocks, "_content", stale)


def _no_residency(patch: pytest.MonkeyPatch) -> None:
    """Every tensor goes through DRAM."""
    patch.setattr(composing, "staying", lambda chosen, *_: 0 * chosen)


def _stale_residency(patch: pytest.MonkeyPatch) -> None:
    """What stays is not looked at again."""
    first: dict[int, Any] = {}

    def stale(chosen: Any, *rest: Any) -> Any:
        return first.setdefault(len(chosen), staying(chosen, *rest))

    patch.setattr(composing, "staying", stale)


def _no_prefetch(patch: pytest.MonkeyPatch) -> None:
    """No group knows that weights follow."""
    step = KnownSteps.step
    patch.setattr(KnownSteps, "step", lambda self, *known: step(self, *known[:3], None, known[4]))


def _no_border(patch: pytest.MonkeyPatch) -> None:
    """Every group begins with an empty pipeline."""
    step = KnownSteps.step
    patch.setattr(KnownSteps, "step", lambda self, plan, _, *rest: step(self, plan, START, *rest))


def _forgotten(place: Callable[[Roles], int]) -> Callable[[pytest.MonkeyPatch], None]:
    """A moment before each border is taken for one long past."""

    def plant(patch: pytest.MonkeyPatch) -> None:
        price = PricedSteps._price

        def forgetful(self: PricedSteps, form: Form) -> None:
            price(self, form)
            (rows, columns), start = form.shape, self._starts.rows[form.number]
            matrix = self._matrices.rows[start : start + rows * columns].reshape(rows, columns)
            matrix[:, place(self.steps.roles) % columns] = NEVER

        patch.setattr(PricedSteps, "_price", forgetful)

    return plant


FAULTS: dict[str, Callable[[pytest.MonkeyPatch], None]] = {
    "stale contents": _stale_contents,
    "stale order": _stale_order,
    "stale ranking": _stale_ranking,
    "no residency": _no_residency,
    "stale residency": _stale_residency,
    "no prefetch": _no_prefetch,
    "no border": _no_border,
    "no dram": _forgotten(lambda roles: roles.unit(3)),
    "no fetched weights": _forgotten(lambda roles: roles.fetched),
    "no tensor": _forgotten(lambda _: -1),
}


@pytest.fixture(scope="module")
def wanted(model: Any) -> list[tuple[Any, Any]]:
    accelerator = load_accelerator(MACHINE, TIGHT)
    pruned = (model.drawn(seed, (8, 4, 0)) for seed in (1, 2, 3))
    settings = [model.drawn(0), model.uniform(8), model.uniform(4), *pruned]
    return [(setting, model.direct(setting, accelerator)) for setting in settings]


def _same(model: Any, wanted: list[tuple[Any, Any]]) -> bool:
    points = Network(model.topology, model.rows).on(load_accelerator(MACHINE, TIGHT))
    return all(replace(points.totals(setting), direct=None) == totals for setting, totals in wanted)


def test_nothing_is_wrong_without_a_fault(model: Any, wanted: list[tuple[Any, Any]]) -> None:
    assert _same(model, wanted)


@pytest.mark.parametrize("fault", FAULTS)
def test_faults_are_seen(
    fault: str, model: Any, wanted: list[tuple[Any, Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    FAULTS[fault](monkeypatch)
    try:
        same = _same(model, wanted)
    except (IndexError, KeyError, AssertionError):
        same = False  # the mapping itself stumbles over it
    assert not same


def test_what_is_not_known_before_a_border_is_run_directly(
    model: Any, wanted: list[tuple[Any, Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    def without_lanes(*arguments: Any) -> Piece:
        piece = lower_group(*arguments)
        return replace(piece, known=tuple(replace(one, places=()) for one in piece.known))

    monkeypatch.setattr("mixarray.points.known_steps.lower_group", without_lanes)
    points = Network(model.topology, model.rows).on(load_accelerator(MACHINE, TIGHT))
    totals = points.totals(wanted[0][0])
    assert totals.direct is not None
    assert "not known" in totals.direct
    assert replace(totals, direct=None) == wanted[0][1]


def test_memory_is_bounded(model: Any, wanted: list[tuple[Any, Any]], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(composing, "MOST_PLANS", 60)
    starts: list[Composer] = []
    start = Composer._start

    def counted(self: Composer) -> None:
        starts.append(self)
        start(self)

    monkeypatch.setattr(Composer, "_start", counted)
    assert _same(model, [*wanted, *wanted])
    assert len(starts) > 2


def test_refusals_are_those_of_the_direct_run(model: Any) -> None:
    setting = dict(model.uniform(8))
    points = Network(model.topology, model.rows).on(load_accelerator(MACHINE))
    setting[0, 0] = (WindowCount(8, 3, 147),)
    with pytest.raises(InputError, match="its shape says"):
        points.totals(setting)
    del setting[0, 0]
    with pytest.raises(InputError, match="no windows for stage 0 block 0"):
        points.totals(setting)
    small = Network(model.topology, model.rows).on(load_accelerator(MACHINE, ["buffers.activation.slots=3"]))
    with pytest.raises(InputError, match="3 slots cannot be used"):
        small.totals(model.uniform(8))
    with pytest.raises(InputError, match="operand needs the codes"):
        Network(model.topology, model.rows).on(load_accelerator(MACHINE, ["zero_gating=operand"]))
    assert NO_WEIGHTS == START == 0
