from pathlib import Path

import pytest

import benchmarks.contestants as contestants
from benchmarks import scaling
from benchmarks.environments import PACKAGES
from benchmarks.measure import ALL, choose

FOLDER = Path(contestants.__file__).parent


def test_names_are_unique():
    names = [workload.name for workload in ALL]
    assert len(set(names)) == len(names)


@pytest.mark.parametrize("workload", ALL, ids=lambda w: w.name)
def test_contestants_exist_and_minidl_is_the_first(workload):
    assert workload.contestants[0] == "minidl"
    assert set(workload.targets) < set(workload.contestants)
    for name in workload.contestants:
        file = contestants.CONTESTANTS[name].module or name
        assert f"class {workload.kind.capitalize()}" in (FOLDER / f"{file}.py").read_text()


def test_environments_exist_and_are_pinned():
    assert {c.environment for c in contestants.CONTESTANTS.values()} - {""} == set(PACKAGES) - {
        "minidl"
    }
    for packages in PACKAGES.values():
        assert all("==" in package or Path(package).is_dir() for package in packages)


def test_choose():
    assert choose(["W1"]) == ["W1-32", "W1-64", "W1-128"]
    assert choose(["W4", "W1-64", "W8"]) == ["W1-64", "W4", "W8"]
    assert set(choose([])) == {w.name for w in ALL} | {"W8"}
    with pytest.raises(ValueError, match="no workload 'W77'; there are W1-32"):
        choose(["W1", "W77"])


def test_a_word_does_not_stand_for_longer_ones():
    assert choose(["W11"]) == ["W11-fit", "W11-predict"]
    assert choose(["W10"]) == [f"W10-{n}" for n in ("lstm-64", "lstm-128", "gru-64", "transformer")]


@pytest.mark.parametrize("workload", scaling.WORKLOADS, ids=lambda w: w.name)
def test_points_of_curves_are_whole_batches_of_the_data(workload):
    assert workload.rows % workload.batch_size == 0
    assert workload.batch_size < workload.rows <= 60_000
    steps = workload.loop_epochs * workload.rows // workload.batch_size
    assert 7 <= steps <= 600
