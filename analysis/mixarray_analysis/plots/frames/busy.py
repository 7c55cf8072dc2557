"""How busy each unit is in each part of the network: layers x units."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from mixarray_analysis.plots.frames.layers import added_cycles, read_layers, weighted_mean

COLUMNS = ["layer", "unit", "busy_cycles", "added_cycles", "busy_share"]
UNITS = {
    "weight_port_busy_cycles": "weight port",
    "result_port_busy_cycles": "result port",
    "vector_busy_cycles": "vector unit",
    "dram_busy_cycles": "DRAM",
}


def busy_frame(run: Path) -> pd.DataFrame:
    """One row per layer and unit (COLUMNS): cycles that the layer's jobs occupy the unit, over those it added.

    A layer is a block of the network, or what stands before, between and after the blocks of a stage. added_cycles:
    from the last result of the layer before to its own; they sum to the run. A share above 1 is work that was done
    while the layer before still ran. Ports are means over the arrays; units that never work are left out.
    """
    layers = read_layers(run)
    arrays = layers["array_busy_cycles_by_array"].str.split(" ", expand=True).astype(int)
    names = ["array"] if arrays.shape[1] == 1 else [f"array {number + 1}" for number in range(arrays.shape[1])]
    units = pd.concat([arrays.set_axis(names, axis=1), layers[list(UNITS)].rename(columns=UNITS)], axis=1)
    for port in ("weight port", "result port"):
        units[port] /= arrays.shape[1]
    shown = [str(name) for name in units if units[name].any()]
    blocks = layers[["workload", "stage", "block"]].assign(head=layers["name"].str.partition(".")[0])
    layers = pd.concat([layers, units], axis=1).assign(part=(blocks != blocks.shift()).any(axis=1).cumsum())
    grouped = layers.groupby(["workload", "part"], sort=False)
    parts = grouped.agg(
        layer=("name", "first"), stage=("stage", "first"), block=("block", "first"), images=("images", "first"),
        first_start=("first_start_cycles", "min"), last_ready=("last_ready_cycles", "max"),
        **{name: (name, "sum") for name in shown},
    ).reset_index("workload")  # fmt: skip
    added = [added_cycles(part["first_start"], part["last_ready"]) for _, part in parts.groupby("workload")]
    parts = parts.assign(added_cycles=pd.concat(added))
    parts["layer"] = [_words(*row) for row in zip(parts["layer"], parts["stage"], parts["block"], strict=True)]
    means = weighted_mean(parts, ["layer"], [*shown, "added_cycles"])
    tidy = means.melt(["layer", "added_cycles"], shown, "unit", "busy_cycles")
    tidy["busy_share"] = (tidy["busy_cycles"] / tidy["added_cycles"]).where(tidy["added_cycles"] > 0)
    order = {name: place for place, name in enumerate(means["layer"])}
    return tidy.sort_values("layer", key=lambda names: names.map(order), kind="stable")[COLUMNS].reset_index(drop=True)


def _words(first: str, stage: int, block: int) -> str:
    """`stage 1, block 0`, or what the operators between blocks are: `stage 1, downsample`."""
    if block >= 0:
        return f"stage {stage}, block {block}"
    name = first.split(".")
    return f"stage {stage}, {name[2]}" if stage >= 0 and len(name) > 2 else name[0]
