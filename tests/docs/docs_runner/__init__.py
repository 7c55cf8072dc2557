"""Runs what the documentation shows: reads a page's blocks, turns them into steps, runs them, compares outputs."""
