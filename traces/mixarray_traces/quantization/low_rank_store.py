"""Low-rank weights on disk: one safetensors file beside the float weights, named by its SHA-256 in the manifest.

The manifest also says the rank of every operator and the bits of a side path. Models without have neither.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from mixarray.errors import InputError
from mixarray_traces.quantization.arithmetic import Weight
from mixarray_traces.quantization.low_rank import NO_LOW_RANK, LowRank, LowRanks

LOW_RANK_FILE = "low_rank.safetensors"
FIELD = "low_rank"


def low_rank_content(low_rank: LowRanks) -> bytes:
    """The file: `<operator>.a` and `<operator>.b`."""
    from safetensors.torch import save

    tensors = {f"{name}.a": one.a.contiguous() for name, one in low_rank.items()}
    tensors |= {f"{name}.b": one.b.contiguous() for name, one in low_rank.items()}
    return save(dict(sorted(tensors.items())))


def low_rank_to_json(low_rank: LowRanks) -> dict[str, Any]:
    """The manifest's entry, nothing where nothing is compensated."""
    if not low_rank:
        return {}
    digest = hashlib.sha256(low_rank_content(low_rank)).hexdigest()
    layers = {name: {"rank": one.rank, "bits": one.bits} for name, one in sorted(low_rank.items())}
    return {FIELD: {"sha256": digest, "layers": layers}}


def read_low_rank(folder: Path, described: Mapping[str, Any], where: str) -> LowRanks:
    """What the manifest names; InputError, with file and field, where it is missing, broken or not finite."""
    from safetensors import SafetensorError
    from safetensors.torch import load

    if FIELD not in described:
        return NO_LOW_RANK
    file = folder / LOW_RANK_FILE
    try:
        content, entry = file.read_bytes(), described[FIELD]
        if hashlib.sha256(content).hexdigest() != entry["sha256"]:
            raise InputError(str(file), "is not the file that the manifest names", f"{FIELD}.sha256")
        tensors = load(content)
        found = {
            name: LowRank(tensors[f"{name}.a"], tensors[f"{name}.b"], _bits(layer["bits"]))
            for name, layer in entry["layers"].items()
        }
        for name, one in found.items():
            if one.rank != entry["layers"][name]["rank"]:
                raise ValueError(f"{name} has rank {one.rank}")
    except OSError as error:
        raise InputError(str(file), f"cannot be read: {error.strerror}") from None
    except (SafetensorError, KeyError, TypeError, ValueError, AttributeError) as error:
        raise InputError(where, f"is wrong: {error}", FIELD) from None
    return found


def check_low_rank(low_rank: LowRanks, described: Mapping[str, Any], weights: Mapping[str, Weight], where: str) -> None:
    """Raise InputError unless these are what the manifest names, and fit the weights of a model."""
    if (FIELD in described) != bool(low_rank):
        raise InputError(where, f"names low-rank weights, which stand in {LOW_RANK_FILE}", FIELD)
    for name, one in low_rank.items():
        if name not in weights or (one.b.shape[0], one.a.shape[1]) != tuple(weights[name].matrix.shape):
            raise InputError(where, "fits no linear operator of the model", f"{FIELD}.layers.{name}")


def _bits(value: Any) -> int:
    if type(value) is not int or not 2 <= value <= 8:
        raise ValueError(f"{value!r} bits; allowed: 2 to 8")
    return value
