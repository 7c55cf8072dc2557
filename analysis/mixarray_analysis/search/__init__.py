"""Searching ratios: task accuracy against bit operations, cycles, energy or energy times delay."""
