"""The functional model against PyTorch: PE registers moved by the array model's own events give its integer matmul."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from mixarray.array.functional_parts import EventMismatchError
from mixarray_analysis.validation.check import (
    Check,
    Mutants,
    Outcome,
    Progress,
    Requirement,
    Tier,
    compare_cases,
)
from mixarray_analysis.validation.functional_cases import draw_case
from mixarray_analysis.validation.functional_faults import FAULTS

if TYPE_CHECKING:
    from mixarray.array.events import Integers
    from mixarray.array.functional_parts import FunctionalRun
    from mixarray_analysis.validation.functional_cases import FunctionalCase

TORCH = Requirement("torch", lambda: importlib.util.find_spec("torch") is not None, "pip install 'mixarray[torch]'")


def product(case: FunctionalCase) -> Integers:
    """PyTorch's integer product of the operands, (M, N) int64."""
    import torch

    found = torch.from_numpy(case.streaming) @ torch.from_numpy(case.stationary)
    return np.asarray(found.numpy(), np.int64)


def difference(run: Callable[[], FunctionalRun], expected: Integers) -> str:
    """What disagrees in a run, in words; empty where nothing does.

    A model that is wrong may also overflow its sums or name rows and slots that do not exist.
    """
    try:
        found = run()
    except (EventMismatchError, ArithmeticError, LookupError) as error:
        return f"{type(error).__name__}: {error}"
    wrong = np.argwhere(found.outputs != expected)
    if len(wrong):
        row, column = wrong[0].tolist()
        return f"row {row}, column {column}: array {found.outputs[row, column]}, PyTorch {expected[row, column]}"
    return f"{found.wasted_passes} passes meet no value" if found.wasted_passes else ""


def _compare(seed: int, number: int) -> str:
    case = draw_case(seed, number)
    found = difference(case.run, product(case))
    return found and f"case {number} of seed {seed}, {case.words}: {found}"


def _run(cases: int, seed: int, progress: Progress) -> Outcome:
    return compare_cases(cases, progress, lambda number: _compare(seed, number))


def _mutants(seed: int) -> Mutants:
    """Each fault on a case of its own, which without the fault must agree: else it proves nothing."""
    caught = []
    for fault in FAULTS:
        case = fault.make(seed)
        expected = product(case)
        if not difference(case.run, expected) and difference(partial(fault.run, case), expected):
            caught.append(fault.name)
    return Mutants(tuple(fault.name for fault in FAULTS), tuple(caught))


CHECK = Check(
    name="functional",
    title="PE registers moved by the array model's events give the product, no pass in vain",
    against="PyTorch's integer matmul",
    rule="PE registers moved by the array model's events, `mixarray/array/functional.py`",
    source="PyTorch's integer product of the same codes",
    agreement="equal integers, and no pass in vain",
    tier=Tier.FUNCTIONAL,
    cases=200,
    run=_run,
    mutants=_mutants,
    needs=(TORCH,),
)
