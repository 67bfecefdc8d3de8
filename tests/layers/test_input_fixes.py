"""What messages advise about input of the wrong shape or kind: it has to be right."""

import re

import numpy as np
import pytest
import scipy.sparse as sp

import minidl as dl
from minidl.layers.input_fixes import shape_fix


class Any(dl.Layer):
    """Takes every shape."""

    def forward(self, x, *, training=False, out=None):
        return x

    def backward(self, dy, *, input_grad=True, out=None):
        return dy


@pytest.mark.parametrize(
    ("shape", "wanted", "advice"),
    [
        ((3, 32, 32), (32, 32, 3), "x.transpose(0, 2, 3, 1)"),
        ((3, 28, 20), (28, 20, 3), "x.transpose(0, 2, 3, 1)"),
        ((20, 28, 3), (28, 20, 3), "x.swapaxes(1, 2)"),
        ((28, 3, 20), (28, 20, 3), "x.swapaxes(2, 3)"),
        ((1, 28, 28), (28, 28, 1), "x.transpose(0, 2, 3, 1)"),
        ((6, 20), (20, 6), "x.swapaxes(1, 2)"),
        ((6, 20), (None, 6), "x.swapaxes(1, 2)"),
    ],
    ids=str,
)
def test_axes_in_another_order_are_put_in_order_and_never_reshaped(shape, wanted, advice):
    x = np.zeros((5, *shape), np.float32)
    model = Any().build(wanted)
    with pytest.raises(dl.ShapeError, match=re.escape(f"Use {advice}. Never reshape")):
        model.predict(x)
    mended = eval(advice, {"x": x})
    assert model.predict(mended).shape == mended.shape


@pytest.mark.parametrize(
    ("shape", "wanted", "advice"),
    [
        ((28, 28), (28, 28, 1), "Use x.reshape(len(x), 28, 28, 1)."),
        ((20, 1, 6), (20, 6), "Use x.reshape(len(x), 20, 6)."),
        ((784,), (28, 28, 1), "Use x.reshape(len(x), 28, 28, 1)."),
        ((), (1,), "Use x.reshape(len(x), 1)."),
        ((12,), (4, 3), "Use x.reshape(len(x), 4, 3)."),
    ],
    ids=str,
)
def test_axes_of_length_1_and_flat_rows_are_reshaped(shape, wanted, advice):
    assert shape_fix(np.zeros((5, *shape)), wanted) == advice


@pytest.mark.parametrize(
    ("shape", "wanted"), [((16, 49), (28, 28)), ((4, 6), (2, 3, 4)), ((7,), (3, 2)), ((), (3, 2))]
)
def test_nothing_that_would_scramble_the_data_is_advised(shape, wanted):
    fix = shape_fix(np.zeros((5, *shape)), wanted)
    assert fix == f"The model was built with input shape {wanted}, without the batch axis."


def test_images_for_a_vector_are_flattened():
    assert "Flatten()" in shape_fix(np.zeros((5, 28, 28)), (784,))


ROWS = "If the rows of x are samples, build with the shape of one of them: build((784,))."


@pytest.mark.parametrize("first", [32, 60, None])
def test_rows_for_a_model_that_was_built_with_their_number(first):
    x = np.zeros((60, 784), np.float32)
    with pytest.raises(dl.ShapeError, match=r"got \(60, 784\)") as found:
        dl.Sequential([dl.Dense(3)]).build((first, 784)).predict(x)
    other = "Samples have 32 rows here."
    if first != 32:
        other = "If x is one sample without the batch axis: use x[np.newaxis]."
    assert str(found.value).endswith(f" {other} {ROWS}")


def test_a_pair_of_arrays_is_to_be_taken_apart():
    pair = np.zeros((5, 784), np.float32), np.zeros(5, np.int64)
    model = dl.Sequential([dl.Dense(3), dl.Softmax()]).build((784,), rng=0)
    trainer = dl.Trainer(model, dl.CrossEntropy(), dl.SGD(0.1), rng=0)
    fix = "got a tuple of arrays of shapes (5, 784), (5,). Take it apart first; of load_mnist,"
    for call in (lambda: model.predict(pair), lambda: trainer.fit(pair, pair, epochs=1)):
        with pytest.raises(dl.ShapeError, match=re.escape(fix)):
            call()


def test_a_tuple_of_sequences_is_to_be_padded():
    steps = np.zeros((4, 3), np.float32), np.zeros((6, 3), np.float32)
    model = dl.LSTM(2).build((None, 3), rng=0)
    with pytest.raises(dl.ShapeError, match=r"lists of different length\. Pad the shorter"):
        model.predict(steps)


@pytest.mark.parametrize("shape", [(784,), (28, 28, 1), (4, 5, 6, 7)])
def test_one_sample(shape):
    fix = "This is one sample without the batch axis: use x[np.newaxis]."
    assert shape_fix(np.zeros(shape), shape) == fix


def test_matrices_are_refused_where_they_would_multiply_as_such():
    x = sp.csr_matrix(np.eye(4, dtype=np.float32)).todense()
    model = dl.Sequential([dl.SiLU(), dl.Dense(3), dl.Softmax()]).build((4,), rng=0)
    objective = dl.Objective(model, dl.CrossEntropy())
    for call in (
        lambda: model.forward(x),
        lambda: model.forward(x, training=True),
        lambda: model.forward_to(1, x),
        lambda: objective.value_and_grad(x, [0, 1, 2, 0]),
        lambda: objective.value(x, [0, 1, 2, 0]),
    ):
        with pytest.raises(dl.DTypeError, match=r"got matrix.*Convert it: np.asarray\(x"):
            call()


def test_matrices_are_converted_once_by_predict_fit_and_evaluate():
    x = sp.csr_matrix(np.eye(4, dtype=np.float32)).todense()
    found = []
    for given in (x, np.asarray(x)):
        model = dl.Sequential([dl.SiLU(), dl.Dense(3), dl.Softmax()]).build((4,), rng=0)
        trainer = dl.Trainer(model, dl.CrossEntropy(), dl.SGD(0.1), rng=0)
        trainer.fit(given, [0, 1, 2, 0], epochs=2)
        found.append([*trainer.evaluate(given, [0, 1, 2, 0]).values(), *model.predict(given).flat])
        assert type(model.predict(given)) is np.ndarray
    assert found[0] == found[1]
