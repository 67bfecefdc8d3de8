"""`minidl`, `python -m minidl` and their commands."""

import json
import subprocess
import sys
import tomllib
from importlib import import_module
from pathlib import Path

import pytest

import minidl.doctor
from minidl.__main__ import main
from minidl.doctor import Advice, Rates, Report, machine


@pytest.fixture
def examined(monkeypatch):
    """A report on this machine whose measurements are made up."""
    report = Report(machine(), Rates(2.0, 1.0, 3.0), [], Advice("Nothing to set."), ["w"], ["n"])
    monkeypatch.setattr(minidl.doctor, "examine", lambda: report)
    return report


def test_doctor_prints_the_report(examined, capsys):
    assert main(["doctor"]) == 0
    assert capsys.readouterr().out == f"{examined}\n"


def test_json_has_the_same_facts(examined, capsys):
    assert main(["doctor", "--json"]) == 0
    printed = capsys.readouterr()
    assert printed.err == ""  # nothing beside the data, where no person waits
    data = json.loads(printed.out)
    assert data == json.loads(json.dumps(examined.as_dict()))
    text = str(examined)
    for fact in [*data["machine"]["versions"].values(), data["machine"]["cpu"], *data["warnings"]]:
        assert fact in text
    assert data["advice"]["text"] in text


def test_a_person_who_waits_is_told_so(examined, capsys, monkeypatch):
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    main(["doctor"])
    assert "takes a few seconds" in capsys.readouterr().err


def test_no_command_prints_help(capsys):
    assert main([]) == 0
    assert "doctor" in capsys.readouterr().out


@pytest.mark.parametrize("words", [["nurse"], ["doctor", "--jason"]])
def test_a_wrong_command_line_ends_with_two(words, capsys):
    with pytest.raises(SystemExit, match="2"):
        main(words)
    assert "usage: minidl" in capsys.readouterr().err


def test_python_m_minidl():
    done = subprocess.run([sys.executable, "-m", "minidl"], capture_output=True, text=True)
    assert done.returncode == 0
    assert done.stdout.startswith("usage: minidl")


def test_the_console_script_is_this_one():
    pyproject = tomllib.loads((Path(__file__).parents[1] / "pyproject.toml").read_text())
    module, _, function = pyproject["project"]["scripts"]["minidl"].partition(":")
    assert getattr(import_module(module), function) is main


def test_import_minidl_does_not_call_the_doctor():
    code = "import sys, minidl; print([m for m in sys.modules if 'doctor' in m or m == 'argparse'])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
