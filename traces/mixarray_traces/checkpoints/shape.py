"""The shape of a Swin transformer, read from the tensors of its own names."""

from __future__ import annotations

import re
from math import isqrt

from torch import Tensor

from mixarray.errors import InputError
from mixarray_traces.model.config import SwinConfig
from mixarray_traces.model.weights import StateDict

_HIDDEN = "layers.0.blocks.0.mlp.fc1.weight"
_BLOCK = re.compile(r"layers\.(\d+)\.blocks\.(\d+)\.")


def swin_config_of(state: StateDict, where: str) -> SwinConfig:
    """The backbone's shape; InputError, naming the tensor, where one is missing or of a shape no Swin has.

    The bias tables say how many heads and how wide a window there are, which no other tensor does.
    """
    embed_dim, in_channels, patch, _ = _shape(state, where, "patch_embed.proj.weight", 4)
    depths = _depths(state, where)
    tables = [
        _shape(state, where, f"layers.{stage}.blocks.0.attn.relative_position_bias_table", 2)
        for stage in range(len(depths))
    ]
    rows = tables[0][0]
    window = (isqrt(rows) + 1) // 2
    if (2 * window - 1) ** 2 != rows:
        name = "layers.0.blocks.0.attn.relative_position_bias_table"
        raise InputError(where, f"has {rows} rows; a window of w tokens a side has (2w - 1)^2", name)
    hidden = _shape(state, where, _HIDDEN, 2)[0]
    if hidden % embed_dim:
        raise InputError(where, f"has {hidden} outputs; a multiple of the {embed_dim} channels is expected", _HIDDEN)
    try:
        return SwinConfig(
            embed_dim=embed_dim,
            depths=depths,
            num_heads=tuple(heads for _, heads in tables),
            window_size=window,
            mlp_ratio=hidden // embed_dim,
            patch_size=patch,
            in_channels=in_channels,
        )
    except ValueError as error:
        raise InputError(where, str(error)) from None


def tensor_of(state: StateDict, where: str, name: str, dimensions: int) -> Tensor:
    """The named tensor; InputError where it is missing, empty, or has another number of dimensions."""
    if name not in state:
        raise InputError(where, "is missing", name)
    if state[name].dim() != dimensions or not state[name].numel():
        found = tuple(state[name].shape)
        raise InputError(where, f"has shape {found}; {dimensions} dimensions above 0 are expected", name)
    return state[name]


def _shape(state: StateDict, where: str, name: str, dimensions: int) -> tuple[int, ...]:
    return tuple(tensor_of(state, where, name, dimensions).shape)


def _depths(state: StateDict, where: str) -> tuple[int, ...]:
    blocks = {(int(found[1]), int(found[2])) for name in state if (found := _BLOCK.match(name))}
    stages = 1 + max((stage for stage, _ in blocks), default=-1)
    depths = tuple(sum(1 for stage, _ in blocks if stage == number) for number in range(stages))
    if not depths or 0 in depths:
        raise InputError(where, f"has blocks in {sum(map(bool, depths))} of {stages} stages", "layers")
    return depths
