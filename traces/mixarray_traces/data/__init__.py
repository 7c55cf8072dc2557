"""Data: Fashion-MNIST items on photographs, drawn by a frozen generator, and the user's own images."""

from mixarray_traces.data.canvas import GENERATOR_VERSION, Canvas, draw_canvas
from mixarray_traces.data.images import load_image
from mixarray_traces.data.items import CLASS_NAMES, Split

__all__ = ["CLASS_NAMES", "GENERATOR_VERSION", "Canvas", "Split", "draw_canvas", "load_image"]
