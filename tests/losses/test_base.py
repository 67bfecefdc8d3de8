"""What holds for every loss: value, gradient, weights, buffers, dtypes, errors."""

import copy
import pickle
import re

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from loss_cases import LOSS_CASES

import minidl as dl

WEIGHT = np.array([2.0, 0.0, 0.5, 1.0, 3.0])

every_loss = pytest.mark.parametrize("case", LOSS_CASES, ids=str)
weighted = pytest.mark.parametrize("weight", [None, WEIGHT], ids=["plain", "weighted"])


def value_and_grad(case, dtype=np.float64, **options):
    return case.loss.value_and_grad(case.prediction.astype(dtype), case.target, **options)


def test_every_public_loss_has_a_row():
    public = {v for v in vars(dl).values() if isinstance(v, type) and issubclass(v, dl.Loss)}
    assert public - {dl.Loss} == {type(case.loss) for case in LOSS_CASES}


@every_loss
@weighted
def test_value_equals_the_reference(case, weight):
    value, _ = value_and_grad(case, sample_weight=weight)
    assert type(value) is float
    np.testing.assert_allclose(value, case.mean(case.prediction, weight), rtol=1e-12)


@every_loss
@weighted
def test_gradient_equals_differences_of_the_reference(case, weight):
    _, gradient = value_and_grad(case, sample_weight=weight)
    expected = dl.numerical_gradient(lambda p: case.mean(p, weight), case.prediction)
    np.testing.assert_allclose(gradient, expected, rtol=1e-6, atol=1e-10)
    if weight is not None:
        assert not gradient[weight == 0].any()


@every_loss
@given(counts=st.lists(st.integers(0, 4), min_size=5, max_size=5).filter(any))
@settings(max_examples=20, deadline=None)
def test_weights_are_repeated_rows(case, counts):
    value, gradient = value_and_grad(case, sample_weight=counts)
    drawn = np.repeat(np.arange(5), counts)
    repeated, by_copy = case.loss.value_and_grad(case.prediction[drawn], case.target[drawn])
    summed = np.zeros_like(gradient)
    np.add.at(summed, drawn, by_copy)
    np.testing.assert_allclose(value, repeated, rtol=1e-15, atol=1e-15)
    np.testing.assert_allclose(gradient, summed, rtol=1e-15, atol=1e-15)


@every_loss
def test_no_weight_at_all_gives_zero(case):
    value, gradient = value_and_grad(case, sample_weight=np.zeros(5))
    assert value == 0
    np.testing.assert_array_equal(gradient, np.zeros_like(case.prediction))


def unbounded(case):
    """Whether any numbers are predictions."""
    return case.prediction.min() < 0


@pytest.mark.parametrize("case", [c for c in LOSS_CASES if unbounded(c)], ids=str)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("extreme", ["1e30", "-1e30", "+-1e4", "1e-30", "zeros", "equal"])
def test_extreme_predictions_give_finite_values_and_gradients(case, dtype, extreme):
    signs = np.sign(case.prediction)
    size = 1e15 if isinstance(case.loss, dl.MeanSquaredError) else 1e30  # its square is the limit
    prediction = {
        "1e30": np.full_like(signs, size),
        "-1e30": np.full_like(signs, -size),
        "+-1e4": 1e4 * signs,
        "1e-30": 1e-30 * signs,
        "zeros": 0 * signs,
        "equal": np.full_like(signs, 3.7),
    }[extreme]
    if isinstance(case.loss, dl.Poisson):
        prediction = np.minimum(prediction, 80)  # e^80 is the limit of float32
    value, gradient = case.loss.value_and_grad(prediction.astype(dtype), case.target)
    assert np.isfinite(value)
    assert np.isfinite(gradient).all()
    assert np.abs(gradient).max() > 0 or value == 0 or extreme in ("zeros", "equal")
    np.testing.assert_allclose(value, case.mean(prediction), rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("case", [c for c in LOSS_CASES if not unbounded(c)], ids=str)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_probabilities_and_rates_of_0_give_finite_values_and_gradients(case, dtype):
    for first in (0.0, 1e-30, 1.0):
        prediction = np.full(case.prediction.shape, (1 - first) / (case.prediction.shape[-1] - 1))
        prediction[..., 0] = first
        value, gradient = case.loss.value_and_grad(prediction.astype(dtype), case.target)
        assert np.isfinite(value)
        assert np.isfinite(gradient).all()
        assert np.abs(gradient).max() > 0


@pytest.mark.parametrize("scale", [1e-60, 1e60])
def test_the_scale_of_weights_does_not_matter(scale):
    case = LOSS_CASES[0]
    value, gradient = value_and_grad(case, np.float32, sample_weight=WEIGHT)
    same, equal = value_and_grad(case, np.float32, sample_weight=WEIGHT * scale)
    np.testing.assert_allclose(same, value, rtol=1e-6)
    np.testing.assert_allclose(equal, gradient, rtol=1e-6)


@every_loss
@pytest.mark.parametrize("weight", [[2, 0, 1, 1, 3], [True, False, True, True, False]], ids=str)
def test_weights_may_be_integers_or_booleans(case, weight):
    value, gradient = value_and_grad(case, sample_weight=weight)
    same, equal = value_and_grad(case, sample_weight=np.array(weight, float))
    assert value == same
    np.testing.assert_array_equal(gradient, equal)


@every_loss
@weighted
def test_parts_of_a_batch_add_up_to_the_whole(case, weight):
    value, gradient = value_and_grad(case, sample_weight=weight)
    target = case.loss.check_target(case.target, case.prediction.shape)
    total = 5.0 if weight is None else weight.sum()
    parts = [
        case.loss.weighted(
            case.prediction[rows], target[rows], None if weight is None else weight[rows], total
        )
        for rows in (slice(0, 2), slice(2, 5))
    ]
    np.testing.assert_allclose(sum(part for part, _ in parts), value, rtol=1e-14)
    np.testing.assert_allclose(np.concatenate([g for _, g in parts]), gradient, rtol=1e-15)


def buffers(shape, dtype=np.float64):
    yield np.full(shape, np.nan, dtype)
    yield np.full((shape[0] * 2, *shape[1:]), np.nan, dtype)[::2]
    yield np.full(shape[::-1], np.nan, dtype).T


@every_loss
@weighted
def test_gradient_goes_into_out_of_any_strides(case, weight):
    _, expected = value_and_grad(case, sample_weight=weight)
    for out in buffers(expected.shape):
        _, gradient = value_and_grad(case, sample_weight=weight, out=out)
        assert gradient is out
        np.testing.assert_array_equal(out, expected)


@pytest.mark.parametrize(
    "out",
    [np.empty((3, 5, 4)), np.empty(5), np.empty((5, 4), np.float32), np.empty((5, 4), int)],
    ids=["broadcasts", "too few axes", "float32", "integers"],
)
def test_out_of_another_shape_or_dtype_is_refused(out):
    with pytest.raises(dl.ShapeError, match=r"expected out of shape \(5, 4\) and dtype float64"):
        value_and_grad(LOSS_CASES[0], out=out)


@every_loss
def test_arguments_are_not_written_to_and_may_have_any_strides(case):
    value, gradient = value_and_grad(case, sample_weight=WEIGHT)
    arguments = [a.repeat(2, axis=0)[::2] for a in (case.prediction, case.target, WEIGHT)]
    for array in arguments:
        array.flags.writeable = False
    prediction, target, weight = arguments
    same, equal = case.loss.value_and_grad(
        np.asfortranarray(prediction), target, sample_weight=weight
    )
    np.testing.assert_allclose(same, value, rtol=1e-14)
    np.testing.assert_allclose(equal, gradient, rtol=1e-14)


@every_loss
@weighted
def test_float32_stays_float32(case, weight):
    exact, expected = value_and_grad(case, sample_weight=weight)
    value, gradient = value_and_grad(case, np.float32, sample_weight=weight)
    assert type(value) is float
    assert gradient.dtype == np.float32
    np.testing.assert_allclose(value, exact, rtol=2e-6)
    np.testing.assert_allclose(gradient, expected, rtol=2e-5, atol=1e-7)


@every_loss
@pytest.mark.parametrize("twin_of", [copy.deepcopy, lambda x: pickle.loads(pickle.dumps(x))])
def test_a_copy_is_the_same_loss(case, twin_of):
    twin = twin_of(case.loss)
    assert repr(twin) == repr(case.loss)
    assert twin(case.prediction, case.target) == case.loss(case.prediction, case.target)


@every_loss
def test_calling_a_loss_gives_its_value(case):
    assert case.loss(case.prediction, case.target) == value_and_grad(case)[0]


@every_loss
def test_targets_may_be_lists(case):
    value, gradient = case.loss.value_and_grad(case.prediction, case.target.tolist())
    expected, same = value_and_grad(case)
    assert value == expected
    np.testing.assert_array_equal(gradient, same)


@every_loss
@pytest.mark.parametrize(
    ("weight", "error", "message"),
    [
        ([1, 1, 1, 1], dl.ShapeError, "sample_weight: expected shape (5,){steps}, got (4,)"),
        (WEIGHT[:, None], dl.ShapeError, "sample_weight: expected shape (5,){steps}, got (5, 1)"),
        (1.0, dl.ShapeError, "sample_weight: expected shape (5,){steps}, got ()"),
        ([1, 1, -0.5, 1, 1], dl.DataError, "must be at least 0, got -0.5 in row 2"),
        ([1, np.nan, 1, 1, 1], dl.DataError, "sample_weight has NaN in row 1"),
        ([1, 1, 1, 1, np.inf], dl.DataError, "sample_weight has infinity in row 4"),
        (["a"] * 5, dl.DataError, "sample_weight: expected real numbers, got dtype <U1"),
        ([1j] * 5, dl.DataError, "sample_weight: expected real numbers, got dtype complex128"),
    ],
    ids=["short", "column", "scalar", "negative", "nan", "infinite", "strings", "complex"],
)
def test_wrong_weights_are_explained(case, weight, error, message):
    steps = ", or (5, 3) for single steps" if case.prediction.ndim > 2 else ""
    with pytest.raises(error, match=re.escape(message.replace("{steps}", steps))):
        value_and_grad(case, sample_weight=weight)


@every_loss
@pytest.mark.parametrize("form", ["list", "single row", "integers"])
def test_wrong_predictions_are_explained(case, form):
    prediction = {
        "list": case.prediction[0, ..., 0].tolist(),
        "single row": case.prediction.ravel(),
        "integers": np.ones(case.prediction.shape, int),
    }[form]
    with pytest.raises(dl.ShapeError, match="expected floating predictions of shape"):
        case.loss.value_and_grad(prediction, case.target)


@every_loss
def test_one_row_is_a_batch(case):
    expected, by_row = value_and_grad(case, sample_weight=[1, 0, 0, 0, 0])
    value, gradient = case.loss.value_and_grad(case.prediction[:1], case.target[:1])
    np.testing.assert_allclose(value, expected, rtol=1e-15)
    np.testing.assert_allclose(gradient, by_row[:1], rtol=1e-15)


@every_loss
def test_an_empty_batch_is_an_error(case):
    with pytest.raises(dl.ShapeError, match="a batch needs at least one row"):
        case.loss.value_and_grad(case.prediction[:0], case.target[:0])


@every_loss
def test_every_row_needs_a_target(case):
    with pytest.raises(dl.ShapeError, match="Every sample needs one"):
        case.loss.value_and_grad(case.prediction, case.target[:4])


class AbsoluteDifference(dl.Loss):
    """A user's loss: all that there is to write."""

    def per_sample(self, prediction, target):
        difference = prediction - target
        return np.abs(difference).mean(axis=1), np.sign(difference) / difference.shape[1]


def test_a_loss_of_ones_own_is_one_method():
    prediction, target = np.array([[1.0, 4.0], [0.0, -2.0]]), [[0, 2], [1, 1]]
    value, gradient = AbsoluteDifference().value_and_grad(prediction, target, sample_weight=[1, 3])
    assert value == (1 * 1.5 + 3 * 2.0) / 4
    np.testing.assert_array_equal(gradient, [[1 / 8, 1 / 8], [-3 / 8, -3 / 8]])
    assert AbsoluteDifference().predicted_labels(prediction) is prediction
    assert AbsoluteDifference().true_labels(target) is target


CAST = " Cast the target first: target.astype(prediction.dtype)."


@pytest.mark.parametrize(
    ("values", "gradient", "fix"),
    [
        (np.zeros((2, 3)), np.zeros((2, 3)), ""),
        (np.zeros(2), np.zeros(2), ""),
        (np.zeros(()), np.zeros((2, 3)), ""),
        (np.zeros(2), np.zeros(2, np.float32), ""),
        (np.zeros(2), np.zeros((2, 3), np.float32), CAST),
    ],
    ids=["no mean over outputs", "gradient too small", "mean over the batch", "both", "float32"],
)
def test_a_loss_that_returns_wrong_shapes_or_dtypes_is_named(values, gradient, fix):
    class Broken(dl.Loss):
        def per_sample(self, prediction, target):
            return values, gradient

    message = (
        "Broken(): per_sample must return values of shape (2,) and a gradient of shape (2, 3) and "
        f"dtype float64, got {values.shape} and {gradient.shape} {gradient.dtype}.{fix}"
    )
    with pytest.raises(dl.ContractError, match=re.escape(message) + "$"):
        Broken().value_and_grad(np.ones((2, 3)), np.ones((2, 3)))


@pytest.mark.parametrize("result", [np.zeros(2), [np.zeros(2), np.zeros((2, 3))], (np.zeros(2),)])
def test_a_loss_that_returns_no_pair_is_named(result):
    class Broken(dl.Loss):
        def per_sample(self, prediction, target):
            return result

    message = f"two arrays, values and gradient, got {type(result).__name__}."
    with pytest.raises(dl.ContractError, match=re.escape(message)):
        Broken().value_and_grad(np.ones((2, 3)), np.ones((2, 3)))


@pytest.mark.parametrize("written", ["predictions", "targets"])
def test_a_loss_that_writes_into_its_arguments_is_named_and_undone(written):
    class InPlace(dl.Loss):
        def per_sample(self, prediction, target):
            changed = {"predictions": prediction, "targets": target}[written]
            changed += 1
            return np.square(prediction).mean(axis=1), prediction

    prediction, target = np.ones((2, 2)), np.full((2, 2), 3)
    with pytest.raises(
        dl.ContractError, match=rf"InPlace\(\): per_sample wrote into the {written}"
    ):
        InPlace().value_and_grad(prediction, target)
    np.testing.assert_array_equal(prediction, np.ones((2, 2)))
    np.testing.assert_array_equal(target, np.full((2, 2), 3))


def test_a_prediction_of_nan_is_not_blamed_on_the_loss():
    assert np.isnan(dl.MeanSquaredError()(np.array([[np.nan]]), [[0.0]]))


@pytest.mark.parametrize("method", ["with_logits", "from_logits_to_predictions"])
def test_a_loss_with_an_activation_must_take_logits(method):
    class Half(AbsoluteDifference):
        activation = dl.Sigmoid

    arguments = () if method == "with_logits" else (np.zeros((2, 2)),)
    with pytest.raises(dl.ContractError, match=rf"Half\(\): .*must define {method}"):
        getattr(Half(), method)(*arguments)
