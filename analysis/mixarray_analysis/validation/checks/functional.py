"""The functional model against PyTorch: PE registers moved by the array model's own events give its integer matmul."""

from __future__ import annotations

import importlib.util
from typing import TYPE_CHECKING

import numpy as np

from mixarray.array.functional_parts import EventMismatchError
from mixarray_analysis.validation.check import Check, Mutants, Outcome, Progress, Requirement, Tier
from mixarray_analysis.validation.functional_cases import draw_case
from mixarray_analysis.validation.functional_faults import FAULTS, noticed

if TYPE_CHECKING:
    from mixarray.array.events import Integers
    from mixarray_analysis.validation.functional_cases import FunctionalCase

TORCH = Requirement("torch", lambda: importlib.util.find_spec("torch") is not None, "pip install 'mixarray[torch]'")


def _product(case: FunctionalCase) -> Integers:
    """PyTorch's integer product of the operands, (M, N) int64."""
    import torch

    product = torch.from_numpy(case.streaming) @ torch.from_numpy(case.stationary)
    return np.asarray(product.numpy(), np.int64)


def _difference(case: FunctionalCase) -> str:
    """What disagrees, in words; empty where nothing does."""
    try:
        outputs = case.run().outputs
    except EventMismatchError as error:
        return str(error)
    expected = _product(case)
    wrong = np.argwhere(outputs != expected)
    if not len(wrong):
        return ""
    row, column = wrong[0].tolist()
    return f"row {row}, column {column}: array {outputs[row, column]}, PyTorch {expected[row, column]}"


def _run(cases: int, seed: int, progress: Progress) -> Outcome:
    mismatches, first = 0, ""
    for number in range(cases):
        case = draw_case(seed, number)
        difference = _difference(case)
        if difference:
            mismatches += 1
            first = first or f"case {number} of seed {seed}, {case.words}: {difference}"
        progress(1)
    return Outcome(cases, mismatches, first)


def _mutants(seed: int) -> Mutants:
    """Each fault on a case of its own, which without the fault must agree: else it proves nothing."""
    caught = []
    for fault in FAULTS:
        case = fault.make(seed)
        if not _difference(case) and noticed(fault, case, _product(case)):
            caught.append(fault.name)
    return Mutants(tuple(fault.name for fault in FAULTS), tuple(caught))


CHECK = Check(
    name="functional",
    title="PE registers moved by the array model's events give the product",
    against="PyTorch's integer matmul",
    tier=Tier.FUNCTIONAL,
    cases=200,
    run=_run,
    mutants=_mutants,
    needs=(TORCH,),
)
