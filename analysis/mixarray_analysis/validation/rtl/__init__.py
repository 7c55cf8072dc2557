"""Building and driving the arrays of `rtl/` under Verilator."""
