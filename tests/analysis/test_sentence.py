from __future__ import annotations

from mixarray_analysis.sentence import describe
from mixarray_analysis.speedup import Counters, judge

BEFORE = Counters(
    total_cycles=1000,
    attributed_cycles={("arrays.0", "stream"): 600, ("dram_channels.0", "dram_store"): 400},
    gemm_array_cycles={"qkv": 300, "fc1": 300},
    dram_bits=8 * 2**20,
)


def run(stream: int, store: int, qkv: int, dram_bits: float) -> Counters:
    chain = {("arrays.0", "stream"): stream, ("dram_channels.0", "dram_store"): store}
    return Counters(stream + store, chain, {"qkv": qkv, "fc1": 300}, dram_bits)


def test_a_speedup_names_share_and_largest_cause() -> None:
    verdict = judge(BEFORE, run(stream=400, store=400, qkv=150, dram_bits=4 * 2**20), promised=1.5)
    assert describe("packed", 0.8, verdict) == (
        "packed at 80 % low windows: BOPs promise 1.500x, 1.250x simulated: 50.0 % of the promised gain arrived; "
        "the largest cause is storing activations to DRAM (dram_channels.0, dram_store), whose attributed cycles went "
        "from 400 to 400 where the promise allows 267 (133 too many); 1 of 2 GEMMs took fewer array cycles "
        "(1.00 to 0.50 MiB of DRAM traffic)."
    )


def test_where_no_gemm_is_faster_the_gain_is_the_bytes_of_the_codes() -> None:
    verdict = judge(BEFORE, run(stream=600, store=300, qkv=300, dram_bits=6 * 2**20), promised=1.5)
    sentence = describe("plain", 0.4, verdict)
    assert "none of 2 GEMMs took fewer array cycles" in sentence
    assert "what is gained is the bytes of narrower codes, 2,097,152 DRAM bits less (1.00 to 0.75 MiB" in sentence


def test_a_gain_of_nothing_is_said() -> None:
    verdict = judge(BEFORE, run(stream=600, store=400, qkv=300, dram_bits=8 * 2**20), promised=1.5)
    sentence = describe("plain", 0.4, verdict)
    assert "0.0 % of the promised gain arrived" in sentence
    assert "DRAM traffic did not fall" in sentence


def test_a_slowdown_is_called_one_with_a_negative_share() -> None:
    verdict = judge(BEFORE, run(stream=800, store=400, qkv=400, dram_bits=8 * 2**20), promised=1.5)
    assert "a slowdown, -33.3 % of the promised gain" in describe("plain", 0.4, verdict)


def test_no_promise_no_share() -> None:
    assert describe("plain", 0, judge(BEFORE, BEFORE, promised=1.0)) == (
        "plain at 0 % low windows: BOPs promise no speedup (1.000x); 1.000x simulated."
    )
