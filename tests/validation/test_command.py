"""`mixarray validate`: exit codes, one table of 80 columns, the same as JSON, nothing heavy loaded."""

from __future__ import annotations

import json
import re
import signal
import subprocess
import sys
from dataclasses import replace

import pytest

from mixarray_analysis.cli import main
from mixarray_analysis.validation.report import LONGEST_REMARK

LONG = "rtl_output_stationary"


def test_all_hold(capsys, registered, check):
    registered(check("engine"), check(LONG))
    assert main(["validate"]) == 0
    captured = capsys.readouterr()
    rows = [line.split() for line in captured.out.splitlines()]
    assert rows[0] == ["check", "against", "cases", "mismatches", "mutants", "verdict"]
    assert [row[-4:] for row in rows[1:] if row[0] in ("engine", LONG)] == [["7", "0", "-", "holds"]] * 2
    assert re.fullmatch(r"(\w+: holds, 7 cases, 0 mismatches, \d+\.\d s\n){2}", captured.err)


def test_a_check_that_breaks_is_told_in_words_without_a_traceback(capsys, registered, check):
    registered(check("engine", raises=ValueError("no [red]such[/red]\nplace\x1b[31m")), check("job_rule"))
    assert main(["validate"]) == 1
    captured = capsys.readouterr()
    lines = captured.out.splitlines()
    assert any(line.startswith("engine") and line.split()[-4:] == ["-", "-", "-", "FAILS"] for line in lines)
    assert any(line.startswith("job_rule") and line.split()[-1] == "holds" for line in lines)
    assert lines[-1].startswith(r"engine: stopped by ValueError: no [red]such[/red] place\x1b[31m (conftest.py, line")
    assert "Traceback" not in captured.err
    assert main(["validate", "--json", "-q"]) == 1
    broken, fine = json.loads(capsys.readouterr().out)["checks"]
    assert broken["error"].startswith("ValueError: no [red]such[/red]\nplace")
    assert (broken["verdict"], broken["cases"], fine["verdict"], fine["error"]) == ("FAILS", 0, "holds", "")


def test_a_very_long_error_is_cut_below_the_table_only(capsys, registered, check):
    registered(check("engine", raises=RuntimeError("word " * 1000)))
    assert main(["validate", "-q", "--json"]) == 1
    assert len(json.loads(capsys.readouterr().out)["checks"][0]["error"]) > 5000
    assert main(["validate"]) == 1
    assert len(capsys.readouterr().out.splitlines()[-1]) <= LONGEST_REMARK


def test_someone_who_stops_sees_what_was_finished(capsys, tmp_path, registered, check):
    registered(check("engine", wrong=[3]), check("job_rule", raises=KeyboardInterrupt()), check("rtl_a"))
    assert main(["validate", "--out", str(tmp_path / "result")]) == 130
    captured = capsys.readouterr()
    lines = captured.out.splitlines()
    assert any(line.startswith("engine") and line.split()[-1] == "FAILS" for line in lines)
    assert lines[-2:] == ["engine: first mismatch: seed 0, case 3", "stopped after 1 of 3 checks"]
    assert captured.err.splitlines()[-1] == "stopped"
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.usefixtures("stoppable")
def test_a_signal_stops_it_politely(capsys, registered, check, number):
    registered(replace(check("engine"), run=lambda *given: signal.raise_signal(number)))
    assert main(["validate"]) == 130
    assert capsys.readouterr().err == "stopped\n"


def test_a_failing_check_is_told_in_words_and_exits_with_1(capsys, registered, check):
    registered(check("engine"), check("job_rule", wrong=[2, 4]))
    assert main(["validate", "--mutants"]) == 1
    lines = capsys.readouterr().out.splitlines()
    assert any(line.startswith("job_rule") and line.split()[-4:] == ["7", "2", "2/2", "FAILS"] for line in lines)
    assert lines[-1] == "job_rule: first mismatch: seed 0, case 2"


def test_a_missed_mutant_exits_with_1_and_is_named(capsys, registered, check):
    registered(check("job_rule", caught=["sign"]))
    assert main(["validate"]) == 0
    assert main(["validate", "--mutants"]) == 1
    assert capsys.readouterr().out.splitlines()[-1] == "job_rule: mutant not noticed: shift"


def test_what_cannot_run_is_told_and_no_failure_unless_named(capsys, registered, check):
    registered(check("engine"), check("rtl_a", missing=["verilator"]))
    assert main(["validate"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert any(line.startswith("rtl_a") and line.split()[-5:] == ["-", "-", "-", "not", "run"] for line in lines)
    assert lines[-1] == "rtl_a: not run: needs verilator (apt-get install verilator)"
    for name in ("rtl", "rtl_a"):
        assert main(["validate", name]) == 2
        captured = capsys.readouterr()
        assert captured.out == ""
        assert captured.err == f"error: validate: {name} cannot run: needs verilator (apt-get install verilator)\n"


@pytest.mark.parametrize("arguments", [["nothing"], ["--cases", "0"], ["--seed", "-1"], ["engine", "nothing"]])
def test_bad_input_exits_with_2_in_one_line(arguments, capsys, registered, check):
    registered(check("engine"))
    assert main(["validate", *arguments]) == 2
    captured = capsys.readouterr()
    assert (captured.out, captured.err.count("\n")) == ("", 1)


def test_seed_and_cases_reach_the_checks(capsys, registered, check):
    registered(check("engine", wrong=range(99)))
    assert main(["validate", "--seed", "5", "--cases", "3", "--json"]) == 1
    entry = json.loads(capsys.readouterr().out)["checks"][0]
    assert (entry["cases"], entry["mismatches"], entry["first_mismatch"]) == (3, 3, "seed 5, case 0")


def test_json_and_the_file_say_the_same_and_equal_runs_give_equal_bytes(capsys, tmp_path, registered, check):
    registered(check("engine", wrong=[1], caught=["sign"]), check("rtl_a", missing=["verilator"]))
    for name in ("one", "two"):
        assert main(["validate", "--mutants", "--json", "--out", str(tmp_path / name)]) == 1
    first, second = ((tmp_path / name / "validation.json").read_bytes() for name in ("one", "two"))
    assert capsys.readouterr().out.encode() == first + second
    assert first == second
    result = json.loads(first)
    assert result["verdicts"] == {"holds": 0, "FAILS": 1, "not run": 1}
    failed, absent = result["checks"]
    assert failed["mutants"] == {"planted": ["shift", "sign"], "missed": ["shift"]}
    assert failed["verdict"] == "FAILS"
    assert (absent["verdict"], absent["cases"], absent["mutants"]) == ("not run", 0, None)
    assert absent["missing"] == [{"name": "verilator", "obtain": "apt-get install verilator"}]


def test_an_existing_result_is_replaced_only_with_force(capsys, tmp_path, registered, check):
    registered(check("engine"))
    out = ["--out", str(tmp_path / "result"), "--quiet"]
    assert main(["validate", *out]) == 0
    assert main(["validate", *out]) == 2
    assert main(["validate", *out, "--force"]) == 0
    assert [path.name for path in tmp_path.iterdir()] == ["result"]
    (tmp_path / "result" / "validation.json").unlink()
    (tmp_path / "result" / "mine.txt").write_text("kept")
    assert main(["validate", *out, "--force"]) == 2
    assert capsys.readouterr().out == ""


def test_quiet_says_it_with_the_exit_code_alone(capsys, registered, check):
    registered(check("engine", wrong=[0]))
    assert main(["validate", "--quiet"]) == 1
    captured = capsys.readouterr()
    assert captured.out + captured.err == ""


@pytest.mark.parametrize(
    "options",
    [["--cases", "3"], ["--mutants"], ["--seed", "1"], ["--out", "x"], ["--page", "x"], ["--force"], ["--quiet"]],
)
def test_options_that_the_list_has_no_use_for_are_refused_by_name(options, capsys, registered, check):
    registered(check("engine"))
    assert main(["validate", "--list", *options]) == 2
    assert capsys.readouterr().err == f"error: --list: runs no check: {options[0]} would be idle\n"


def test_force_needs_a_result_to_replace(capsys, registered, check):
    registered(check("engine"))
    assert main(["validate", "--force"]) == 2
    assert capsys.readouterr().err.startswith("error: --force: replaces the result at --out")


@pytest.mark.parametrize("width", [60, 80, 150])
def test_nothing_of_the_table_vanishes_on_a_terminal(width, capsys, monkeypatch, registered, check):
    registered(check("engine"), check(LONG, cases=1250))
    monkeypatch.setenv("COLUMNS", str(width))
    monkeypatch.setattr("sys.stdout.isatty", lambda: True)
    assert main(["validate", "--mutants"]) == 0
    text = capsys.readouterr().out
    for word in ("check", "against", "cases", "mismatches", "mutants", "verdict", LONG, "1,250", "2/2", "holds"):
        assert word in text
    assert main(["validate", "--list"]) == 0
    text = capsys.readouterr().out
    assert all(word in text for word in ("what", "says", "cases", "needs", LONG, "1,250", "independent"))


def test_the_list_runs_nothing(capsys, registered, check):
    registered(check("engine", wrong=range(7)), check("rtl_a", missing=["verilator"]))
    assert main(["validate", "--list"]) == 0
    text = capsys.readouterr().out
    assert "what engine says" in text
    assert "verilator" in text
    assert main(["validate", "--list", "--json", "rtl"]) == 0
    entry = json.loads(capsys.readouterr().out)[0]
    assert (entry["name"], entry["cases"], entry["tier"]) == ("rtl_a", 7, "engine")


def test_every_line_of_the_real_tables_fits_80_columns(capsys):
    assert main(["validate", "--list"]) == 0
    assert main(["validate", "engine", "--cases", "2"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) > 8
    assert max(map(len, lines)) <= 80


def loaded(code: str) -> set[str]:
    """Top-level names of the modules that are loaded after `code` ran in a fresh interpreter."""
    listing = f"import sys\n{code}\nprint('MODULES', *{{name.split('.')[0] for name in sys.modules}})"
    done = subprocess.run([sys.executable, "-c", listing], capture_output=True, text=True, check=True)
    return set(done.stdout.rsplit("MODULES ", 1)[1].split())


def test_help_loads_nothing_heavy_and_a_run_neither_torch_nor_pandas_nor_matplotlib():
    command = "from mixarray_analysis.cli import main\nassert main({!r}) == 0"
    heavy = {"numpy", "torch", "pandas", "pyarrow", "matplotlib", "simpy", "networkx", "yaml"}
    assert loaded(command.format(["validate", "--help"])).isdisjoint(heavy)
    found = loaded(command.format(["validate", "engine_checker", "--cases", "2"]))
    assert found.isdisjoint({"torch", "pandas", "matplotlib"})
    assert "simpy" in found
