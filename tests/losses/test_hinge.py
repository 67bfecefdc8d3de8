import re

import numpy as np
import pytest

import minidl as dl

HINGE = dl.Hinge()


def test_one_output_by_hand():
    # margins y z = -0.5, 2, 1, 0.25: losses 1.5, 0, 0, 0.75; gradient -y for margins below 1
    z = np.array([[0.5], [-2.0], [1.0], [0.25]])
    for target in ([[-1], [-1], [1], [1]], [[0], [0], [1], [1]], [[0.0], [0.0], [1.0], [1.0]]):
        value, gradient = HINGE.value_and_grad(z, target)
        assert value == 2.25 / 4
        np.testing.assert_array_equal(gradient, [[0.25], [0], [0], [-0.25]])


def test_several_classes_by_hand():
    # row 0: 1 + 2.5 - 3 = 0.5 from class 1; row 1: 1 + 0 - 4 < 0; row 2: 1 + 1 - 1 = 1 from the
    # first of two rivals; row 3: a margin of exactly 1
    z = np.array([[3, 2.5, 0], [0, 0, 4], [1, 1, 1], [0, -3, -1]])
    value, gradient = HINGE.value_and_grad(z, [0, 2, 2, 0])
    assert value == 1.5 / 4
    expected = np.array([[-1, 1, 0], [0, 0, 0], [1, 0, -1], [0, 0, 0]]) / 4
    np.testing.assert_array_equal(gradient, expected)


def test_two_outputs_are_one_output_of_their_difference():
    z = np.random.default_rng(0).normal(size=(20, 2))
    labels = np.arange(20) % 2
    one = HINGE.value_and_grad(z[:, 1:] - z[:, :1], labels[:, None])
    two = HINGE.value_and_grad(z, labels)
    assert two[0] == pytest.approx(one[0], rel=1e-15)
    np.testing.assert_allclose(two[1][:, 1:], one[1], rtol=1e-15)


def test_the_predictions_are_left_as_they_are():
    z = np.ones((2, 3))
    HINGE.value_and_grad(z, [0, 1])
    np.testing.assert_array_equal(z, 1)


def test_labels_for_metrics():
    np.testing.assert_array_equal(HINGE.predicted_labels(np.array([[-0.1], [0.0], [2]])), [0, 0, 1])
    np.testing.assert_array_equal(HINGE.predicted_labels(np.array([[0.1, 2, 1]])), [1])
    np.testing.assert_array_equal(HINGE.predicted_labels(np.ones((2, 3, 1))), np.ones((2, 3)))
    np.testing.assert_array_equal(
        HINGE.predicted_labels(np.eye(3)[[[2, 0], [1, 1]]]), [[2, 0], [1, 1]]
    )
    for targets in ([[-1], [1]], [[0], [1]]):
        np.testing.assert_array_equal(HINGE.true_labels(np.array(targets)), [0, 1])
    labels = np.array([2, 0])
    assert HINGE.true_labels(labels) is labels


@pytest.mark.parametrize("outputs", [1, 3])
def test_accuracy_of_a_trained_machine(outputs):
    rng = np.random.default_rng(0)
    labels = rng.integers(0, max(outputs, 2), 60)
    x = rng.normal(size=(60, 3)) * 0.1 + np.eye(3)[labels]
    y = labels if outputs > 1 else 2 * labels[:, None] - 1
    model = dl.Dense(outputs).build((3,), rng=0, dtype=np.float64)
    trainer = dl.Trainer(model, HINGE, dl.SGD(0.1), metrics=[dl.accuracy], rng=0)
    history = trainer.fit(x, y, epochs=30)
    assert trainer.evaluate(x, y)["accuracy"] == 1
    assert history["loss"][-1] < 0.1 * history["loss"][0]


WRONG = {
    "one-hot": (
        *((2, 3), np.eye(3)[:2], dl.ShapeError),
        "expected integer labels of shape (2,), got rows (2, 3). Of one-hot rows take "
        "target.argmax(axis=-1); for several yes-or-no answers use BinaryCrossEntropy.",
    ),
    "floats": ((2, 3), [0.0, 1.0], dl.DataError, "got dtype float64. Use labels.astype(np.int64)."),
    "-1 and 1 for several": ((2, 3), [-1, 1], dl.DataError, "make 0 and 1: (labels + 1) // 2."),
    "-1 for several": ((2, 3), [-1, 2], dl.DataError, "in 0..2 for 3 outputs, got -1 in row 0"),
    "column": (
        (2, 3),
        [[0], [1]],
        dl.ShapeError,
        "labels of shape (2,), got (2, 1). Use labels.ra",
    ),
    "vector": ((2, 1), [-1, 1], dl.ShapeError, "got (2,). Use target.reshape(-1, 1)."),
    "three classes": (
        *((3, 1), [[0], [1], [2]], dl.DataError),
        "targets for one output must be -1 and 1, or 0 and 1, got values from 0 to 2. For more "
        "classes the last layer needs one output for each, and targets are labels of shape (N,).",
    ),
    "-1, 0 and 1": ((3, 1), [[0], [1], [-1]], dl.DataError, "or 0 and 1, got values from -1 to 1."),
    "-1 and 0": ((2, 1), [[0], [-1]], dl.DataError, "or 0 and 1, got values from -1 to 0."),
    "shares": ((2, 1), [[0.5], [1]], dl.DataError, "or 0 and 1, got values from 0.5 to 1.0."),
    "strings": (
        (2, 1),
        [["a"], ["b"]],
        dl.DataError,
        "targets must be real numbers, got dtype <U1",
    ),
}


@pytest.mark.parametrize(("shape", "target", "error", "message"), WRONG.values(), ids=WRONG)
def test_wrong_targets_are_explained(shape, target, error, message):
    with pytest.raises(error, match=rf"^Hinge\(\): .*{re.escape(message)}"):
        HINGE.value_and_grad(np.zeros(shape), target)


@pytest.mark.parametrize("values", [[[1], [1]], [[-1], [-1]], [[0], [0]]], ids=str)
def test_a_batch_may_have_one_class_only(values):
    value, _ = HINGE.value_and_grad(np.full((2, 1), 0.5), values)
    assert value == (0.5 if values[0][0] == 1 else 1.5)


@pytest.mark.parametrize(
    ("last", "outputs"), [(dl.Sigmoid, 1), (dl.Softmax, 3), (dl.LogSoftmax, 3)]
)
def test_probabilities_are_no_scores(last, outputs):
    model = dl.Sequential([dl.Dense(outputs), last()]).build((2,))
    message = rf"gives probabilities or .* Hinge\(\) expects scores .* Remove {last.__name__}\(\)\."
    with pytest.raises(dl.ArgumentError, match=message):
        dl.Objective(model, HINGE)
    dl.Objective(dl.Sequential([dl.Dense(outputs), dl.Tanh()]).build((2,)), HINGE)
