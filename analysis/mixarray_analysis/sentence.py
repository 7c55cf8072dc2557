"""Plain sentences, built from counters and nothing else."""

from __future__ import annotations

from mixarray_analysis.speedup import Cause, Verdict

WORDS = {
    "softmax": "softmax",
    "stream": "streaming rows through the array",
    "array_load": "loading stationary tiles into the array",
    "drain": "draining sums from the array",
    "dram_load_weight": "loading weights from DRAM",
    "dram_load_activation": "loading activations from DRAM",
    "dram_load_partial": "loading partial sums from DRAM",
    "dram_load_parameter": "loading the second parameter set from DRAM",
    "dram_store": "storing activations to DRAM",
    "dram_store_copy": "storing gathered copies of the map to DRAM",
    "dram_store_partial": "storing partial sums to DRAM",
    "mode_switch": "switching the array's mode",
    "transpose": "transposing K",
    "layernorm": "LayerNorm",
    "gelu": "GELU",
    "row_sum": "row sums",
    "column_sum": "column sums",
    "token_map": "the token map",
    "rank": "scoring windows",
    "sort": "sorting windows",
    "gather": "gathering windows",
    "scatter": "scattering windows",
    "patch_embed": "patch embedding",
    "patch_merge": "patch merging",
    "upsample_add": "upsampling",
    "requantize": "requantization",
    "residual": "the residual add",
}
BITS_PER_MIB = 8 * 2**20


def describe(accelerator: str, ratio: float, verdict: Verdict, pruning: float = 0.0) -> str:
    """One sentence: what share of the promised speedup arrived at this ratio, the largest cause, and what was gained.

    `ratio` and `pruning` are the nominal shares of windows at low bits and of pruned ones, 0 to 1; the mean where
    block pairs differ.
    """
    pruned = f" and {100 * pruning:g} % pruned" if pruning else ""
    head = f"{accelerator} at {100 * ratio:g} % low{pruned} windows"
    if verdict.share is None:
        return f"{head}: BOPs promise no speedup ({_times(verdict.promised)}); {_times(verdict.simulated)} simulated."
    parts = [f"{head}: {_arrival(verdict, verdict.share)}"]
    if verdict.causes and verdict.causes[0].excess_cycles > 0:
        parts.append(f"the largest cause is {_cause(verdict.causes[0])}")
    parts.append(_gain(verdict))
    return "; ".join(parts) + "."


def _arrival(verdict: Verdict, share: float) -> str:
    promise = f"BOPs promise {_times(verdict.promised)}, {_times(verdict.simulated)} simulated"
    if share < 0:
        return f"{promise}: a slowdown, {100 * share:.1f} % of the promised gain"
    return f"{promise}: {100 * share:.1f} % of the promised gain arrived"


def _cause(cause: Cause) -> str:
    what = words_for(cause.kind)
    return (
        f"{what} ({cause.unit}, {cause.kind}), whose attributed cycles went from {cause.before_cycles:,.0f} to "
        f"{cause.after_cycles:,.0f} where the promise allows {cause.allowed_cycles:,.0f} "
        f"({cause.excess_cycles:,.0f} too many)"
    )


def _gain(verdict: Verdict) -> str:
    saved = verdict.dram_bits_before - verdict.dram_bits_after
    traffic = f"{_mib(verdict.dram_bits_before)} to {_mib(verdict.dram_bits_after)} MiB of DRAM traffic"
    if verdict.gemms_faster:
        return f"{verdict.gemms_faster} of {verdict.gemms} GEMMs took fewer array cycles ({traffic})"
    none = f"none of {verdict.gemms} GEMMs took fewer array cycles"
    if saved <= 0:
        return f"{none} and DRAM traffic did not fall ({traffic})"
    return f"{none}: what is gained is the bytes of narrower codes, {saved:,.0f} DRAM bits less ({traffic})"


def _times(speedup: float) -> str:
    return f"{speedup:.3f}x"


def _mib(bits: float) -> str:
    return f"{bits / BITS_PER_MIB:,.2f}"


def words_for(kind: str) -> str:
    """A job kind in plain words."""
    return WORDS.get(kind, kind)
