"""`minidl doctor`."""

import json
import sys

import pytest

import minidl.doctor
from minidl.doctor import Advice, Rates, Report, machine


@pytest.fixture
def examined(monkeypatch):
    """A report on this machine whose measurements are made up."""
    report = Report(machine(), Rates(2.0, 1.0, 3.0), [], Advice("Nothing to set."), ["w"], ["n"])
    monkeypatch.setattr(minidl.doctor, "examine", lambda: report)
    return report


def test_doctor_prints_the_report(examined, run):
    assert run("doctor")[:2] == (0, f"{examined}\n")


def test_json_has_the_same_facts(examined, run):
    code, out, err = run("doctor", "--json")
    assert (code, err) == (0, "")  # nothing beside the data, where no person waits
    data = json.loads(out)
    assert data == json.loads(json.dumps(examined.as_dict()))
    text = str(examined)
    for fact in [*data["machine"]["versions"].values(), data["machine"]["cpu"], *data["warnings"]]:
        assert fact in text
    assert data["advice"]["text"] in text


def test_a_person_who_waits_is_told_so(examined, run, monkeypatch):
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    assert "takes a few seconds" in run("doctor").err
