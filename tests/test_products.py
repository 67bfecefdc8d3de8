"""Products in pieces: the same numbers as one product, for any size and memory order."""

import itertools
import tracemalloc

import numpy as np
import pytest
import scipy.sparse as sp
import threadpoolctl

import minidl as dl
from minidl import products
from minidl.products import has_small_kernels, matmul, rows_times

K = 5
PIECE = 8 * K * 16  # so that 128, 40 and 8 rows of 1, 3 and 16 columns make a piece


@pytest.fixture(autouse=True)
def small_kernels(monkeypatch):
    """Pieces are cut on any machine."""
    monkeypatch.setattr(products, "has_small_kernels", lambda: True)


def layouts(a):
    """The same numbers in C order, in F order, strided, and backwards."""
    strided = np.full((2 * a.shape[0], 3 * a.shape[1]), np.nan)[::2, 1::3]
    strided[...] = a
    return a.copy(), np.asfortranarray(a), strided, a[::-1, ::-1].copy()[::-1, ::-1]


def whole_numbers(rng, *shape):
    return rng.integers(-9, 10, shape).astype(float)  # their products are exact in any order


@pytest.mark.parametrize("m", [1, 3, 16, 17])
@pytest.mark.parametrize("n", [1, 7, 8, 9, 39, 40, 41, 80, 85, 127, 128, 129, 300])
def test_it_is_the_plain_product_in_any_memory_order(monkeypatch, n, m):
    monkeypatch.setattr(products, "PIECE", PIECE)
    rng = np.random.default_rng([n, m])
    x, w = whole_numbers(rng, n, K), whole_numbers(rng, K, m)
    expected = np.einsum("nk,km->nm", x, w)
    for a, b in itertools.product(layouts(x), layouts(w)):
        np.testing.assert_array_equal(matmul(a, b), expected)
        for out in layouts(np.full((n, m), np.nan)):
            assert matmul(a, b, out) is out
            np.testing.assert_array_equal(out, expected)


def test_nothing_beside_a_strided_out_is_written():
    rng = np.random.default_rng(0)
    x, w = whole_numbers(rng, 300, 784), whole_numbers(rng, 784, 10)
    block = np.full((600, 30), np.nan)
    matmul(x, w, block[::2, 1::3])
    np.testing.assert_array_equal(block[::2, 1::3], x @ w)
    assert np.isnan(block).sum() == block.size - 300 * 10


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_products_of_a_network_agree_to_rounding(dtype):
    rng = np.random.default_rng(0)
    x, dy = (rng.normal(size=(1000, d)).astype(dtype) for d in (784, 10))
    w = np.asfortranarray(rng.normal(size=(784, 10)).astype(dtype))
    for a, b in ((x, w), (x.T, dy), (dy, w.T)):
        product = matmul(a, b)
        assert product.dtype == dtype
        scale = np.abs(a).astype(float) @ np.abs(b)
        errors = np.abs(product - a.astype(float) @ b) / scale
        assert errors.max() < 10 * np.finfo(dtype).eps


@pytest.mark.parametrize(
    ("shapes", "expected"),
    [
        ((1000, 784, 10), [(8, 120, 784), (40, 784)]),  # 10^6 / 7840 = 127.6: 15 times 8 rows
        ((1000, 784, 16), [(13, 72, 784), (64, 784)]),  # 79.7
        ((1000, 784, 17), [(1000, 784)]),  # not narrow
        ((1000, 100, 10), [(1000, 100)]),  # 10^6 in all: small enough as it is
        ((1001, 100, 10), [(1, 1000, 100), (1, 100)]),
        ((20, 60_000, 10), [(2, 8, 60_000), (4, 60_000)]),  # never less than 8 rows
        ((7, 20_000, 10), [(0, 8, 20_000), (7, 20_000)]),
    ],
    ids=str,
)
def test_pieces_are_as_long_as_the_kernels_for_small_matrices_allow(monkeypatch, shapes, expected):
    seen, plain = [], np.matmul

    def watched(a, b, out=None):
        seen.append(a.shape)
        return plain(a, b, out=out)

    monkeypatch.setattr(np, "matmul", watched)
    n, k, m = shapes
    matmul(np.zeros((n, k), np.float32), np.zeros((k, m), np.float32))
    assert seen == expected


def test_without_small_kernels_a_product_is_whole(monkeypatch):
    monkeypatch.setattr(products, "has_small_kernels", lambda: False)
    seen, plain = [], np.matmul
    monkeypatch.setattr(
        np, "matmul", lambda a, b, out=None: seen.append(a.shape) or plain(a, b, out=out)
    )
    matmul(np.zeros((1000, 784), np.float32), np.zeros((784, 10), np.float32))
    assert seen == [(1000, 784)]


@pytest.mark.parametrize(
    ("pools", "expected"),
    [
        ([], False),
        ([{"internal_api": "mkl"}], False),
        ([{"architecture": "Haswell"}], False),
        ([{"internal_api": "openmp"}, {"architecture": "SkylakeX"}], True),
    ],
)
def test_kernels_for_small_matrices_are_known_by_name(monkeypatch, pools, expected):
    monkeypatch.setattr(threadpoolctl, "threadpool_info", lambda: pools)
    assert has_small_kernels.__wrapped__() is expected


@pytest.mark.parametrize("units", [1, 10, 15, 16, 20])
def test_a_dense_layer_is_differentiated_right_in_pieces(monkeypatch, units):
    monkeypatch.setattr(products, "PIECE", 8 * 9 * 4)
    x = np.random.default_rng(0).normal(size=(37, 9))
    report = dl.check_layer(dl.Dense(units, bias_initializer=dl.Normal()), (9,), inputs=x)
    assert report.worst <= 1e-6
    model = dl.Dense(units).build((9,), rng=0, dtype=float)
    np.testing.assert_allclose(
        model(x), np.einsum("nd,dm->nm", x, model.weight), rtol=1e-12, atol=1e-14
    )


class Noting(sp.csr_array):
    """Sparse rows that note what they are multiplied by."""

    def __matmul__(self, other):
        self.factors = [*getattr(self, "factors", []), other.shape]
        return super().__matmul__(other)


@pytest.mark.parametrize(
    ("nnz", "d", "order", "by_columns"),
    [
        (5, 106, "F", True),
        (5, 105, "F", False),  # five numbers and the calls cost as much as copying 105 rows
        (6, 106, "F", False),
        (5, 106, "C", False),  # SciPy reads it as it is
        (0, 101, "F", True),
        (0, 100, "F", False),
    ],
)
def test_few_sparse_rows_do_not_copy_a_narrow_matrix(monkeypatch, nnz, d, order, by_columns):
    monkeypatch.setattr(products, "CALL", 100)
    rng = np.random.default_rng([nnz, d])
    dense, w = np.zeros((7, d)), np.asarray(whole_numbers(rng, d, 3), order=order)
    places = rng.choice(dense.size, nnz, replace=False)
    dense.flat[places] = 1 + rng.integers(0, 9, nnz)
    x = Noting(dense)
    product = matmul(x, w)
    np.testing.assert_array_equal(product, dense @ w)
    assert x.factors == ([(d,)] * 3 if by_columns else [(d, 3)])
    for out in layouts(np.full((7, 3), np.nan)):
        assert matmul(x, w, out) is out
        np.testing.assert_array_equal(out, dense @ w)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_a_prediction_for_a_sparse_row_takes_no_memory_the_size_of_the_weights(dtype):
    model = dl.Dense(10).build((50_000,), rng=0, dtype=dtype)
    x = sp.csr_array(([1.0, 2.0], [7, 40_000], [0, 2]), shape=(1, 50_000)).astype(dtype)
    expected = model.weight[7] + 2 * model.weight[40_000]
    model.predict(x)
    tracemalloc.start()
    y = model.predict(x)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    np.testing.assert_allclose(y, expected[np.newaxis], rtol=1e-6)
    assert y.dtype == dtype
    assert peak < model.weight.nbytes / 100


@pytest.mark.parametrize("strided", [False, True], ids=["contiguous", "strided"])
@pytest.mark.parametrize("shape", [(6, 4), (2, 3, 4)], ids=["rows", "steps"])
def test_rows_and_steps(shape, strided):
    rng = np.random.default_rng(0)
    x, w = rng.normal(size=shape), rng.normal(size=(4, 5))
    expected = np.einsum("...d,dm->...m", x, w)
    np.testing.assert_allclose(rows_times(x, w, None), expected, rtol=1e-12)
    out = np.full((*shape[:-1], 10 if strided else 5), np.nan)[..., : 10 : 2 if strided else 1]
    y = rows_times(x, w, out)
    np.testing.assert_allclose(y, expected, rtol=1e-12)
    if not strided:
        assert y is out


def test_all_steps_are_rows_of_one_product(monkeypatch):
    factors = []

    def noted(a, b, out=None):
        factors.append(a)
        return np.matmul(a, b, out=out)

    monkeypatch.setattr(products, "matmul", noted)
    rows, steps = np.ones((4, 3)), np.ones((4, 5, 3))
    assert rows_times(rows, np.ones((3, 2)), None).shape == (4, 2)
    assert rows_times(steps, np.ones((3, 2)), None).shape == (4, 5, 2)
    assert rows_times(steps, np.ones((3, 2)), np.empty((4, 5, 2))).shape == (4, 5, 2)
    assert factors[0] is rows
    assert [a.shape for a in factors[1:]] == [(20, 3), (20, 3)]
    assert products.as_rows(rows) is rows


@pytest.mark.parametrize(
    ("shape", "count"),
    [
        ((6, 25, 1792), 1),  # small as it is
        ((16, 150, 640), 2),
        ((16, 150, 641), 1),  # a prime number of columns
        ((16, 72, 896), 2),  # just too large
        ((16, 288, 896), 7),  # 4.1 million: five pieces would do, of which 896 is no multiple
        ((64, 288, 1536), 1),  # pieces would be too short
        ((100, 150, 512), 8),  # just long enough
        ((100, 150, 504), 1),  # a number too short
        ((256, 9 * 512, 128), 1),  # a single column is too large
        ((256, 9 * 512, 1), 1),
    ],
)
def test_columns_are_cut_into_equal_pieces_that_are_small(shape, count):
    assert products.piece_count(*shape) == count


def test_columns_are_left_whole_without_kernels_for_small_matrices(monkeypatch):
    monkeypatch.setattr(products, "has_small_kernels", lambda: False)
    assert products.piece_count(16, 150, 640) == 1


def test_a_convolution_with_more_weights_than_a_piece_has_products():
    model = dl.Conv2D(256, 3, padding="same", weight_initializer=dl.Ones(), use_bias=False)
    model.build((2, 3, 512), rng=0)
    y = model.forward(np.ones((2, 2, 3, 512), np.float32), training=True)
    pixels = np.array([[4, 6, 4], [4, 6, 4]])  # in each window
    np.testing.assert_array_equal(y, np.broadcast_to(512 * pixels[..., np.newaxis], y.shape))
    dx = model.backward(np.ones_like(y))
    np.testing.assert_array_equal(dx, np.broadcast_to(256 * pixels[..., np.newaxis], dx.shape))
    pairs = 2 * np.array([[2, 3, 2], [4, 6, 4], [2, 3, 2]])  # of a pixel and a window, 2 images
    gradient = model.gradients["weight"]
    np.testing.assert_array_equal(
        gradient, np.broadcast_to(pairs[..., np.newaxis, np.newaxis], gradient.shape)
    )


@pytest.mark.parametrize("groups", [1, 2])
def test_a_convolution_is_the_same_in_pieces(monkeypatch, groups):
    rng = np.random.default_rng(0)
    x = rng.normal(size=(8, 6, 5, 4))
    results = []
    for piece in (10**9, 500):
        monkeypatch.setattr(products, "PIECE", piece)
        monkeypatch.setattr(products, "SHORTEST", 2)
        model = dl.Conv2D(6, 3, padding="same", groups=groups)
        model.build((6, 5, 4), rng=0, dtype=np.float64)
        y = model.forward(x, training=True)
        results.append(np.concatenate([y.ravel(), model.backward(y).ravel(), model.grads]))
    np.testing.assert_allclose(*results, rtol=1e-10, atol=1e-12)
    assert products.piece_count(6, 36, 40) > 1
