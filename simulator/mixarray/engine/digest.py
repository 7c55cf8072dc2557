"""A hash over everything that a run counted: equal hashes, equal runs, whichever engine ran them."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Iterable, Mapping

from mixarray.engine.timeline import Execution
from mixarray.mapping.schedule import Action, JobKind


def execution_sha256(execution: Execution) -> str:
    """SHA-256 over the counters of a run: totals, and the same per operator; not over the timeline."""
    content = [
        execution.total_cycles,
        execution.jobs,
        *_counters(execution.busy_cycles, execution.macs, execution.useful_pe_cycles, execution.actions),
        [
            [
                one.operator,
                one.first_start_cycles,
                one.last_ready_cycles,
                *_counters(one.busy_cycles, one.macs, one.useful_pe_cycles, one.actions),
            ]
            for one in execution.operators
        ],
    ]
    return _sha256(content)


def executions_sha256(executions: Iterable[tuple[Execution, int]]) -> str:
    """The same over several runs, each with the number of images that it stands for; equal runs count together."""
    images_of: Counter[str] = Counter()
    for execution, images in executions:
        images_of[execution_sha256(execution)] += images
    return _sha256(sorted(images_of.items()))


def _counters(
    busy: Mapping[tuple[int, JobKind], int], macs: int, useful: int, actions: Mapping[Action, int]
) -> list[object]:
    by_unit = sorted([unit, kind.value, cycles] for (unit, kind), cycles in busy.items())
    by_action = sorted([action.component, action.name, count] for action, count in actions.items())
    return [by_unit, macs, useful, by_action]


def _sha256(content: object) -> str:
    return hashlib.sha256(json.dumps(content, separators=(",", ":")).encode()).hexdigest()
