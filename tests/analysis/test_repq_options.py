"""The flags of `mixarray quantize --method repq_vit`: read, refused elsewhere, kept in the model."""

from __future__ import annotations

from pathlib import Path

import pytest

from mixarray.errors import InputError
from mixarray_analysis.cli import main
from mixarray_analysis.cli.repq_options import repq_options
from mixarray_traces.quantization.options import BranchSteps, RepqOptions, SoftmaxZero, ZeroPoints


def test_defaults_and_choices() -> None:
    assert repq_options("repq_vit", None, None, None, None) == RepqOptions()
    assert repq_options("uniform_affine", None, None, None, None) is None
    assert repq_options("repq_vit", "fractional", "shared", "extra_zero", 7) == RepqOptions(
        ZeroPoints.FRACTIONAL, BranchSteps.SHARED, SoftmaxZero.EXTRA_ZERO, 7
    )


@pytest.mark.parametrize(
    ("method", "values", "option"),
    [
        ("repq_vit", ("some", None, None, None), "--zero-points"),
        ("repq_vit", (None, "both", None, None), "--branch-steps"),
        ("repq_vit", (None, None, "none", None), "--softmax-zero"),
        ("uniform_affine", ("rounded", None, None, None), "--zero-points"),
        ("uniform_affine", (None, None, None, 3), "--largest-shift"),
    ],
)
def test_mistakes_name_their_option(
    method: str, values: tuple[str | None, str | None, str | None, int | None], option: str
) -> None:
    with pytest.raises(InputError) as refused:
        repq_options(method, *values)
    assert refused.value.where == option


@pytest.mark.parametrize(
    ("flags", "said"),
    [
        (("--method", "repq_vit", "--largest-shift", "40"), "largest_shift"),
        (("--method", "repq_vit", "--range", "mse"), "--range"),
        (("--softmax-zero", "last_code"), "--softmax-zero"),
    ],
)
def test_the_command_refuses_in_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], flags: tuple[str, ...], said: str
) -> None:
    assert main(["quantize", *flags, "-o", str(tmp_path / "model")]) == 2
    message = capsys.readouterr().err
    assert said in message
    assert len(message.splitlines()) == 1
    assert not (tmp_path / "model").exists()
