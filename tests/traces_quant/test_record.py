"""From a run to a bundle: windows, codes, determinism, and what needs no torch."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from mixarray.errors import InputError
from mixarray.trace.bundle import read_bundle
from mixarray.trace.model import Role
from mixarray_traces.importance.context import ImageFacts
from mixarray_traces.model.detector import images_to_input
from mixarray_traces.model.windows import WindowGrid
from mixarray_traces.quantization.network import named_weights
from mixarray_traces.quantization.quantized import QuantizedDetector
from mixarray_traces.quantization.window_rows import window_rows
from mixarray_traces.record.images import RecordImage, canvas_images, read_image
from mixarray_traces.record.packing import pack_codes, unpack_codes
from mixarray_traces.record.random_trace import random_bundle
from mixarray_traces.record.recorder import TensorMode, record
from mixarray_traces.record.shape import MapGrid, SwinShape, shape_named


@given(
    st.integers(1, 8).flatmap(lambda b: st.tuples(st.just(b), st.lists(st.integers(-(1 << b - 1), (1 << b - 1) - 1))))
)
def test_packing_round_trips(case: tuple[int, list[int]]) -> None:
    bits, codes = case
    array = np.array(codes, np.int8)
    packed = pack_codes(array, bits)
    assert packed.size == -(-len(codes) * bits // 8)
    assert np.array_equal(unpack_codes(packed, bits, array.shape), array)


def test_two_4_bit_codes_share_a_byte_low_nibble_first() -> None:
    assert pack_codes(np.array([1, -1, 7], np.int8), 4).tolist() == [0xF1, 0x07]
    with pytest.raises(ValueError, match="outside"):
        pack_codes(np.array([8], np.int8), 4)


@pytest.mark.parametrize(("height", "width", "shift"), [(16, 10, 3), (16, 10, 0), (14, 14, 3), (8, 30, 3)])
def test_real_tokens_agree_with_the_model(height: int, width: int, shift: int) -> None:
    rows = window_rows(WindowGrid(height, width, 7, shift))
    assert MapGrid(height, width, 7, shift).window_tokens() == (rows >= 0).sum(dim=1).tolist()
    assert sorted(rows[rows >= 0].tolist()) == list(range(height * width))


def test_a_bundle_holds_what_the_model_did(model: QuantizedDetector, tmp_path: Path) -> None:
    images = canvas_images(3, 128)
    bundle = read_bundle(record(model, images, tmp_path / "bundle", 400, seed=3))
    assert bundle.images == tuple(image.name for image in images)
    assert bundle.manifest.model_source == "random"
    inputs = images_to_input(np.stack([image.pixels for image in images]))
    run = model.run(inputs, model.plan(400, (ImageFacts(),) * 3))
    table = bundle.windows
    for seen in run.windows:
        for image in range(3):
            rows = (table.image == image) & (table.stage == seen.stage) & (table.block == seen.block)
            order = np.argsort(table.window[rows])
            assert np.array_equal(table.bits[rows][order] == 4, seen.low[image].numpy())
            assert np.array_equal(table.rank[rows][order], seen.ranks[image].numpy())
    low = sum(int(seen.low.sum()) for seen in run.windows)
    assert bundle.ratio_actual == pytest.approx(low / sum(seen.low.numel() for seen in run.windows))


def test_recorded_codes_reproduce_a_gemm(model: QuantizedDetector, tmp_path: Path) -> None:
    """qkv of the first block's low group, from the codes in the bundle alone, equals what the model computes."""
    images = canvas_images(2, 128)
    bundle = read_bundle(record(model, images, tmp_path / "bundle", 400, tensors=TensorMode.ALL))
    name, bits = "stages.0.blocks.0.attn.qkv", 4
    files, weights = bundle.tensors("image-1"), bundle.tensors("weights")

    def codes(part: dict[str, np.ndarray], key: str) -> np.ndarray:
        return unpack_codes(part[key], 4, tuple(part[f"{key}.shape"])).astype(np.int64)

    left, right = codes(files, f"{name}.input@{bits}"), codes(weights, f"{name}.weight@4")
    low = int((bundle.windows.bits[(bundle.windows.image == 1) & (bundle.windows.stage == 0)] == 4).sum()) // 2
    assert left.shape == (1, low * 49, 32)
    assert right.shape == (1, 32, 96)
    params = model.calibration.activations[f"{name}.input", bits]
    integer = (left - params.zero_point) @ right * (params.step * weights[f"{name}.weight.steps"])
    bias = named_weights(model.detector)[name].bias
    assert bias is not None
    values = torch.from_numpy((left[0] - params.zero_point) * params.step).float()
    expected = model.arithmetic().linear(name, values, bits)
    np.testing.assert_allclose(integer[0] + bias.numpy(), expected.numpy(), atol=1e-4)


def test_every_recorded_tensor_has_the_topologys_shape(model: QuantizedDetector, tmp_path: Path) -> None:
    bundle = read_bundle(record(model, canvas_images(1, 128), tmp_path / "bundle", 400))
    files = bundle.tensors("image-0") | bundle.tensors("weights")
    sizes: dict[str, int] = {}
    for key, value in files.items():
        if key.endswith(".shape"):
            sizes[key.split("@")[0]] = sizes.get(key.split("@")[0], 0) + int(np.prod(value))
    recorded = {t.name: t for t in bundle.topology.tensors if t.role is not Role.STATE and t.name != "image"}
    assert sizes == {name: t.batch * t.rows * t.columns for name, t in recorded.items()}


def test_equal_runs_give_equal_bytes(model: QuantizedDetector, tmp_path: Path) -> None:
    paths = [record(model, canvas_images(2, 128), tmp_path / name, 200) for name in ("one", "two")]
    for file in sorted(path.relative_to(paths[0]) for path in paths[0].rglob("*") if path.is_file()):
        assert (paths[0] / file).read_bytes() == (paths[1] / file).read_bytes(), file


def test_bad_input_is_refused_and_leaves_nothing(model: QuantizedDetector, tmp_path: Path) -> None:
    image = canvas_images(1, 128)[0]
    small = RecordImage("small.png", np.zeros((24, 24, 3), np.uint8))
    for images, ratio, score in (
        ([image, small], 400, "l2"),
        ([small], 400, "l2"),
        ([], 400, "l2"),
        ([image], 850, "l2"),
        ([image], 400, "loud"),
        ([RecordImage("mine.png", image.pixels)], 400, "oracle"),
    ):
        with pytest.raises(InputError):
            record(model, images, tmp_path / "bundle", ratio, score)
    (tmp_path / "no.png").write_bytes(b"not an image")
    with pytest.raises(InputError, match=r"no\.png"):
        read_image(tmp_path / "no.png")
    assert not (tmp_path / "bundle").exists()


def test_a_random_bundle_needs_no_model(tmp_path: Path) -> None:
    bundle = read_bundle(random_bundle(shape_named("swin_t"), 800, 1333, 400, 1, tmp_path / "bundle"))
    assert bundle.workload(0).macs == 98_966_347_776
    assert bundle.ratio_actual == pytest.approx(0.4, abs=0.005)
    assert bundle.manifest.model_source == "random"
    assert "random window choice" in bundle.manifest.score_note


def test_ratios_per_pair_reach_the_bundle(tmp_path: Path) -> None:
    from mixarray_traces.quantization.ratios import Ratios

    shape = SwinShape("small", (32, 64), (2, 2), (1, 2))
    bundle = read_bundle(random_bundle(shape, 224, 224, Ratios(((200,), (600,))), 1, tmp_path / "bundle"))
    assert bundle.manifest.pair_ratios_thousandths == ((200,), (600,))
    counts = {key: {c.bits: c.windows for c in value} for key, value in bundle.assignment(0).items()}
    assert counts[0, 0] == {8: 51, 4: 13}
    assert counts[1, 1] == {8: 6, 4: 10}


def test_shapes_and_random_bundles_load_no_torch() -> None:
    code = (
        "import sys; from mixarray_traces.record import build_topology, random_bundle, shape_named;"
        "from mixarray_traces.quantization import Ratios; from mixarray_traces.importance import DEFAULT_SCORE;"
        "build_topology(shape_named('swin_t'), 224, 224); sys.exit('torch' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
