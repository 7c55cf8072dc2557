"""Timing rules of other simulators, one file each: what they would answer, for comparison and for their users."""
