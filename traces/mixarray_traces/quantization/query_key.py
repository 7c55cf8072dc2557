"""OFQ's query-key reparameterisation (QKR): one matrix per head instead of queries and keys. A switch, off by default.

Known (methods reference 4a): per head A = Wq^T Wk (C x C) is quantized by StatsQ; scores are x^ . quant(A x^), where
A x^ is quantized again per position; the biases of queries and keys are dropped; 1/sqrt(d), position bias and mask
follow; v and the projection are as usual. OFQ uses it against
oscillations of quantized query and key weights that drive each other.

Why it is off (methods reference 4b): as trained, A cannot be split into Wq and Wk again at low bits, so hardware would
have to compute H C^2 + 49 C H per token in place of 2 C^2 + 49 C. The MACs of Swin-T's blocks grow 1.94 times at
800x1333, and MixA-Q's published BOPs for "OFQ W4A4" show no sign of it. A trace has no operators for it.
"""

from __future__ import annotations

import copy
from collections.abc import Container

from torch import Tensor

from mixarray_traces.model.kinds import Model
from mixarray_traces.model.swin import WindowAttention
from mixarray_traces.quantization.arithmetic import Arithmetic, Weight
from mixarray_traces.quantization.options import QuantizationOptions, QueryKey

SCORES, VALUES = "qkx", "v"
"""Its two linear operators, in place of `qkv`."""


def is_reparameterised(options: QuantizationOptions) -> bool:
    """Whether the options ask for it."""
    return options.ofq is not None and options.ofq.query_key is QueryKey.REPARAMETERISED


def with_query_key(model: Model, options: QuantizationOptions) -> Model:
    """A copy of the model whose attention is reparameterised, where the options ask for it; else the model itself."""
    if not is_reparameterised(options):
        return model
    changed = copy.deepcopy(model)
    for module in changed.modules():
        if isinstance(module, WindowAttention):
            module.reparameterised = True
    return changed


def reparameterised_weights(attention: WindowAttention, name: str) -> dict[str, Weight]:
    """The parameters of `<name>.qkx` (heads * C, C) and `<name>.v` (C, C), made from those of `qkv`."""
    queries, keys, values = attention.qkv.weight.chunk(3)
    channels, heads = values.shape[1], attention.num_heads
    queries, keys = (part.reshape(heads, attention.head_dim, channels) for part in (queries, keys))
    scores = (queries.transpose(1, 2) @ keys).reshape(heads * channels, channels)
    bias = None if attention.qkv.bias is None else attention.qkv.bias[2 * channels :]
    return {f"{name}.{SCORES}": Weight(scores, None), f"{name}.{VALUES}": Weight(values, bias)}


def reparameterised_products(
    attention: WindowAttention, name: str, windows: Tensor, bits: int, arithmetic: Arithmetic
) -> tuple[Tensor, Tensor]:
    """Scores before bias and mask, (windows, heads, positions, positions), and v, (windows, heads, positions, d)."""
    count, positions, channels = windows.shape
    mapped = arithmetic.linear(f"{name}.{SCORES}", windows, bits)
    right = mapped.reshape(count, positions, attention.num_heads, channels).permute(0, 2, 3, 1)
    left = windows.unsqueeze(1).expand(-1, attention.num_heads, -1, -1)
    scores = arithmetic.matmul(f"{name}.qk", left, right, bits) * attention.scale
    values = arithmetic.linear(f"{name}.{VALUES}", windows, bits)
    return scores, values.reshape(count, positions, attention.num_heads, attention.head_dim).transpose(1, 2)


def quantized_as(tensor: str, weights: Container[str]) -> str:
    """The tensor whose quantizer `tensor` shares: x^ is one tensor, but has three names where it is used.

    `weights` holds the names of the model's linear operators.
    """
    stem, dot, _ = tensor.rpartition(f".attn.{VALUES}.input" if tensor.endswith(".input") else ".attn.qk.left")
    scores = f"{stem}.attn.{SCORES}"
    return f"{scores}.input" if dot and scores in weights else tensor
