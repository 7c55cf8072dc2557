"""The recorder: from a run of the quantized model, or from a shape alone, to a trace bundle.

Names are loaded on first use: shapes and topologies need no torch, the recorder does.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from mixarray.lazy import loader

if TYPE_CHECKING:
    from mixarray_traces.record.images import RecordImage, canvas_images, read_image
    from mixarray_traces.record.packing import pack_codes, unpack_codes
    from mixarray_traces.record.random_trace import random_bundle
    from mixarray_traces.record.recorder import TensorMode, record
    from mixarray_traces.record.shape import SwinShape, shape_named
    from mixarray_traces.record.topology import build_topology

_HOMES = {
    "RecordImage": "images",
    "SwinShape": "shape",
    "TensorMode": "recorder",
    "build_topology": "topology",
    "canvas_images": "images",
    "pack_codes": "packing",
    "random_bundle": "random_trace",
    "read_image": "images",
    "record": "recorder",
    "shape_named": "shape",
    "unpack_codes": "packing",
}

__all__ = [
    "RecordImage",
    "SwinShape",
    "TensorMode",
    "build_topology",
    "canvas_images",
    "pack_codes",
    "random_bundle",
    "read_image",
    "record",
    "shape_named",
    "unpack_codes",
]


__getattr__ = loader(__name__, _HOMES)
