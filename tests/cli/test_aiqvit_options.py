"""The flags of `mixarray quantize --method aiqvit`, and what they refuse."""

from __future__ import annotations

from dataclasses import fields

import pytest

from mixarray.errors import InputError
from mixarray_analysis.cli.aiqvit_options import AIQVIT, AiqvitFlags, aiqvit_options
from mixarray_traces.quantization.aiqvit_options import AiqvitOptions, Compensation, SoftmaxCodes


def test_without_flags_the_defaults_hold_and_other_methods_have_none() -> None:
    assert aiqvit_options(AIQVIT, AiqvitFlags()) == AiqvitOptions()
    assert aiqvit_options("repq_vit", AiqvitFlags()) is None


def test_flags_become_options() -> None:
    flags = AiqvitFlags(
        softmax_codes="base", compensation="side_path", side_bits=6, ranks="1,3", iterations=7, curriculum=False
    )
    found = aiqvit_options(AIQVIT, flags)
    assert found == AiqvitOptions(
        softmax=SoftmaxCodes.BASE,
        compensation=Compensation.SIDE_PATH,
        side_bits=6,
        ranks=(1, 3),
        iterations=7,
        curriculum=False,
    )


@pytest.mark.parametrize("flag", [one.name for one in fields(AiqvitFlags)])
def test_every_flag_is_refused_for_another_method(flag: str) -> None:
    with pytest.raises(InputError, match="the method is ofq") as refused:
        aiqvit_options("ofq", AiqvitFlags(**{flag: 1}))  # type: ignore[arg-type]
    assert refused.value.where == "--" + flag.replace("_", "-")


@pytest.mark.parametrize(
    ("flags", "where"),
    [
        (AiqvitFlags(side_bits=4), "--side-bits"),
        (AiqvitFlags(rank=2, ranks="0,2"), "--rank"),
        (AiqvitFlags(rank=2, search_iterations=5), "--rank"),
        (AiqvitFlags(ranks="0;2"), "--ranks"),
        (AiqvitFlags(base="other"), "--base"),
        (AiqvitFlags(compensation="both"), "--compensation"),
    ],
)
def test_bad_combinations_are_refused(flags: AiqvitFlags, where: str) -> None:
    with pytest.raises(InputError) as refused:
        aiqvit_options(AIQVIT, flags)
    assert refused.value.where == where
