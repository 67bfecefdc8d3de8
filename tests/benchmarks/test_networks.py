import numpy as np
import pytest

from benchmarks.limits import step_limit
from benchmarks.networks import LENET, dense, initial_values, shapes, step_operations
from benchmarks.workloads import WORKLOADS

IMAGE = (28, 28, 1)


def test_shapes_of_lenet():
    layers = zip(LENET, shapes(LENET, IMAGE)[1:], strict=True)
    found = [shape for (kind, *_), shape in layers if kind != "relu"]
    assert found == [
        *((28, 28, 6), (14, 14, 6), (10, 10, 16), (5, 5, 16), (400,), (120,), (84,), (10,))
    ]


def test_initial_values_are_of_he_and_repeat():
    start = initial_values(dense(512, 10), (784,))
    assert [(w.shape, b.shape, w.dtype) for w, b in start] == [
        ((784, 512), (512,), np.float32),
        ((512, 10), (10,), np.float32),
    ]
    assert start[0][0].std() == pytest.approx(np.sqrt(2 / 784), rel=0.01)
    assert not start[0][1].any()
    assert np.array_equal(start[1][0], initial_values(dense(512, 10), (784,))[1][0])


def test_initial_values_of_a_convolution():
    weight, bias = initial_values(LENET, IMAGE)[1]
    assert (weight.shape, bias.shape) == ((5, 5, 6, 16), (16,))


def test_operations_of_a_step():
    # Forward and gradient of the weights of both layers, gradient of the input of the second.
    assert step_operations(dense(10, 10), (784,), 64) == 2 * 64 * (2 * 784 * 10 + 3 * 10 * 10)
    conv = (("conv", 6, 5, "same"), ("flatten",), ("dense", 10))
    expected = 2 * 2 * (28 * 28 * 6 * 25) + 3 * 2 * (28 * 28 * 6 * 10)
    assert step_operations(conv, IMAGE, 1) == expected


def test_sequences():
    layers = (("dense", 8), ("transformer", 8, 2, 16), ("mean",), ("dense", 10))
    assert shapes(layers, (5, 3)) == [(5, 3), (5, 8), (5, 8), (8,), (10,)]
    assert shapes((("gru", 8), ("dense", 10)), (5, 3)) == [(5, 3), (8,), (10,)]
    first, norm, attention, *_ = initial_values(layers, (5, 3))
    assert [a.shape for a in attention] == [(8, 24), (24,), (8, 8), (8,)]
    assert (norm[0] == 1).all()
    assert first[1].any()


def test_operations_of_a_step_on_sequences():
    # In each of 5 steps 3 inputs and 8 states by 32 gates; the inputs need no gradient.
    assert step_operations((("lstm", 8),), (5, 3), 2) == 2 * 2 * 5 * 32 * (2 * 3 + 3 * 8)
    block = 5 * (8 * 24 + 8 * 8 + 2 * 8 * 16) + 2 * 5 * 5 * 8
    assert step_operations((("transformer", 8, 2, 16),), (5, 8), 2) == 2 * 2 * 3 * block


def test_limit_of_a_step():
    (workload,) = (w for w in WORKLOADS if w.name == "W2")
    rates = {"sgemm_gflops": 100.0, "sgemm_gflops_one_thread": 50.0, "memory_gb_per_s": 10.0}
    limit = step_limit(workload, rates)
    assert limit.products == pytest.approx(60_000 * 31_960 / 100e9)
    assert limit.memory == pytest.approx(60_000 * 784 * 4 / 10e9)
    assert (limit.seconds, limit.cause) == (limit.products, "products")
    # A second thread that slows products down says nothing about the machine.
    slowed = step_limit(workload, rates | {"sgemm_gflops": 1.0})
    assert slowed.products == pytest.approx(2 * limit.products)
