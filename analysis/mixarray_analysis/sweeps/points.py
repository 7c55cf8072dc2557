"""Points of a sweep by number: what is asked, what it comes to, and the hashes that name it; or why it is none."""

from __future__ import annotations

import hashlib
import json
from array import array
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import accumulate, chain

from mixarray.errors import InputError
from mixarray.trace.ratio import WHOLE
from mixarray_analysis.sweeps.constraints import Checks
from mixarray_analysis.sweeps.keys import SPEC_PLACE, is_share, shares_of
from mixarray_analysis.sweeps.machines import Base, Machine, setting_text
from mixarray_analysis.sweeps.models import Groups, OpenModel
from mixarray_analysis.sweeps.space import Space, Values
from mixarray_analysis.sweeps.spec import MOST_POINTS, SweepSpec
from mixarray_traces.quantization.ratios import Ratios

DIGEST_BYTES = 16
"""Kept of SHA-256: among 10 million points two collide with a chance below 1e-24."""
MACHINES_KEPT = 64


@dataclass(frozen=True, slots=True)
class Point:
    """A point. content: hash of topology, accelerator, group sizes and code; identity: of these and what was asked."""

    model: OpenModel
    machine: Machine
    ratios: Ratios
    groups: Groups
    content: bytes
    identity: bytes


class Points:
    """All points that a specification asks for, refused ones included; `code` is the hash of what computes them.

    Raises InputError for what is wrong with the specification as a whole.
    """

    def __init__(self, spec: SweepSpec, models: Sequence[OpenModel], code: str) -> None:
        self._models, self._code, self._promotion = models, code, spec.promotion
        self._bases = [Base(name) for name in spec.accelerators]
        self._pairs = [tuple((depth + 1) // 2 for depth in model.depths) for model in models]
        self._spaces = [Space(spec, pairs) for pairs in self._pairs]
        self._ends = list(accumulate(space.size for space in self._spaces for _ in self._bases))
        self._checks = Checks.of(spec.constraints)
        self._machine = lru_cache(maxsize=MACHINES_KEPT)(self._make_machine)
        self._check()

    def _check(self) -> None:
        _refuse_equal([f"{one.label} at {one.height_px}x{one.width_px}" for one in self._models], "models")
        _refuse_equal([base.with_settings(()).base for base in self._bases], "accelerators")
        if self.size > MOST_POINTS:
            raise InputError(SPEC_PLACE, f"{self.size:,} points; at most {MOST_POINTS:,}")
        for base in self._bases:
            self._checks.refusal(base.with_settings(()).accelerator)
            for key in (key for key in self._spaces[0][0] if not is_share(key)):
                base.check_path(key)

    @property
    def size(self) -> int:
        """How many points there are, those included that are refused."""
        return self._ends[-1]

    def __getitem__(self, number: int) -> Point | str:
        """Point `number`, 0 <= number < size; where it is refused, the reason."""
        which, base, values = self._asked(number)
        settings = json.dumps([(key, value) for key, value in values.items() if not is_share(key)])
        machine = self._machine(base, settings)
        if isinstance(machine, str):
            return machine
        pairs = self._pairs[which]
        shares = shares_of("ratio", values, pairs), shares_of("pruning", values, pairs)
        try:
            ratios = Ratios(*shares, self._promotion)
        except InputError as error:
            return f"{error.field or error.where}: {error.message}"
        return self._point(self._models[which], machine, ratios)

    def asked(self, number: int) -> str:
        """What point `number` asks for, on one line, also where it is refused."""
        which, base, values = self._asked(number)
        model = self._models[which]
        shown = ((key, f"{value / WHOLE:g}" if is_share(key) else value) for key, value in values.items())
        given = [setting_text(key, value) for key, value in shown]
        return " ".join((f"{model.label} {model.height_px}x{model.width_px} on {self._bases[base].name}", *given))

    def _asked(self, number: int) -> tuple[int, int, Values]:
        """The model and the accelerator, by number, and what is given for them."""
        place = bisect_right(self._ends, number)
        which, base = divmod(place, len(self._bases))
        return which, base, self._spaces[which][number - (self._ends[place - 1] if place else 0)]

    def _make_machine(self, base: int, settings: str) -> Machine | str:
        """The machine, or why it is refused; `settings` is a JSON list of (path, value)."""
        try:
            machine = self._bases[base].with_settings(json.loads(settings))
            return self._checks.refusal(machine.accelerator) or machine
        except InputError as error:
            return f"{error.field or error.where}: {error.message}"

    def _point(self, model: OpenModel, machine: Machine, ratios: Ratios) -> Point:
        groups = model.groups(ratios)
        sizes = array("I", chain.from_iterable(groups)).tobytes()
        content = _digest(f"{self._code} {model.sha256} ".encode() + machine.digest + sizes)
        shares = ratios.compression, ratios.pruning, ratios.promotion.value
        asked = repr((model.label, machine.base, machine.overrides, shares))
        return Point(model, machine, ratios, groups, content, _digest(content + asked.encode()))


def _digest(content: bytes) -> bytes:
    return hashlib.sha256(content).digest()[:DIGEST_BYTES]


def _refuse_equal(names: Sequence[str], field: str) -> None:
    repeated = next((name for name in names if names.count(name) > 1), None)
    if repeated is not None:
        raise InputError(SPEC_PLACE, f"{repeated!r} stands twice; give one of them another label or name", field)
