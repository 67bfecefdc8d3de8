"""Parallel: layers that all see the same input."""

import numpy as np
import pytest

import minidl as dl

X = np.random.default_rng(0).normal(size=(3, 4))


def test_by_hand():
    model = dl.Parallel([dl.Dense(1, use_bias=False), dl.ReLU()]).build((2,), dtype=np.float64)
    model.branches[0].weight = [[2.0], [3.0]]
    x = np.array([[1.0, -1.0]])
    np.testing.assert_array_equal(model.forward(x, training=True), [[-1.0, 1.0, 0.0]])
    dx = model.backward(np.array([[10.0, 5.0, 7.0]]))  # 10 (2, 3) + (5, 0)
    np.testing.assert_array_equal(dx, [[25.0, 30.0]])
    np.testing.assert_array_equal(model.branches[0].gradients["weight"], [[10.0], [-10.0]])


def test_added_branches_each_get_the_whole_gradient():
    model = dl.Parallel([dl.ReLU(), dl.ReLU(), dl.ReLU()], "add").build((4,), dtype=np.float64)
    np.testing.assert_array_equal(model.forward(X, training=True), 3 * np.maximum(X, 0))
    np.testing.assert_array_equal(model.backward(np.ones_like(X)), 3.0 * (X > 0))


def test_images_join_along_the_channels():
    model = dl.Parallel([dl.ReLU(), dl.Tanh()]).build((2, 3, 1), dtype=np.float64)
    x = np.random.default_rng(1).normal(size=(5, 2, 3, 1))
    y = model.predict(x)
    assert y.shape == (5, 2, 3, 2)
    np.testing.assert_array_equal(y[..., 0], np.maximum(x, 0)[..., 0])
    np.testing.assert_allclose(y[..., 1], np.tanh(x)[..., 0], rtol=1e-12)


def test_branches_that_return_their_input_are_copied_into_the_output():
    model = dl.Parallel([dl.Dropout(0.5), dl.ReLU()]).build((4,), dtype=np.float64)
    np.testing.assert_array_equal(model.predict(X), np.hstack([X, np.maximum(X, 0)]))


def test_inside_a_model_too_backward_needs_a_forward():
    model = dl.Sequential([dl.Parallel([dl.Dense(2), dl.ReLU()])]).build((4,), rng=0)
    with pytest.raises(dl.StateError, match=r"^Parallel in layer 0 of Sequential: backward needs"):
        model.layers[0].backward(np.ones((1, 6), np.float32))


def test_sequences_of_any_length():
    model = dl.Parallel([dl.Dense(2), dl.Tanh()]).build((None, 3), rng=0, dtype=np.float64)
    assert model.predict(np.ones((2, 5, 3))).shape == (2, 5, 5)
    y = model.forward(np.ones((2, 4, 3)), training=True)
    assert model.backward(y).shape == (2, 4, 3)


def test_integers_go_to_branches_that_all_take_them():
    words = np.array([[0, 2, 1]])
    model = dl.Parallel([dl.Embedding(3, 2), dl.Embedding(3, 4)]).build((3,), rng=0)
    assert model.predict(words).shape == (1, 3, 6)
    assert not dl.Parallel([dl.Embedding(3, 2), dl.ReLU()]).accepts_integers


@pytest.mark.parametrize(
    ("branches", "merge", "shape", "message"),
    [
        ([dl.Dense(2), dl.Dense(3)], "add", (4,), r"'add' must have the same shape, but branch 0"),
        (
            [dl.ReLU(), dl.Flatten()],
            "concat",
            (4, 2),
            r"same shape but for the last length.*\(N, 8",
        ),
        ([dl.ReLU(), dl.Reshape((2, 4))], "concat", (4, 2), r"branch 1 \(N, 2, 4\)"),
    ],
)
def test_outputs_that_do_not_fit(branches, merge, shape, message):
    with pytest.raises(dl.ShapeError, match=message):
        dl.Sequential([dl.Parallel(branches, merge)]).build(shape)


def test_wrong_arguments():
    for arguments in ([dl.Dense(3)], [dl.Dense(3), dl.Dense(4)]):
        with pytest.raises(dl.ArgumentTypeError, match=r"write Parallel\(\[Dense\(3\)"):
            dl.Parallel(*arguments)
    with pytest.raises(dl.ArgumentError, match="needs at least one branch"):
        dl.Parallel([])
    with pytest.raises(dl.ArgumentError, match='merge must be "concat" or "add", got \'sum\''):
        dl.Parallel([dl.ReLU()], merge="sum")
    with pytest.raises(dl.ArgumentTypeError, match=r"branch 1 must be an instance.*ReLU\(\)"):
        dl.Parallel([dl.ReLU(), dl.ReLU])
