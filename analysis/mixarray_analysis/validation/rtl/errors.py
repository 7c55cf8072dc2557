"""What hardware under test can do wrong before there is anything to compare."""

from __future__ import annotations


class HardwareError(RuntimeError):
    """The array did more than it was given, or sent what belongs to nothing."""


class HardwareStallError(HardwareError):
    """The array still waits for something long after it should have finished."""
