"""What is remembered is used again for capacities that would have given the same answers, and for no others."""

from __future__ import annotations

import random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mixarray.accelerator.buffers import Buffer
from mixarray.accelerator.load import load_accelerator
from mixarray.accelerator.model import Accelerator
from mixarray.points import Network, capacities
from mixarray.points.capacities import Alike, Asked, Capacities, Range, asking

MACHINES = {
    "packed": ("packed_w4_32x32", ()),
    "fused": ("packed_w4_32x32", ("mapping.attention=fused", "mapping.mlp=fused")),
    "output-stationary": ("plain_int8_os_32x32", ()),
    "input-stationary": ("plain_int8_32x32", ("arrays.0.dataflow=input_stationary",)),
    "two arrays at once": ("decoupled_int8_int4", ("mapping.group_order=concurrent",)),
}
PACKED = load_accelerator("packed_w4_32x32")
KIB = st.integers(1, 300)
QUESTION = st.tuples(st.sampled_from(("slot_holds", "slot_parts", "parts")), st.integers(1, 10**6), st.integers(1, 40))


def machine(name: str, activation_kib: int, weight_kib: int) -> Accelerator:
    base, overrides = MACHINES[name]
    sizes = f"buffers.activation.capacity_kib={activation_kib}", f"buffers.weight.capacity_kib={weight_kib}"
    return load_accelerator(base, [*overrides, *sizes])


def sized(buffer: Buffer, kib: int, shares: int) -> Buffer:
    return buffer.model_copy(update={"capacity_kib": kib}).share(shares)


def answer(buffer: Buffer, question: tuple[str, int, int]) -> int:
    name, bits, most = question
    match name:
        case "slot_holds":
            return buffer.slot_holds(bits)
        case "slot_parts":
            return buffer.slot_parts(bits, most)
        case _:
            return buffer.parts(bits, most)


@given(KIB, st.integers(1, 4), st.integers(1, 2), st.lists(QUESTION, min_size=1, max_size=6))
def test_the_range_is_that_of_the_same_answers(kib, slots, shares, questions):
    plain, asked = PACKED.buffers.weight.model_copy(update={"slots": slots}), Asked()
    buffers = PACKED.buffers.model_copy(update={"weight": plain.model_copy(update={"capacity_kib": kib})})
    noted = asking(PACKED.model_copy(update={"buffers": buffers}), asked).buffers.weight.share(shares)
    answers = [answer(noted, question) for question in questions]
    assert asked.alike.activation == Range()

    def same(size: int) -> bool:
        other = sized(plain, size, shares)
        return [answer(other, question) for question in questions] == answers

    least, most = asked.alike.weight
    assert least <= kib <= most
    assert all(same(size) for size in {max(least, 1), kib, min(most, 10**7)})
    assert least <= 1 or not same(least - 1)
    assert most > 10**7 or not same(most + 1)


def test_asking_for_the_size_leaves_only_that():
    asked = Asked()
    assert asking(PACKED, asked).buffers.activation.slot_bits == PACKED.buffers.activation.slot_bits
    assert asked.alike == Alike(Range(256, 256), Range())
    assert asked.alike.holds(Capacities(256, 1))
    assert not asked.alike.holds(Capacities(257, 1))
    asked.forget()
    assert asked.alike == Alike()


def drawn_sizes(seed: int, count: int) -> list[tuple[int, int]]:
    """Capacities from those that hold nothing as a whole to those that hold everything."""
    draw = random.Random(seed)
    return [(int(24 * 2 ** draw.uniform(0, 4)), int(8 * 2 ** draw.uniform(0, 4))) for _ in range(count)]


def differing(model: Any, name: str, sizes: list[tuple[int, int]]) -> tuple[int, int]:
    """Points of one network that are not those of their direct runs, and how many groups were lowered."""
    network, setting, wrong = Network(model.topology, model.rows), model.drawn(1, (8, 4, 0)), 0
    for pair in sizes:
        accelerator = machine(name, *pair)
        points = network.on(accelerator)
        wrong += points.totals(setting) != model.direct(setting, accelerator)
    return wrong, points.known_groups


@pytest.mark.parametrize("name", MACHINES)
def test_any_capacities_in_any_order(name: str, model: Any) -> None:
    wrong, lowered = differing(model, name, drawn_sizes(3, 4))
    assert wrong == 0
    assert lowered > 0


def test_what_is_alike_is_lowered_once(model: Any) -> None:
    network, setting = Network(model.topology, model.rows), model.drawn(1)
    large = network.on(machine("packed", 1024, 1024))
    before = large.totals(setting)
    lowered = large.known_groups
    larger = network.on(machine("packed", 2048, 2048))
    after = larger.totals(setting)
    assert lowered == larger.known_groups > 0
    assert (after.total_cycles, after.actions) == (before.total_cycles, before.actions)
    small = network.on(machine("packed", 32, 16))
    assert small.totals(setting).total_cycles != before.total_cycles
    assert small.known_groups > lowered


def _everything_is_alike(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Alike, "holds", lambda self, sizes: True)


def _weights_do_not_matter(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Alike, "holds", lambda self, sizes: self.activation[0] <= sizes.activation_kib <= self.activation[1])


def _never_narrowed(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(capacities._NotedBuffer, "_narrow", lambda self, least_kib, most_kib: None)


def _too_large_is_the_same(patch: pytest.MonkeyPatch) -> None:
    narrow = capacities._NotedBuffer._narrow
    patch.setattr(capacities._NotedBuffer, "_narrow", lambda self, least, most: narrow(self, least, 2**62))


@pytest.mark.parametrize(
    "fault", [_everything_is_alike, _weights_do_not_matter, _never_narrowed, _too_large_is_the_same]
)
def test_faults_are_seen(fault: Any, model: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    fault(monkeypatch)
    assert differing(model, "packed", [(24, 8), (32, 64), (64, 8), (384, 128)])[0] > 0
