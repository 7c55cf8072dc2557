"""Mean magnitudes of activations, by position, by channel or of the whole tensor: what LSQ's first steps come from."""

from __future__ import annotations

from torch import Tensor

from mixarray.errors import InputError
from mixarray_traces.quantization.lsq import StepLayout, step_layout


def mean_magnitude(values: Tensor, layout: StepLayout) -> Tensor:
    """Mean |x| in the shape of the steps: (), (rows, 1) or (1, columns); float64."""
    sizes = values.abs().double()
    if layout is StepLayout.TENSOR:
        return sizes.mean()
    if layout is StepLayout.ROW:
        return sizes.mean(dim=-1, keepdim=True).flatten(0, -3).mean(dim=0)
    return sizes.flatten(0, -2).mean(dim=0, keepdim=True)


class Magnitudes:
    """Running means by tensor name; every value weighs the same."""

    def __init__(self) -> None:
        self._sums: dict[str, Tensor] = {}
        self._counts: dict[str, int] = {}

    def add(self, tensor: str, values: Tensor) -> None:
        """Count `values` in. Raises InputError where windows have another size than before."""
        total = mean_magnitude(values.detach(), step_layout(tensor)) * values.numel()
        before = self._sums.get(tensor)
        if before is not None and before.shape != total.shape:
            message = "windows of different sizes: a step per position needs images that are large enough"
            raise InputError("calibration", message, tensor)
        self._sums[tensor] = total if before is None else before + total
        self._counts[tensor] = self._counts.get(tensor, 0) + values.numel()

    def means(self) -> dict[str, Tensor]:
        """Mean magnitudes in the shape of each tensor's steps."""
        return {name: total / self._counts[name] for name, total in self._sums.items()}
