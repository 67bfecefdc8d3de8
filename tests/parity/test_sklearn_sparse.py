"""The benchmark of sparse input: scikit-learn does the same work, to rounding."""

import numpy as np

from benchmarks.contestants import minidl, sklearn
from benchmarks.contestants.task import Task
from benchmarks.data import bytes_of, read_sparse_rows, write_sparse_rows
from benchmarks.networks import dense, initial_values


def test_sparse_training_is_the_same_as_scikit_learns(tmp_path, monkeypatch):
    monkeypatch.setattr("benchmarks.data.SPARSE_SHAPE", (300, 400))
    monkeypatch.setattr("benchmarks.data.DENSITY", 0.01)
    write_sparse_rows(tmp_path)
    x, y = read_sparse_rows(tmp_path, 300)
    assert bytes_of(x) == 1200 * (4 + 4) + 301 * 4
    layers = dense(8, 5)
    start = initial_values(layers, (400,))
    shared = Task(x, y, layers, start, 50, 1, 1, threads=1, optimizer="adam")
    ours, theirs = minidl.Training(shared), sklearn.Training(shared)
    for contestant in (ours, theirs):
        contestant.in_order(300, 1)
    assert not np.array_equal(ours.parameters()[0], start[0][0])
    for a, b in zip(ours.parameters(), theirs.parameters(), strict=True):
        np.testing.assert_allclose(a, b, rtol=0, atol=1e-6)
    np.testing.assert_allclose(
        minidl.Inference(shared).probabilities(x),
        sklearn.Inference(shared).probabilities(x),
        rtol=0,
        atol=1e-6,
    )
