"""The table of layers on a real terminal, narrow and wide: headings, names, counts and totals are all there."""

from __future__ import annotations

import fcntl
import os
import pty
import re
import struct
import subprocess
import sys
import termios

import pytest

from mixarray_analysis.topologies import time_as_scalesim
from mixarray_analysis.validation.scalesim.golden import golden_dir

STEM = "scalesim_3.0.0_ws_128x128"


def on_a_terminal(columns: int, *arguments: str) -> str:
    """What the command prints on a terminal of so many columns, without its escape sequences."""
    master, slave = pty.openpty()
    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 40, columns, 0, 0))
    environment = {name: value for name, value in os.environ.items() if name not in ("COLUMNS", "LINES")}
    command = [sys.executable, "-m", "mixarray_analysis", *arguments]
    with subprocess.Popen(command, stdout=slave, stderr=slave, env={**environment, "TERM": "xterm"}) as process:
        os.close(slave)
        parts = []
        while part := _read(master):
            parts.append(part)
    os.close(master)
    assert process.returncode == 0
    return re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", b"".join(parts).decode())


def _read(descriptor: int) -> bytes:
    try:
        return os.read(descriptor, 65_536)
    except OSError:  # how Linux says that nobody writes any more
        return b""


@pytest.mark.parametrize("columns", [60, 80, 150])
def test_the_largest_golden_table_is_whole(columns: int) -> None:
    topology, config = golden_dir() / f"{STEM}.topology.csv", golden_dir() / f"{STEM}.cfg"
    result = time_as_scalesim(topology, config, out=None, force=False)
    text = on_a_terminal(columns, "simulate", "--topology", str(topology), "--scalesim-config", str(config))
    lines = text.splitlines()
    for heading in ("layer", "M", "N", "K", "cycles", "util", "%", "ifmap", "filter", "ofmap", "reads", "writes"):
        assert heading in text.split()
    total = result.totals
    counts = (total.compute_cycles, total.sram_ifmap_reads, total.sram_filter_reads, total.sram_ofmap_writes)
    last = next(line.split() for line in reversed(lines) if line.startswith("total"))
    assert [last[1], *last[3:]] == [f"{count:,}" for count in counts]
    starts = [line.split()[0] for line in lines if f" {total.layers}" not in line and line[:1].isalpha()]
    assert all(any(layer.name.startswith(start) for start in starts) for layer in result.layers)
    if columns >= 80:
        assert max(map(len, lines[1:])) <= columns
