"""What choosing windows asks of the machine: walks over a stage's map, and cuts of the order of its windows."""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum

from mixarray.trace.model import Operator, OperatorKind, Relation
from mixarray.trace.workload import GroupedOperator


class TokenWalk(StrEnum):
    """A walk over the elements of a stage's map that scores are made from; each has operations of its own.

    SUM: the tokens are added up. MAP: each token gives a number. CENTERED: the same after the mean token is
    subtracted.
    """

    SUM = "token_sum"
    MAP = "token_map"
    CENTERED = "centered_token_map"


def token_walk(op: Operator) -> TokenWalk | None:
    """The walk that a token map operator is; None for other operators.

    One that reads all tokens adds them up; one that reads something of all tokens beside its own rows subtracts it.
    """
    if op.kind is not OperatorKind.TOKEN_MAP:
        return None
    relations = {entry.relation for entry in op.inputs}
    if Relation.ALL not in relations:
        return TokenWalk.MAP
    return TokenWalk.SUM if len(relations) == 1 else TokenWalk.CENTERED


def distinct_cuts(readers: Iterable[GroupedOperator]) -> int:
    """Places where the order of a grid's windows is cut into groups, by all who read that order.

    Blocks take their groups from the best window on: the same sizes cut at the same place. Pruned windows are behind
    the last group, and what is behind nothing needs no cut.
    """
    places: set[int] = set()
    for grouped in readers:
        taken = 0
        for group in grouped.groups:
            taken += group.batch * group.rows
            places.add(taken)
        places.discard(grouped.operator.batch * grouped.operator.m)
    return len(places)
