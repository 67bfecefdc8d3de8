import importlib

import numpy as np
import pytest

from benchmarks.contestants.task import Task
from benchmarks.data import read_start, write_start
from benchmarks.networks import dense, initial_values
from benchmarks.workloads import WORKLOADS

handwritten = importlib.import_module("benchmarks.contestants.handwritten")
minidl = importlib.import_module("benchmarks.contestants.minidl")


def task(units, rows=200, batch_size=64):
    rng = np.random.default_rng(1)
    x, y = rng.random((rows, 20), dtype=np.float32), rng.integers(0, 10, rows)
    layers = dense(*units)
    start = initial_values(layers, (20,))
    return Task(x, y, layers, start, batch_size, fit_epochs=2, loop_epochs=2, threads=1)


@pytest.mark.parametrize("units", [(10,), (10, 10), (16, 8, 12, 10)])
@pytest.mark.parametrize("batch_size", [64, 200])
def test_handwritten_step_equals_the_trainers(units, batch_size):
    ours = minidl.Training(task(units, batch_size=batch_size))
    by_hand = handwritten.Training(task(units, batch_size=batch_size))
    before = [a.copy() for a in ours.parameters()]
    for contestant in (ours, by_hand):
        contestant.in_order(200, 2)
    moved = max(np.abs(a - b).max() for a, b in zip(before, ours.parameters(), strict=True))
    assert moved > 0.01
    for a, b in zip(ours.parameters(), by_hand.parameters(), strict=True):
        np.testing.assert_allclose(a, b, rtol=0, atol=1e-6)


def test_a_round_counts_its_steps_and_trains():
    for module in (minidl, handwritten):
        contestant = module.Training(task((10, 10)))
        before = contestant.parameters()[0].copy()
        assert contestant.round() == 2 * 4  # 200 rows are three batches of 64 and one of 8
        assert not np.array_equal(before, contestant.parameters()[0])


def test_initial_values_are_not_written_to():
    shared = task((10, 10))
    for module in (minidl, handwritten):
        module.Training(shared).round()
    for (w, b), (w0, b0) in zip(shared.start, task((10, 10)).start, strict=True):
        assert np.array_equal(w, w0)
        assert np.array_equal(b, b0)


@pytest.mark.parametrize(
    "layers",
    [workload.layers for workload in WORKLOADS if workload.group == "W10"],
    ids=lambda layers: layers[0][0],
)
def test_sequence_layers_take_and_give_the_shared_values(layers, tmp_path):
    rng = np.random.default_rng(1)
    write_start(tmp_path, initial_values(layers, (6, 28)))
    start = read_start(tmp_path)
    shared = [a for part in start for a in part]
    x, y = rng.random((70, 6, 28), dtype=np.float32), rng.integers(0, 10, 70)
    ours = minidl.Training(Task(x, y, layers, start, 64, fit_epochs=1, loop_epochs=1, threads=1))
    for a, b in zip(ours.parameters(), shared, strict=True):
        np.testing.assert_array_equal(a, b)
    assert ours.round() == 2
    assert all((a != b).any() for a, b in zip(ours.parameters(), shared, strict=True))


def test_inference_gives_the_same_probabilities():
    shared = task((16, 10))
    ours, by_hand = minidl.Inference(shared), handwritten.Inference(shared)
    rows = ours.probabilities(shared.x)
    np.testing.assert_allclose(rows, by_hand.probabilities(shared.x), rtol=0, atol=1e-6)
    np.testing.assert_allclose(rows.sum(axis=1), 1, atol=1e-6)
