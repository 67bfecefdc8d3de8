"""Sizes that are worked out from shapes."""

import copy

import pytest

import minidl as dl
from minidl.layers import planning


@pytest.fixture(autouse=True)
def chunk_bytes(monkeypatch):
    monkeypatch.setattr(planning, "CHUNK_BYTES", 2**21)
    monkeypatch.setattr(planning, "MOST_BYTES", 2**24)


class PerPixel(dl.Layer):
    """A parameter matrix (C, C) that every pixel is multiplied by."""

    def parameter_specs(self, input_shape):
        channels = input_shape[-1]
        return [
            dl.ParameterSpec("kernel", (channels, channels), dl.Zeros()),
            dl.ParameterSpec("shift", (1000 * channels,), dl.Zeros()),  # never multiplied by
        ]

    def forward(self, x, *, training=False, out=None):
        return x

    def backward(self, dy, *, input_grad=True, out=None):
        return dy


@pytest.mark.parametrize(
    ("layers", "input_shape", "expected"),
    [
        ([dl.Dense(3)], (5,), 15),
        ([dl.Dense(3), dl.ReLU(), dl.Dense(7), dl.Sequential([dl.Dense(2)])], (5,), 21),
        ([dl.Sequential([dl.Dense(2), dl.Dense(30)])], (5,), 60),
        ([PerPixel()], (4, 6, 3), 9 * 6),  # a row of pixels
        ([dl.Conv2D(5, 3)], (8, 7, 2), 3 * 3 * 2 * 5 * 5),
        ([dl.Dense(3)], (4, 5), 15 * 4),  # all steps
        ([dl.Dense(3)], (None, 5), 15 * 64),
        ([dl.Embedding(1000, 3), dl.Dense(2)], (4,), 6 * 4),  # picks rows, multiplies nothing
        ([dl.ReLU(), dl.Flatten()], (5, 2), 0),
    ],
    ids=str,
)
def test_the_largest_product_of_a_row(layers, input_shape, expected):
    model = dl.Sequential(layers).build(input_shape)
    assert model.bound.plan.largest_product == expected


@pytest.mark.parametrize(
    ("width", "expected"),
    [
        (1, 8192),  # never more
        (32, 8192),  # 2^21 bytes are 8,192 rows of 64 float32
        (33, 4096),  # 7,943 rows, and so a power of two below
        (64, 4096),
        (784, 256),  # 334
        (2**14, 64),  # never less, although these are 16
        (2**15, 64),  # never less, although these are 8, up to 2^24 bytes
        (2**15 + 1, 32),
        (2**20, 2),
        (2**21, 1),
        (2**23, 1),  # although a single one is larger
    ],
)
def test_rows_of_a_chunk(width, expected):
    plan = dl.Sequential([dl.ReLU()]).build((width,)).bound.plan
    assert plan.chunk_rows == expected


@pytest.mark.parametrize(
    ("width", "units", "expected"),
    [
        (10, 1, 8192),  # never more
        (10, 64, 8192),  # 2^21 bytes are 8,192 rows of 64 float32
        (100_000, 64, 8192),  # the input counts for nothing
        (100_000, 65, 4096),  # 8,065, and so a power of two below
        (100_000, 512, 1024),
        (10, 513, 1024),  # never less, although these are 1,021
        (10, 4096, 1024),  # 2^24 bytes
        (10, 4097, 512),
    ],
)
def test_rows_of_a_chunk_of_sparse_input(width, units, expected):
    plan = dl.Sequential([dl.Dense(units)]).build((width,)).bound.plan
    assert plan.sparse_chunk_rows == expected


@pytest.mark.parametrize(
    ("layers", "expected"),
    [
        ([dl.ReLU()], 8192),
        ([dl.ReLU(), dl.ReLU()], 4096),  # 5,461 rows of 96 float32
        ([dl.ReLU(), dl.Sequential([dl.Sequential([dl.ReLU()])])], 4096),  # counted once
        ([dl.Dense(320), dl.ReLU()], 512),  # 780 rows of 32 + 320 + 320
    ],
    ids=str,
)
def test_all_activations_of_a_chunk_fit_the_cache(layers, expected):
    model = dl.Sequential(copy.deepcopy(layers)).build((32,))
    assert model.bound.plan.chunk_rows == expected
