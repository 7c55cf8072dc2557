"""The modules that stand where a Swin transformer of `transformers` stood: its inputs and outputs, our blocks."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from torch import Tensor, nn

from mixarray_traces.model.classifier import Backbone
from mixarray_traces.model.swin import normalise

MapsOf = Callable[[Tensor], Sequence[Tensor]]
"""Pixel values (images, 3, height, width) to the map (images, h, w, C) of every stage."""


class ReplacedSwin(nn.Module):
    """What both kinds share: our backbone, and what runs it."""

    def __init__(self, own: Backbone) -> None:
        super().__init__()
        self.own = own
        self._maps: MapsOf = own.backbone.forward_features

    def run_with(self, maps: MapsOf | None) -> None:
        """Run this instead of our backbone in float; None for the float backbone again."""
        self._maps = self.own.backbone.forward_features if maps is None else maps

    def maps(self, pixel_values: Tensor) -> Sequence[Tensor]:
        """The map (images, h, w, C) of every stage."""
        return self._maps(pixel_values)


class ReplacedBackbone(ReplacedSwin):
    """In the place of a `SwinBackbone`: normalised maps of the chosen stages, (images, C, h, w) each."""

    def __init__(self, own: Backbone, norms: nn.ModuleList, stages: tuple[int, ...]) -> None:
        super().__init__(own)
        self.norms = norms
        self.stages = stages

    def forward(
        self,
        pixel_values: Tensor,
        output_hidden_states: bool | None = None,
        output_attentions: bool | None = None,
        return_dict: bool | None = None,
    ) -> Any:
        """Pixel values (images, 3, height, width) to a `BackboneOutput`; ValueError for what it has no part of."""
        from transformers.modeling_outputs import BackboneOutput

        _refuse_inner(output_hidden_states, output_attentions)
        maps = self.maps(pixel_values)
        found = [(norm, maps[stage]) for norm, stage in zip(self.norms, self.stages, strict=True)]
        features = tuple(norm(one).permute(0, 3, 1, 2).contiguous() for norm, one in found)
        output = BackboneOutput(feature_maps=features)
        return output.to_tuple() if return_dict is False else output

    def forward_with_filtered_kwargs(
        self, pixel_values: Tensor, output_hidden_states: bool | None = None, output_attentions: bool | None = None
    ) -> Any:
        """What some models of `transformers` call a backbone by."""
        return self(pixel_values, output_hidden_states, output_attentions)


class ReplacedModel(ReplacedSwin):
    """In the place of a `SwinModel`: the tokens of the last stage, normalised, and their mean."""

    def __init__(self, own: Backbone, norm: nn.LayerNorm, pooled: bool) -> None:
        super().__init__(own)
        self.norm = norm
        self.pooled = pooled

    def forward(
        self,
        pixel_values: Tensor,
        bool_masked_pos: Tensor | None = None,
        interpolate_pos_encoding: bool = False,
        output_hidden_states: bool | None = None,
        output_attentions: bool | None = None,
        return_dict: bool | None = None,
    ) -> Any:
        """Pixel values (images, 3, height, width) to a `SwinModelOutput`; ValueError for what it has no part of.

        There are no absolute position embeddings, so `interpolate_pos_encoding` changes nothing, as in the original.
        """
        from transformers.models.swin.modeling_swin import SwinModelOutput

        _refuse_inner(output_hidden_states, output_attentions)
        if bool_masked_pos is not None:
            raise ValueError("bool_masked_pos: masked positions are not possible with a replaced Swin transformer")
        tokens = normalise(self.norm, self.maps(pixel_values)[-1]).flatten(1, 2)
        output = SwinModelOutput(last_hidden_state=tokens, pooler_output=tokens.mean(dim=1) if self.pooled else None)
        return output.to_tuple() if return_dict is False else output


def _refuse_inner(output_hidden_states: bool | None, output_attentions: bool | None) -> None:
    for name, wanted in (("output_hidden_states", output_hidden_states), ("output_attentions", output_attentions)):
        if wanted:
            raise ValueError(f"{name}: a replaced Swin transformer hands on the maps of its stages only")
