"""How often the buffers of a run are accessed, beside what one port serves.

Ports set the price of an access, not time: no job waits for a port. This says what that leaves out.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from fractions import Fraction

from pydantic import BaseModel, ConfigDict, Field

from mixarray.accelerator.model import Accelerator
from mixarray.cost.buffers import buffer_names, copies
from mixarray.mapping.schedule import Action
from mixarray.mapping.vector_cost import WRITE_VALUE

SERVED_PER_CYCLE = 1
"""Accesses that a buffer of one port serves: each takes all of its banks."""


class BufferUse(BaseModel):
    """The accesses of one buffer, mean per image."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    buffer: str = Field(description="its path in the configuration")
    banks: int = Field(description="equal parts side by side; every access takes all of them")
    accesses_per_cycle: float = Field(
        description="accesses of the port's width over the cycles of the run (accumulator buffers: mean over the "
        "arrays); a buffer of one port serves 1, and what is above it takes no time"
    )
    value_writes_per_cycle: float = Field(
        description="of these, writes of single values beyond whole words (mapping.transpose: in_buffer)"
    )

    @property
    def exceeds_one_port(self) -> bool:
        """Whether the run asks for more than one access in every cycle."""
        return self.accesses_per_cycle > SERVED_PER_CYCLE


def buffer_use(
    accelerator: Accelerator, counts: Iterable[tuple[Mapping[Action, int], int]], cycles: Fraction
) -> tuple[BufferUse, ...]:
    """All buffers of an accelerator; `counts` are (actions of a run, images it stands for), `cycles` their mean."""
    runs = list(counts)
    images = sum(number for _, number in runs)
    found = []
    for name in buffer_names(accelerator):
        path = f"buffers.{name}"
        kinds = dict.fromkeys(action for actions, _ in runs for action in actions if action.component == path)
        totals = {kind: sum(actions.get(kind, 0) * number for actions, number in runs) for kind in kinds}
        single = sum(total for kind, total in totals.items() if kind.name == WRITE_VALUE)
        over = images * cycles * copies(accelerator, name)
        found.append(
            BufferUse(
                buffer=path,
                banks=getattr(accelerator.buffers, name).banks,
                accesses_per_cycle=_per(sum(totals.values()), over),
                value_writes_per_cycle=_per(single, over),
            )
        )
    return tuple(found)


def words_on_ports(buffers: Sequence[BufferUse]) -> str:
    """The buffers that one port could not serve, in words; empty where there are none."""
    busy = [use for use in buffers if use.exceeds_one_port]
    if not busy:
        return ""
    each = ", ".join(f"{use.buffer} {use.accesses_per_cycle:.2f}" for use in busy)
    return f"{each} accesses per cycle; one port serves {SERVED_PER_CYCLE} (ports set the price of an access, not time)"


def _per(part: int, whole: Fraction) -> float:
    return float(part / whole) if whole else 0.0
