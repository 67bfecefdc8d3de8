"""What holds for every optimizer: trajectories, convergence, state, masks, schedules, errors."""

import copy
import pickle
import re
import tracemalloc

import numpy as np
import pytest
from optimizer_cases import OPTIMIZER_CASES, rosenbrock

import minidl as dl

every_optimizer = pytest.mark.parametrize("case", OPTIMIZER_CASES, ids=str)
converging = pytest.mark.parametrize(
    "case", [case for case in OPTIMIZER_CASES if case.rosenbrock_steps], ids=str
)
with_state = pytest.mark.parametrize(
    "case", [case for case in OPTIMIZER_CASES if case.make().slots], ids=str
)
KINDS = sorted({type(case.make()) for case in OPTIMIZER_CASES}, key=lambda kind: kind.__name__)
every_kind = pytest.mark.parametrize("kind", KINDS)
START = [-1.2, 1.0, 0.5]


def gradients(steps=10, n=4, dtype=np.float64):
    return np.random.default_rng(0).normal(size=(steps, n)).astype(dtype)


def after(optimizer, grads, start=None, **masks):
    params = np.ones(grads.shape[1], grads.dtype) if start is None else np.array(start)
    for g in grads:
        optimizer.update(params, g, **masks)
    return params


def test_every_public_optimizer_has_a_row():
    public = {v for v in vars(dl).values() if isinstance(v, type) and issubclass(v, dl.Optimizer)}
    assert public - {dl.Optimizer} == set(KINDS)


@every_optimizer
def test_fifty_steps_equal_the_papers_formula(case):
    expected = case.reference(START, rosenbrock, 50)
    np.testing.assert_allclose(case.run(np.array(START), rosenbrock, 50), expected, rtol=1e-11)
    assert abs(expected[-1][0] - START[0]) > 0.05  # it has moved


@converging
def test_minimum_of_a_parabola(case):
    x, optimizer = np.array([3.0, -2.0]), (case.settling or case.make)()
    steps = case.rosenbrock_steps if case.settling else 2000
    case.run(x, lambda x: [40 * (x[0] - 1), 10 * (x[1] - 1)], steps, optimizer)
    np.testing.assert_allclose(x, 1, atol=1e-5)


@converging
def test_minimum_of_rosenbrocks_valley(case):
    x = np.array([-1.2, 1.0])
    case.run(x, rosenbrock, case.rosenbrock_steps, (case.settling or case.make)())
    np.testing.assert_allclose(x, 1, atol=1e-3)


@every_optimizer
def test_update_is_in_place_and_views_see_it(case):
    params = np.ones(6)
    weight, address = params[:4].reshape(2, 2), params.ctypes.data
    assert case.make().update(params, np.ones(6)) is None
    assert params.ctypes.data == address
    assert (weight < 1).all()
    np.testing.assert_array_equal(weight.ravel(), params[:4])


@every_optimizer
def test_any_strides(case):
    grads = gradients()
    wide = np.ones((4, 3))
    optimizer = case.make()
    for g in grads:
        optimizer.update(wide[:, 1], np.stack([g, g]).T[:, 0])
    np.testing.assert_array_equal(wide[:, 1], after(case.make(), grads))
    assert (wide[:, [0, 2]] == 1).all()


@every_optimizer
def test_arguments_other_than_params_are_not_written_to(case):
    grads, masks = gradients(), {"decay": np.ones(4), "trainable": np.ones(4)}
    for array in (grads, *masks.values()):
        array.flags.writeable = False
    np.testing.assert_array_equal(
        after(case.make(), grads, **masks), after(case.make(), gradients())
    )


@every_optimizer
@pytest.mark.parametrize("twin_of", [copy.deepcopy, lambda x: pickle.loads(pickle.dumps(x))])
def test_a_copy_continues_as_if_nothing_had_happened(case, twin_of):
    optimizer, grads = case.make(), gradients(20)
    half = after(optimizer, grads[:10])
    twin = twin_of(optimizer)
    uninterrupted = after(optimizer, grads[10:], half)
    np.testing.assert_array_equal(after(twin, grads[10:], half), uninterrupted)
    np.testing.assert_array_equal(uninterrupted, after(case.make(), grads))
    assert twin.steps == 20


def test_a_pickle_holds_the_state_and_no_scratch_memory():
    optimizer = dl.SGD(0.1)
    after(optimizer, np.ones((1, 10_000)))
    size = len(pickle.dumps(optimizer))
    assert size < 10_000


@every_optimizer
def test_steps_allocate_nothing_of_the_size_of_the_parameters(case):
    optimizer, params, grads = case.make(), np.ones(100_000), np.ones(100_000)
    optimizer.update(params, grads, decay=grads, trainable=grads)
    tracemalloc.start()
    optimizer.update(params, grads, decay=grads, trainable=grads)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 100_000


@every_optimizer
def test_float32_stays_float32(case):
    optimizer, start = case.make(), np.full(4, 0.5, np.float32)
    params = after(optimizer, gradients(dtype=np.float32), start)
    assert {params.dtype, *(v.dtype for v in optimizer.state.values())} == {np.dtype(np.float32)}
    np.testing.assert_allclose(params, after(case.make(), gradients(), [0.5] * 4), rtol=1e-5)


@every_optimizer
@pytest.mark.parametrize("number", [float, np.float64, np.float32])
def test_a_schedule_of_any_kind_of_number_gives_the_same_bits(case, number):
    rates, optimizer, plain = [0.5, 0.25, 0.0, 1.0], case.make(), case.make()
    seen = []
    optimizer.learning_rate = lambda step: seen.append(step) or number(rates[step])
    grads = gradients(4, dtype=np.float32)
    params, expected = np.ones(4, np.float32), np.ones(4, np.float32)
    for step, g in enumerate(grads):
        optimizer.update(params, g)
        plain.learning_rate = lambda _, step=step: rates[step]
        plain.update(expected, g)
    assert seen == [0, 1, 2, 3]
    np.testing.assert_array_equal(params, expected)


@every_optimizer
def test_a_frozen_parameter_does_not_move_and_the_others_do_as_before(case):
    trainable = np.array([1, 0, 1, 0])
    for mask in (trainable, trainable.astype(bool), trainable.astype(float)):
        params = after(case.make(), gradients(), trainable=mask)
        assert (params[[1, 3]] == 1).all()
        np.testing.assert_array_equal(params[[0, 2]], after(case.make(), gradients())[[0, 2]])


@every_optimizer
def test_weight_decay_applies_where_the_mask_says_so(case):
    decay, without = np.array([1, 0, 1, 0]), case.make()
    without.weight_decay = 0.0
    for mask in (decay, decay.astype(bool), decay.astype(float)):
        params = after(case.make(), gradients(), decay=mask)
        np.testing.assert_array_equal(params[[0, 2]], after(case.make(), gradients())[[0, 2]])
        bare = after(copy.deepcopy(without), gradients())
        np.testing.assert_array_equal(params[[1, 3]], bare[[1, 3]])
        assert (params[0] != bare[0]) == bool(case.make().weight_decay)


@every_optimizer
def test_no_gradient_and_no_decay_is_no_movement(case):
    params = after(case.make(), np.zeros((3, 4)), decay=np.zeros(4))
    np.testing.assert_array_equal(params, np.ones(4))


@every_optimizer
def test_state_is_zero_at_first_and_steps_are_counted(case):
    optimizer = case.make()
    assert (optimizer.steps, optimizer.state) == (0, {})
    after(optimizer, np.zeros((3, 4)))
    assert optimizer.steps == 3
    assert sorted(optimizer.state) == sorted(optimizer.slots)
    for kept in optimizer.state.values():
        np.testing.assert_array_equal(kept, np.zeros(4))


@with_state
@pytest.mark.parametrize(
    "second", [np.ones(5), np.ones(3), np.ones(4, np.float32)], ids=["longer", "shorter", "float32"]
)
def test_a_second_model_needs_an_optimizer_of_its_own(case, second):
    optimizer = case.make()
    after(optimizer, gradients())
    kept = f"for 4 parameters of float64, got {len(second)} of {second.dtype}. Each model needs an"
    with pytest.raises(dl.StateError, match=rf"^{type(optimizer).__name__}.* {re.escape(kept)}"):
        optimizer.update(second, second)
    assert (second == 1).all()


def test_another_dtype_is_not_computed_in_the_first_ones_precision():
    optimizer, grads = dl.SGD(0.1), gradients()
    after(optimizer, grads.astype(np.float32))
    np.testing.assert_array_equal(after(optimizer, grads), after(dl.SGD(0.1), grads))


@every_optimizer
def test_options_may_be_changed_between_steps(case):
    optimizer, params = case.make(), np.ones(4)
    optimizer.update(params, np.ones(4))
    before = params.copy()
    optimizer.learning_rate, optimizer.weight_decay = 0.5, 0.25
    optimizer.update(params, np.zeros(4), trainable=np.array([1, 1, 0, 0]))
    assert (params[:2] < before[:2] * 0.876).all()
    np.testing.assert_array_equal(params[2:], before[2:])


ONES = np.ones(4)
WRONG_VECTORS = {
    "grads too short": ((ONES, np.ones(3)), {}, dl.ShapeError, r"shape \(4,\) and grads \(3,\)"),
    "grads too long": ((ONES, np.ones(5)), {}, dl.ShapeError, r"shape \(4,\) and grads \(5,\)"),
    "grads of one": ((ONES, np.ones(1)), {}, dl.ShapeError, r"shape \(4,\) and grads \(1,\)"),
    "integers": ((np.ones(4, int), ONES), {}, dl.DTypeError, r"floating numbers, .*int64 \(4,\)"),
    "matrix": ((np.eye(2), np.eye(2)), {}, dl.DTypeError, r"a vector of .*float64 \(2, 2\)"),
    "list": (([1.0], [1.0]), {}, dl.DTypeError, "params as a vector of floating .* got a list"),
    "model": ((dl.Dense(3), ONES), {}, dl.DTypeError, r"such as model.params, got a Dense\.$"),
    "no grads": ((ONES, None), {}, dl.DTypeError, r"grads as a .* as model.grads, got None\.$"),
    "list of grads": ((ONES, [1.0] * 4), {}, dl.DTypeError, "such as model.grads, got a list"),
    "complex": ((ONES, ONES + 1j), {}, dl.DTypeError, r"model.grads, got complex128 \(4,\)\.$"),
    "objects": ((ONES, ONES.astype(object)), {}, dl.DTypeError, r"grads, got object \(4,\)\.$"),
    "decay list": ((ONES, ONES), {"decay": [1] * 4}, dl.DTypeError, "model.decay_mask, got a lis"),
    "trainable": ((ONES, ONES), {"trainable": True}, dl.DTypeError, "model.trainable_mask, got a"),
    "decay": ((ONES, ONES), {"decay": np.ones(3)}, dl.ShapeError, "decay"),
    "decay of one": ((ONES, ONES), {"decay": np.ones(1)}, dl.ShapeError, "decay"),
    "trainable of five": ((ONES, ONES), {"trainable": np.ones(5)}, dl.ShapeError, "trainable"),
    "trainable of one": ((ONES, ONES), {"trainable": np.ones(1)}, dl.ShapeError, "trainable"),
}


@pytest.mark.parametrize(
    ("vectors", "masks", "error", "message"), WRONG_VECTORS.values(), ids=WRONG_VECTORS
)
def test_a_refused_update_is_explained_and_changes_nothing(vectors, masks, error, message):
    optimizer = dl.SGD(0.1, momentum=0.9, weight_decay=0.5)
    with pytest.raises(error, match=message):
        optimizer.update(*copy.deepcopy(vectors), **masks)
    assert optimizer.steps == 0
    assert not any(kept.any() for kept in optimizer.state.values())
    optimizer.update(np.ones(7), np.ones(7))  # it has bound itself to nothing


RATE = "learning_rate must be a positive number, got"


@every_kind
@pytest.mark.parametrize(
    ("rate", "error", "message"),
    [
        (0, dl.ArgumentError, f"{RATE} 0 at step 0."),
        (-0.1, dl.ArgumentError, f"{RATE} -0.1 at step 0."),
        (float("nan"), dl.ArgumentError, f"{RATE} nan at step 0."),
        (np.inf, dl.ArgumentError, f"{RATE} inf at step 0."),
        ("0.1", dl.ArgumentTypeError, "learning_rate must be a number or a function of the step"),
        (None, dl.ArgumentTypeError, "learning_rate must be a number or a function of the step"),
        (float, dl.ArgumentTypeError, "or a function of the step, got <class 'float'>."),
        (np.ones(3), dl.ArgumentTypeError, "gets parameters in update(), not here."),
        (True, dl.ArgumentError, f"{RATE} True at step 0."),
        (dl.CosineDecay, dl.ArgumentTypeError, "'>. Write CosineDecay(...), with its arguments."),
        (dl.ReduceOnPlateau, dl.ArgumentTypeError, "Write ReduceOnPlateau(...), with its argum"),
        (dl.Dense(3), dl.ArgumentTypeError, "got Dense(3). The optimizer gets parameters in up"),
    ],
    ids=str,
)
def test_wrong_learning_rates_are_explained(kind, rate, error, message):
    with pytest.raises(error, match=rf"^{kind.__name__}: .*{re.escape(message)}"):
        kind(rate)


@pytest.mark.parametrize("rate", [-0.5, np.nan, np.inf, None, True, "0.1", [0.1]], ids=str)
def test_a_schedule_that_gives_no_learning_rate_is_explained(rate):
    optimizer, params = dl.Adam(lambda step: 0.1 if step < 2 else rate), np.ones(4)
    for _ in range(2):
        optimizer.update(params, np.ones(4))
    before, state = params.copy(), copy.deepcopy(optimizer.state)
    with pytest.raises(dl.MinidlError, match=re.escape(f"{RATE} {rate!r} at step 2.")):
        optimizer.update(params, np.ones(4))
    np.testing.assert_array_equal(params, before)
    np.testing.assert_equal(optimizer.state, state)
    assert optimizer.steps == 2


def test_current_learning_rate_is_that_of_the_next_step():
    seen = []
    optimizer = dl.SGD(lambda step: seen.append(step) or 1 / (1 + step))
    assert not seen  # a schedule may need what exists only once training has begun
    assert optimizer.current_learning_rate() == 1
    optimizer.update(np.ones(1), np.ones(1))
    assert optimizer.current_learning_rate() == 0.5


@every_kind
@pytest.mark.parametrize("value", [-0.1, np.nan, np.inf, "0.1", None], ids=str)
def test_wrong_weight_decay_is_explained(kind, value):
    message = f"{kind.__name__}: weight_decay must be a number in [0, inf), got {value!r}"
    with pytest.raises(dl.ArgumentError, match=re.escape(message)):
        kind(0.1, weight_decay=value)


@every_kind
def test_common_options_are_shown(kind):
    assert repr(kind(0.5)) in (f"{kind.__name__}(0.5)", f"{kind.__name__}(learning_rate=0.5)")
    schedule = dl.StepDecay(0.1, step_size=3)
    text = repr(kind(schedule, weight_decay=0.5, clip_norm=1.0))
    assert "StepDecay(initial=0.1, step_size=3, factor=0.1)" in text
    assert text.endswith(", weight_decay=0.5, clip_norm=1.0)")
    assert repr(kind(0.5, clip_value=2)).endswith(", clip_value=2.0)")


@every_kind
def test_learning_rate_is_the_only_argument_by_position(kind):
    with pytest.raises(TypeError, match="positional argument"):
        kind(0.1, 0.9)


class SignDescent(dl.Optimizer):
    """A user's rule: all that there is to write."""

    def step(self, grads, learning_rate, out):
        np.sign(grads, out=out)
        out *= learning_rate


def test_an_optimizer_of_ones_own_is_one_method():
    params = np.array([1.0, 2.0, 4.0])
    SignDescent(0.5, weight_decay=0.5).update(params, np.array([3.0, -2.0, 0.0]))
    np.testing.assert_array_equal(params, [1 - 0.5 - 0.25, 2 + 0.5 - 0.5, 4 - 1])
    assert repr(SignDescent(0.5)) == "SignDescent(0.5)"
    assert SignDescent(0.5).weight_decay == 0


class Forgetful(SignDescent):
    """The usual mistake: a new array under the name of the one to fill."""

    def step(self, grads, learning_rate, out):
        out = learning_rate * np.sign(grads)  # noqa: F841


def test_a_rule_that_writes_nothing_is_explained():
    optimizer, params = Forgetful(0.5), np.ones(4)
    message = r"^Forgetful\(0\.5\): step leaves .* or makes all of it NaN\. .* out\[\.\.\.\] = "
    with pytest.raises(dl.ContractError, match=message):
        optimizer.update(params, np.ones(4))
    np.testing.assert_array_equal(params, np.ones(4))
    optimizer.update(np.ones(0), np.ones(0))  # where there is nothing to write


@every_optimizer
@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_a_gradient_that_is_not_finite_is_not_the_rules_fault(case, bad):
    with np.errstate(invalid="ignore"):
        case.make().update(np.ones(2), np.array([bad, bad]))
        case.make().update(np.ones(2), np.array([bad, 1.0]))
