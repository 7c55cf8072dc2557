"""Sentences of the page, built from its numbers."""

from __future__ import annotations

from collections.abc import Iterator

from mixarray.digits import percent
from mixarray_analysis.method_comparison.results import Compared
from mixarray_analysis.method_comparison.subjects import (
    MACHINES,
    METHODS,
    MIXED,
    PLAIN,
    PRECISIONS,
    UNIFORM,
    W6A6,
    model_name,
    shape_name,
)
from mixarray_analysis.reproduction.results import NotMeasuredError


def rounding_lines(found: Compared) -> Iterator[str]:
    """What fewer bits than 8 promise, and what arrives, precision by precision."""
    for precision in (W6A6, MIXED):
        for what, name in (
            ("the shipped model", model_name(UNIFORM, precision)),
            ("Swin-T", shape_name(PLAIN, precision)),
        ):
            try:
                costs = [found.cost(name, machine) for machine in MACHINES]
            except NotMeasuredError:
                continue
            promised = 1 - costs[0].bops / costs[0].widest_bops
            arrived = (
                f"{_saved(cost.cycles / cost.widest_cycles)} of its cycles on {cost.accelerator}" for cost in costs
            )
            yield f"{precision.name}, {what}: {percent(promised)} fewer BOPs than W8A8 save {' and '.join(arrived)}."


def side_path_lines(found: Compared) -> Iterator[str]:
    """The most that a method's hardware takes over uniform affine's, method by method on the shipped model."""
    for method in METHODS[1:]:
        over: list[tuple[float, str]] = []
        for precision in PRECISIONS:
            for machine in MACHINES:
                try:
                    cost = found.cost(model_name(method, precision), machine)
                    base = found.cost(model_name(UNIFORM, precision), machine)
                except NotMeasuredError:
                    continue
                over.append((cost.cycles / base.cycles, f"{precision.name}, {machine}"))
        if over:
            (least, where_least), (most, where_most) = min(over), max(over)
            yield (
                f"{method.label}: {least:.3f} ({where_least}) to {most:.3f} ({where_most}) times the cycles of uniform "
                "affine at the same bits."
            )


def _saved(share: float) -> str:
    return percent(1 - share) if share < 1 else "nothing"
