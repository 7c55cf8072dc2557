"""The machine: what a mixed-precision systolic array does with a trace, in cycles and joules."""

__version__ = "0.1.0"
