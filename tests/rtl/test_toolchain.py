"""Whether the tools are here and recent enough, and what becomes of their complaints."""

from __future__ import annotations

import tempfile

import pytest

from mixarray.errors import InputError
from mixarray_analysis.cli import main
from mixarray_analysis.validation.checks.rtl_output_stationary import CHECK as OUTPUT_STATIONARY
from mixarray_analysis.validation.checks.rtl_packed_w4 import CHECK as PACKED_W4
from mixarray_analysis.validation.rtl.build import BuildError
from mixarray_analysis.validation.rtl.packed_w4 import build_packed_w4
from mixarray_analysis.validation.rtl.toolchain import VERILATOR, first_complaint, verilator_version

RECENT = 'echo "Verilator 5.006 2023-01-22 rev (Debian 5.006-3)"'
REFUSES = """if [ "$1" = --version ]; then echo 'Verilator 5.999 pretended'; exit 0; fi
echo 'a line that matters little'
echo '%Error: os_pe.sv:40:10: syntax error, unexpected IDENTIFIER' >&2
echo '%Error: Exiting due to 1 error(s)' >&2
exit 1"""


@pytest.fixture
def logs(tmp_path, monkeypatch):
    """Where temporary files go."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    return lambda: [path.read_text() for path in tmp_path.glob("mixarray-*.log")]


@pytest.mark.parametrize(
    ("answer", "present"),
    [
        (RECENT, True),
        ('echo "Verilator 5.036 2025-04-27 rev v5.036"', True),
        ('echo "Verilator 10.0"', True),
        ('echo "Verilator 4.038 2020-07-11 rev v4.036-114-g0cd4a57ad"', False),
        ('echo "something else 5.006"', False),
        ("exit 1", False),
    ],
)
def test_verilator_counts_from_version_5_on(answer, present, only_tools):
    for name, script in (("verilator", answer), ("make", ""), ("g++", "")):
        only_tools(name, script)
    assert VERILATOR.present() is present


@pytest.mark.parametrize("missing", ["verilator", "make", "g++"])
def test_each_of_the_three_tools_is_needed(missing, only_tools):
    for name in {"verilator", "make", "g++"} - {missing}:
        only_tools(name, RECENT)
    assert not VERILATOR.present()
    assert all(word in VERILATOR.obtain for word in ("5", "verilator", "make", "g++"))


def test_verilator_is_asked_once(only_tools, tmp_path):
    only_tools("verilator", f"{RECENT}\necho asked >> {tmp_path}/asked")
    assert [verilator_version() for _ in range(3)] == ["Verilator 5.006 2023-01-22 rev (Debian 5.006-3)"] * 3
    assert (tmp_path / "asked").read_text() == "asked\n"


@pytest.mark.parametrize(
    ("log", "line"),
    [
        (
            "g++ -c a.cpp\n%Error: a.sv:3: no such port\n%Error: Exiting due to 1 error(s)",
            "%Error: a.sv:3: no such port",
        ),
        ("%Warning-WIDTH: a.sv:3: 8 bits\n%Error: Exiting due to 1 warning(s)", "%Warning-WIDTH: a.sv:3: 8 bits"),
        ("a.cpp:3:1: error: expected ;\nmake: *** [a.o] Error 1\n%Error: make exited", "a.cpp:3:1: error: expected ;"),
        ("make: g++: No such file or directory\nmake: *** [a.o] Error 127", "make: g++: No such file or directory"),
        ("one\n  two  \n\n", "two"),
        ("", "it said nothing"),
    ],
)
def test_the_line_that_names_the_cause(log, line):
    assert first_complaint(log) == line


@pytest.mark.parametrize("check", [OUTPUT_STATIONARY, PACKED_W4], ids=lambda check: check.name)
def test_tools_that_cannot_build_the_hardware_are_the_users_in_one_line(check, first_tools, logs):
    first_tools("verilator", REFUSES)
    for attempt in (lambda: check.run(1, 0, lambda done: None), lambda: check.mutants(0)):
        with pytest.raises(InputError, match=r"rtl could not be built: \w+: %Error: os_pe.sv:40:10: ") as raised:
            attempt()
        assert "(all of it: /" in str(raised.value)
        assert "\n" not in str(raised.value)
    assert all("a line that matters little" in log for log in logs())
    assert len(logs()) >= 2


def test_the_command_says_it_in_words(first_tools, logs, capsys):
    first_tools("verilator", REFUSES)
    first_tools("make", "")
    first_tools("g++", "")
    assert main(["validate", "rtl_packed_w4", "--cases", "1"]) != 0
    captured = capsys.readouterr()
    said = " ".join((captured.out + captured.err).split())
    assert "rtl could not be built" in said
    assert "Traceback" not in said


def test_a_version_that_is_too_old_is_refused_by_name(first_tools, capsys):
    first_tools("verilator", 'echo "Verilator 4.038 2020-07-11"')
    assert main(["validate", "rtl"]) == 2
    assert "version 5 or later" in capsys.readouterr().err


@pytest.mark.full
@pytest.mark.needs("verilator")
def test_a_failing_compiler_is_quoted(first_tools, logs, tmp_path):
    first_tools("g++", "echo 'g++: fatal error: nothing works today' >&2; exit 1")
    with pytest.raises(BuildError, match=r"packed_w4_array: g.*fatal error: nothing works today"):
        build_packed_w4(1, 1, tmp_path / "builds")
    assert list((tmp_path / "builds").iterdir()) == [], "nothing half built stays"
