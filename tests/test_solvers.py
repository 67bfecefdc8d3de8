"""SciPy's solvers: minima that are known, what is kept when they end, and what they refuse."""

import copy
import pickle
import time

import numpy as np
import pytest
import threadpoolctl
from scipy import optimize

import minidl as dl
from minidl.solvers.descent import Descent, SciPySolver
from minidl.training.hooks import Hooks
from minidl.training.sources import ArraySource

RNG = np.random.default_rng(0)
X = RNG.normal(size=(60, 5))
Y = (X[:, 0] + 0.5 * RNG.normal(size=60) > 0).astype(int) + (X[:, 1] > 0.5)
each_method = pytest.mark.parametrize("method", ["L-BFGS-B", "CG", "trust-ncg"])


def softmax_regression(strength=0.01, dtype=np.float64):
    layers = [dl.Dense(3, weight_penalty=dl.L2(strength)), dl.Softmax()]
    return dl.Sequential(layers).build((5,), rng=1, dtype=dtype)


def network(*extra, dtype=np.float64, **options):
    layers = [dl.Dense(4, **options), *extra, dl.Tanh(), dl.Dense(3), dl.Softmax()]
    return dl.Sequential(layers).build((5,), rng=1, dtype=dtype)


def run_of(model, loss, x=X, y=Y):
    trainer = dl.Trainer(model, loss, SciPySolver())
    return Descent(trainer, ArraySource(trainer.objective, x, y), None, Hooks(trainer, []))


class Rosenbrock(dl.Layer):
    """Outputs 1 - a and 10 (b - a^2), whatever x: their squares add up to Rosenbrock's function."""

    def output_shape(self, input_shape):
        return (2,)

    def parameter_specs(self, input_shape):
        return [dl.ParameterSpec("ab", (2,), dl.Zeros())]

    def forward(self, x, *, training=False, out=None):
        a, b = self.ab
        if training:
            self.save_for_backward(len(x))
        return np.tile(np.array([1 - a, 10 * (b - a * a)], x.dtype), (len(x), 1))

    def backward(self, dy, *, input_grad=True, out=None):
        (n,) = self.saved()
        d1, d2 = dy.sum(axis=0)
        self.gradients["ab"] = [-d1 - 20 * self.ab[0] * d2, 10 * d2]
        return np.zeros((n, 1), dy.dtype) if input_grad else None


@each_method
def test_rosenbrocks_valley(method):
    model = dl.Sequential([Rosenbrock()]).build((1,), dtype=float)
    model.params = [-1.2, 1.0]
    result = dl.minimize(
        model,
        dl.MeanSquaredError(),
        np.zeros((2, 1)),
        np.zeros((2, 2)),
        method=method,
        tolerance=1e-9,
    )
    assert result.converged
    np.testing.assert_allclose(model.params, [1.0, 1.0], atol=1e-7)
    assert result.loss < 1e-14
    assert 10 < result.iterations < 100


@each_method
def test_softmax_regression_has_one_minimum(method):
    model = softmax_regression()
    objective = dl.Objective(model, dl.CrossEntropy())

    def value(params):
        model.params = params
        loss, grads = objective.value_and_grad(X, Y)
        return loss, grads.copy()

    # BFGS is none of ours, and ends where the gradient is as small
    expected = optimize.minimize(
        value, np.zeros(model.params.size), jac=True, method="BFGS", options={"gtol": 1e-9}
    )
    model = softmax_regression()
    result = dl.minimize(model, dl.CrossEntropy(), X, Y, method=method, tolerance=1e-8)
    assert result.converged
    assert result.loss == pytest.approx(expected.fun, rel=1e-12)
    # the biases' common part changes nothing, and keeps its first value
    bias = model.layers[0].bias - model.layers[0].bias.mean()
    np.testing.assert_allclose(model.params[:15], expected.x[:15], atol=1e-6)
    np.testing.assert_allclose(bias, expected.x[15:] - expected.x[15:].mean(), atol=1e-6)
    assert result.loss == dl.Objective(model, dl.CrossEntropy()).value_and_grad(X, Y)[0]


@each_method
@pytest.mark.parametrize("workers", [1, 2])
def test_the_same_call_gives_the_same_bits(method, workers, monkeypatch):
    monkeypatch.setattr("minidl.training.trainer.useful_workers", lambda *_: workers)
    monkeypatch.setattr("minidl.layers.planning.CHUNK_BYTES", 1)
    x, y = np.tile(X, (3, 1)), np.tile(Y, 3)
    results = []
    for n in (1, workers):
        model = network()
        assert model.bound.plan.chunk_rows < len(x)
        result = dl.minimize(model, dl.CrossEntropy(), x, y, method=method, iterations=8, workers=n)
        results.append((model.params.tobytes(), result.loss, result.evaluations))
    assert results[0] == results[1]


@each_method
def test_evaluations_are_the_passes_made(method, monkeypatch):
    passes = []
    differentiate = dl.Objective.differentiate

    def counted(self, x, *arguments):
        passes.append(len(x))
        return differentiate(self, x, *arguments)

    monkeypatch.setattr(dl.Objective, "differentiate", counted)
    result = dl.minimize(network(), dl.CrossEntropy(), X, Y, method=method, iterations=12)
    assert passes == [2, *[len(X)] * result.evaluations]  # the first looks for layers that draw
    assert result.evaluations > 12
    assert result.iterations == 12


@pytest.mark.parametrize("scale", [0.1, 1.0, 10.0])
def test_hessian_products_agree_with_the_hessian_of_softmax_regression(scale):
    model = softmax_regression(strength=0.25)
    model.params = scale * RNG.normal(size=model.params.size)
    layer = model.layers[0]
    a = model.predict(X)
    v = RNG.normal(size=model.params.size)
    run = run_of(model, dl.CrossEntropy())
    dw, db = v[:15].reshape(3, 5).T, v[15:]  # as narrow weights lie: column by column
    assert layer.weight.flags.f_contiguous
    dz = X @ dw + db
    da = a * (dz - (a * dz).sum(axis=1, keepdims=True))  # (diag(a) - a a^T) dz
    expected = np.concatenate([(X.T @ da / 60 + 0.5 * dw).T.ravel(), da.mean(axis=0)])
    params = model.params.copy()
    found = run.hessian_product(params, v)
    assert np.linalg.norm(found - expected) <= 1e-9 * np.linalg.norm(expected)
    small = run.hessian_product(params, 1e-12 * v)  # the step does not depend on v's length
    np.testing.assert_allclose(small, 1e-12 * found, rtol=1e-7)
    assert not run.hessian_product(params, 0 * v).any()
    assert run.evaluations == 4


def test_small_parameters_are_varied_enough_for_differences():
    model = softmax_regression()
    model.params = np.zeros(18)
    run = run_of(model, dl.CrossEntropy())
    v = np.ones(model.params.size)
    found = run.hessian_product(np.zeros_like(v), v)
    # all scores are equal, so that a = 1/3, and the Hessian of the mean can be written down
    dz = np.repeat(X.sum(axis=1, keepdims=True) + 1, 3, axis=1)
    da = dz / 3 - dz.sum(axis=1, keepdims=True) / 9
    expected = np.concatenate([(X.T @ da / 60 + 0.02).T.ravel(), da.mean(axis=0)])
    np.testing.assert_allclose(found, expected, atol=1e-9)


@each_method
def test_frozen_layers_keep_their_parameters(method):
    model = network(weight_penalty=dl.L2(0.1))
    model.layers[0].trainable = False
    before = model.params.copy()
    result = dl.minimize(model, dl.CrossEntropy(), X, Y, method=method, tolerance=1e-7)
    assert result.converged
    frozen = model.trainable_mask == 0
    np.testing.assert_array_equal(model.params[frozen], before[frozen])
    assert (model.params[~frozen] != before[~frozen]).all()
    _, grads = dl.Objective(model, dl.CrossEntropy()).value_and_grad(X, Y)
    assert np.abs(grads[~frozen]).max() <= 1e-7
    assert np.abs(grads[frozen]).max() > 1e-4


def test_weights_are_repeated_rows():
    counts = RNG.integers(0, 4, 60)
    losses = [
        dl.minimize(softmax_regression(), dl.CrossEntropy(), *arrays, tolerance=1e-9, **weight).loss
        for arrays, weight in (
            ((X, Y), {"sample_weight": counts}),
            ((X.repeat(counts, axis=0), Y.repeat(counts)), {}),
        )
    ]
    assert losses[0] == pytest.approx(losses[1], rel=1e-12)


@pytest.mark.parametrize("method", ["L-BFGS-B", "CG"])
def test_float32_models_come_as_near_as_float32_allows(method):
    exact = dl.minimize(softmax_regression(), dl.CrossEntropy(), X, Y, tolerance=1e-9).loss
    model = softmax_regression(dtype=np.float32)
    result = dl.minimize(model, dl.CrossEntropy(), X, Y, method=method, tolerance=1e-9)
    assert model.params.dtype == np.float32
    assert result.loss == pytest.approx(exact, rel=1e-5)
    assert result.history["gradient_norm"][-1] < 1e-3


def test_the_running_statistics_are_those_of_the_iterations_alone():
    params = []

    class Watch(dl.Callback):
        def on_batch_end(self, trainer, loss):
            params.append(trainer.model.params.copy())

    def make():
        layers = [dl.Dense(4), dl.BatchNorm(), dl.Tanh(), dl.Dense(3), dl.Softmax()]
        return dl.Sequential(layers).build((5,), rng=1, dtype=float)

    model, replayed = make(), make()
    result = dl.minimize(
        model, dl.CrossEntropy(), X, Y, method="CG", iterations=6, callbacks=[Watch()]
    )
    assert result.evaluations > result.iterations + 1  # some trials were not taken
    for each in params:
        replayed.params = each
        dl.Objective(replayed, dl.CrossEntropy()).value_and_grad(X, Y)
    np.testing.assert_array_equal(model.params, params[-1])
    np.testing.assert_array_equal(model.state, replayed.state)


def test_history_and_callbacks_are_those_of_training():
    calls = []

    class Watch(dl.Callback):
        def on_fit_begin(self, trainer):
            calls.append("fit begins")
            assert (trainer.epoch, trainer.last_epoch, trainer.steps_per_epoch) == (0, 3, 1)
            assert trainer.model is model

        def on_epoch_begin(self, trainer):
            calls.append("begin")

        def on_batch_end(self, trainer, loss):
            calls.append("step")
            assert trainer.step == trainer.epoch + 1
            expected = dl.Objective(copy.deepcopy(model), dl.CrossEntropy()).value_and_grad(X, Y)
            assert loss == expected[0]

        def on_validation_begin(self, trainer):
            calls.append("validation")

        def on_epoch_end(self, trainer):
            calls.append("end")
            assert trainer.history.epochs == trainer.epoch

        def on_fit_end(self, trainer):
            calls.append("fit ends")

    model = network(weight_penalty=dl.L1(0.01))
    start = time.perf_counter()
    result = dl.minimize(
        model,
        dl.CrossEntropy(),
        X,
        Y,
        iterations=3,
        validation_data=(X[:20], Y[:20]),
        metrics=[dl.accuracy],
        callbacks=[Watch()],
    )
    each = ["begin", "step", "validation", "end"]
    assert calls == ["fit begins", *each, *each, *each, "fit ends"]
    history = result.history
    names = ["accuracy", "gradient_norm", "loss", "seconds", "val_accuracy", "val_loss"]
    assert sorted(history) == names
    assert history.epochs == result.iterations == 3
    objective = dl.Objective(model, dl.CrossEntropy())
    loss, grads = objective.value_and_grad(X, Y)
    assert history["loss"][-1] == result.loss == loss
    assert history["gradient_norm"][-1] == np.abs(grads).max()
    assert history["val_loss"][-1] == objective.value(X[:20], Y[:20])
    assert history["accuracy"][-1] == dl.accuracy(Y, model.predict(X).argmax(axis=1))
    assert (np.diff(history["loss"]) < 0).all()
    assert 0 < history["seconds"].sum() < time.perf_counter() - start
    assert history.stopped == ""
    assert not result.converged
    assert "LIMIT" in result.message


def test_convergence_is_why_it_stopped(capsys):
    result = dl.minimize(
        softmax_regression(),
        dl.CrossEntropy(),
        X,
        Y,
        iterations=500,
        callbacks=[dl.ProgressBar()],
    )
    assert result.converged
    assert result.history.stopped == result.message
    assert "CONVERGENCE" in result.message
    last = capsys.readouterr().out.splitlines()[-1]
    assert last == f"stopped after epoch {result.iterations}: {result.message}"
    assert result.iterations < 500


def test_nothing_is_done_at_the_minimum():
    model = softmax_regression()
    dl.minimize(model, dl.CrossEntropy(), X, Y, tolerance=1e-6)
    params = model.params.copy()
    result = dl.minimize(model, dl.CrossEntropy(), X, Y, tolerance=1e-5)
    assert (result.converged, result.iterations, result.evaluations) == (True, 0, 1)
    assert result.loss == dl.Objective(model, dl.CrossEntropy()).value_and_grad(X, Y)[0]
    np.testing.assert_array_equal(model.params, params)


@each_method
def test_callbacks_may_end_it(method):
    class Stop(dl.Callback):
        def on_epoch_end(self, trainer):
            if trainer.epoch == 4:
                trainer.stop("enough")

    result = dl.minimize(
        network(), dl.CrossEntropy(), X, Y, method=method, callbacks=[Stop()], tolerance=1e-12
    )
    assert (result.message, result.history.stopped) == ("enough", "enough")
    assert result.iterations == 4
    assert not result.converged


def test_early_stopping_restores_the_best():
    x, y = RNG.normal(size=(40, 5)), RNG.integers(0, 3, 40)  # nothing to learn
    model = network()
    stopping = dl.EarlyStopping(patience=5)
    result = dl.minimize(
        model,
        dl.CrossEntropy(),
        x[:20],
        y[:20],
        validation_data=(x[20:], y[20:]),
        callbacks=[stopping],
    )
    assert "has not improved" in result.message
    assert result.iterations == stopping.best_epoch + 5
    value = dl.Objective(model, dl.CrossEntropy()).value(x[20:], y[20:])
    assert value == stopping.best == result.history["val_loss"].min()


def test_an_average_of_parameters_is_kept_at_the_end():
    model, average = network(), dl.MovingAverage(0.5)
    plain = network()
    dl.minimize(plain, dl.CrossEntropy(), X, Y, iterations=5)
    dl.minimize(model, dl.CrossEntropy(), X, Y, iterations=5, callbacks=[average])
    np.testing.assert_array_equal(model.params, average.values)
    assert not np.array_equal(model.params, plain.params)


class Interrupted(dl.CrossEntropy):
    """Raises at an evaluation, once it has been told which."""

    left = 10**9
    error = KeyboardInterrupt

    def __init__(self):
        super().__init__(from_logits=True)

    def per_sample(self, prediction, target):
        Interrupted.left -= 1
        if Interrupted.left < 0:
            raise self.error
        return super().per_sample(prediction, target)


@each_method
@pytest.mark.parametrize("error", [KeyboardInterrupt, ZeroDivisionError])
def test_an_interrupt_keeps_the_last_iteration(method, error, monkeypatch):
    monkeypatch.setattr(Interrupted, "left", 33)
    monkeypatch.setattr(Interrupted, "error", error)
    kept = []

    class Watch(dl.Callback):
        def on_epoch_end(self, trainer):
            kept.append(trainer.model.params.copy())

        def on_fit_end(self, trainer):
            kept.append("end")

    layers = [dl.Dense(4), dl.BatchNorm(), dl.Tanh(), dl.Dense(3)]
    model = dl.Sequential(layers).build((5,), rng=1, dtype=float)

    def run():
        return dl.minimize(
            model, Interrupted(), X, Y, method=method, callbacks=[Watch()], tolerance=0
        )

    if error is KeyboardInterrupt:
        result = run()
        assert result.message.startswith("interrupted in")
        assert result.iterations == result.history.epochs == len(kept) - 1
        assert result.loss == result.history["loss"][-1]
        assert not result.converged
    else:
        with pytest.raises(ZeroDivisionError):
            run()
    assert kept.pop() == "end"
    np.testing.assert_array_equal(model.params, kept[-1])


def test_a_callback_that_raises_loses_nothing():
    class Broken(dl.Callback):
        def on_epoch_end(self, trainer):
            if trainer.epoch == 3:
                raise OSError("disk full")

    model, same = network(), network()
    with pytest.raises(OSError, match="disk full") as caught:
        dl.minimize(model, dl.CrossEntropy(), X, Y, callbacks=[Broken()], iterations=20)
    assert caught.value.__notes__ == [
        "raised by Broken.on_epoch_end after epoch 3, which is complete and in the history. "
        "minimize(..., iterations=17) goes on from there."
    ]
    dl.minimize(same, dl.CrossEntropy(), X, Y, iterations=3)
    np.testing.assert_array_equal(model.params, same.params)


def test_values_of_callbacks_come_into_the_history():
    class Count(dl.Callback):
        def on_epoch_begin(self, trainer):
            assert not trainer.extra_values
            if trainer.epoch != 1:
                trainer.extra_values["number"] = trainer.epoch

    result = dl.minimize(
        network(), dl.CrossEntropy(), X, Y, iterations=3, callbacks=[Count()], tolerance=0
    )
    np.testing.assert_array_equal(result.history["number"], [0, np.nan, 2])
    assert [*result.history] == ["loss", "gradient_norm", "number", "seconds"]


def test_a_callback_that_spoils_the_parameters_is_told_so():
    class Spoils(dl.Callback):
        def on_batch_end(self, trainer, loss):
            trainer.model.layers[0].weight[0, 0] = np.nan

    with pytest.raises(
        dl.DivergenceError,
        match=r"^validation_data: the loss is nan.*\nOrigin: weight of Dense\(4\).* itself, which",
    ):
        dl.minimize(
            network(), dl.CrossEntropy(), X, Y, validation_data=(X, Y), callbacks=[Spoils()]
        )


def test_there_is_no_learning_rate():
    class Log(dl.Callback):
        def on_epoch_end(self, trainer):
            trainer.optimizer.current_learning_rate()

    with pytest.raises(dl.ArgumentError, match=r"no learning rate\. Leave out callbacks that log"):
        dl.minimize(network(), dl.CrossEntropy(), X, Y, callbacks=[Log()])
    solver = pickle.loads(pickle.dumps(SciPySolver()))
    with pytest.raises(dl.ArgumentError, match="make their steps themselves"):
        solver.step(np.ones(1), 0.1, np.ones(1))


class LogOfParameter(dl.Layer):
    """y = ln(1.2 - a) for each of its parameters: not defined above."""

    def parameter_specs(self, input_shape):
        return [dl.ParameterSpec("a", input_shape, dl.Zeros(), penalty=dl.L2(1.0))]

    def forward(self, x, *, training=False, out=None):
        if training:
            self.save_for_backward()
        return np.tile(np.log(1.2 - self.a), (len(x), 1))

    def backward(self, dy, *, input_grad=True, out=None):
        self.saved()
        self.gradients["a"] = -dy.sum(axis=0) / (1.2 - self.a)
        return np.zeros_like(dy)


class Barrier(dl.Loss):
    """l = -0.01 y - (what takes a towards the edge of where y is defined)."""

    def per_sample(self, prediction, target):
        a = 1.2 - np.exp(prediction)
        value = -0.01 * prediction - 6 * a
        gradient = -0.01 + 6 * np.exp(prediction)
        return value.sum(axis=1), gradient


@each_method
def test_steps_to_where_the_loss_is_not_finite_count_as_uphill(method):
    model = dl.Sequential([LogOfParameter()]).build((3,), dtype=float)
    model.params = [-2.0, 0.3, 1.0]
    x = np.zeros((2, 3))
    result = dl.minimize(model, Barrier(), x, x, method=method, tolerance=1e-7)
    assert np.isfinite(result.history["loss"]).all()
    assert (np.diff(result.history["loss"]) <= 0).all()
    if method == "trust-ncg":  # its region shrinks at the edge, and grows again slowly
        return
    # 2 a - 6 + 0.01 / (1.2 - a) = 0
    expected = ((2 * 1.2 + 6) - np.sqrt((2 * 1.2 - 6) ** 2 + 0.08)) / 4
    np.testing.assert_allclose(model.params, expected, atol=1e-5)


def test_hessian_products_that_are_not_finite_are_those_of_a_straight_line(monkeypatch):
    model = dl.Sequential([LogOfParameter()]).build((3,), dtype=float)
    model.params = start = np.array([1.2 - 1e-6, 0.3, 1.0])  # closer to the edge than a difference
    x = np.zeros((2, 3))
    run = run_of(model, Barrier(), x, x)
    v = np.array([1.0, 0.0, 0.0])
    assert run.hessian_product(start, v).tolist() == [0.0, 0.0, 0.0]
    assert run.hessian_product(start, v[::-1])[2] > 0
    monkeypatch.setattr(run, "_differentiate", lambda _: (0.0, np.full(3, np.inf)))
    assert run.hessian_product(start, v).tolist() == [0.0, 0.0, 0.0]
    run.put_back()
    result = dl.minimize(model, Barrier(), x, x, method="trust-ncg")
    assert (np.diff(result.history["loss"]) <= 0).all()
    assert model.params[0] < start[0]


def test_a_loss_that_is_not_finite_at_the_start_is_an_error():
    model = network()
    with pytest.raises(dl.DataError, match="minimize: x has NaN in row"):
        dl.minimize(model, dl.CrossEntropy(), np.where(X > 2, np.nan, X), Y)
    model.layers[2].weight[0, 0] = np.nan
    before = model.params.copy()
    with pytest.raises(
        dl.DivergenceError,
        match=r"^minimize: the loss or its gradient is not finite at the first parameters, "
        r"although x and y are\. The loss is nan\.\nOrigin: weight of Dense\(3\) in layer 2 of "
        r"Sequential itself, which has NaN\.\nLargest parameter: .*\nWhat helps: assign finite "
        r"values, or build the model anew\.$",
    ):
        dl.minimize(model, dl.CrossEntropy(), X, Y)
    np.testing.assert_array_equal(model.params, before)


class Root(dl.L1):
    def add_gradient(self, w, out):
        out += self.strength / np.sqrt(np.abs(w))


@pytest.mark.parametrize("chunk_bytes", [1, 2**22])
def test_the_origin_in_the_gradient_of_a_penalty_is_named(chunk_bytes, monkeypatch):
    monkeypatch.setattr("minidl.layers.planning.CHUNK_BYTES", chunk_bytes)
    model = network(weight_penalty=Root(0.1))
    x, y = np.tile(X, (2, 1)), np.tile(Y, 2)
    model.layers[0].weight = np.zeros((5, 4))
    before = model.params.copy()
    with pytest.raises(
        dl.DivergenceError,
        match=r"The loss is 1\..*\nOrigin: the gradient of Root\(strength=0\.1\) for weight of "
        r"Dense\(4, .*\) in layer 0 of Sequential: divide by zero encountered in divide\.\n.*\n"
        r"What helps: add a small number, such as 1e-7, to what is divided by: it is 0 or nearly "
        r"so\.$",
    ):
        dl.minimize(model, dl.CrossEntropy(), x, y)
    np.testing.assert_array_equal(model.params, before)


def test_a_start_that_is_not_finite_changes_no_state():
    layers = [dl.Dense(4), dl.BatchNorm(), dl.Dense(3), dl.Softmax()]
    model = dl.Sequential(layers).build((5,), rng=1, dtype=float)
    model.layers[0].weight = np.full((5, 4), 1e308)  # finite, but sums are not
    state = model.state.copy()
    with pytest.raises(dl.DivergenceError, match="The loss is nan") as error:
        dl.minimize(model, dl.CrossEntropy(), X, Y)
    assert "itself" not in str(error.value)  # as if the running mean had been NaN before
    assert "Origin: the output of Dense(4) in layer 0" in str(error.value)
    assert "What helps: smaller initial values, such as HeNormal(); check_layer" in str(error.value)
    assert "learning rate" not in str(error.value)
    np.testing.assert_array_equal(model.state, state)


@pytest.mark.parametrize("broken", ["value", "gradient"])
def test_value_and_gradient_must_both_be_finite(broken):
    class Broken(dl.Loss):
        def per_sample(self, prediction, target):
            values, gradient = prediction.mean(axis=1), np.full_like(prediction, 0.5)
            if broken == "value":
                return values * np.nan, gradient
            return values, gradient * np.inf

    with pytest.raises(dl.DivergenceError, match=f"Origin: the {broken} of Broken"):
        dl.minimize(network(), Broken(), X, np.zeros((60, 3)))


def test_a_point_that_is_not_finite_is_ten_times_as_high():
    model = dl.Sequential([LogOfParameter()]).build((3,), dtype=float)
    run = run_of(model, Barrier(), np.zeros((2, 3)), np.zeros((2, 3)))
    loss, gradient = run.loss_and_gradient(np.array([0.5, 0.3, 1.0]))
    assert loss < 0
    assert gradient.any()
    loss_there, gradient_there = run.loss_and_gradient(np.array([0.5, 2.0, 1.0]))
    assert loss_there == 10 * (1 - loss)
    assert not gradient_there.any()


def test_an_iteration_ends_where_the_solver_says():
    layers = [dl.Dense(4), dl.BatchNorm(), dl.Dense(3), dl.Softmax()]
    model = dl.Sequential(layers).build((5,), rng=1, dtype=float)
    run = run_of(model, dl.CrossEntropy())
    start = run.point.params.copy()
    run.loss_and_gradient(start)
    states = []
    for shift in (0.1, 0.2):
        run.loss_and_gradient(start + shift)
        states.append(model.state.copy())
    assert not np.array_equal(*states)
    for params, state in ((start + 0.1, states[0]), (start + 0.1, states[0])):  # a step refused
        run.end_iteration(optimize.OptimizeResult(x=params))
        np.testing.assert_array_equal(model.params, params)
        np.testing.assert_array_equal(model.state, state)
        assert run._tried == []  # they would fill the memory
        run.loss_and_gradient(start + 0.3)
    run.end()
    np.testing.assert_array_equal(model.params, start + 0.1)


@pytest.mark.parametrize(("length", "step"), [(0.0, 1.0), (0.5, 1.0), (3.0, 3.0)])
def test_differences_are_taken_over_a_cube_root_of_epsilon(length, step, monkeypatch):
    run = run_of(softmax_regression(), dl.CrossEntropy())
    params = np.full(18, length / np.sqrt(18))
    seen = []
    differentiate = run._differentiate
    monkeypatch.setattr(run, "_differentiate", lambda p: seen.append(p) or differentiate(p))
    run.hessian_product(params, RNG.normal(size=18))
    expected = step * np.finfo(float).eps ** (1 / 3)
    for moved in seen:
        assert np.linalg.norm(moved - params) == pytest.approx(expected, rel=1e-8)
    np.testing.assert_allclose(seen[0] + seen[1], 2 * params, atol=1e-15)


def test_layers_that_draw_are_refused_and_left_alone():
    for extra in (dl.Dropout(0.3), dl.GaussianNoise(0.1)):
        models = [network(copy.deepcopy(extra)) for _ in range(2)]
        with pytest.raises(
            dl.ArgumentError, match=r"in layer 1 of Sequential draws random numbers in training"
        ):
            dl.minimize(models[0], dl.CrossEntropy(), X, Y)
        after = [model.forward(X, training=True) for model in models]
        np.testing.assert_array_equal(*after)


def test_a_model_is_as_before_where_it_is_refused():
    layers = [dl.Dense(4), dl.BatchNorm(), dl.Dropout(0.1), dl.Dense(3), dl.Softmax()]
    model = dl.Sequential(layers).build((5,), rng=1, dtype=float)
    state = model.state.copy()
    with pytest.raises(dl.ArgumentError, match=r"Dropout\(0\.1\)"):
        dl.minimize(model, dl.CrossEntropy(), X, Y)
    np.testing.assert_array_equal(model.state, state)


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        ({"method": "BFGS"}, dl.ArgumentError, r"method must be one of .*trust-ncg.*got 'BFGS'"),
        ({"iterations": 0}, dl.ArgumentError, "minimize: iterations must be a whole number"),
        ({"tolerance": -1}, dl.ArgumentError, "minimize: tolerance must be a number"),
        ({"loss": dl.CrossEntropy}, dl.ArgumentTypeError, "got the class CrossEntropy"),
        ({"y": Y[:9]}, dl.ShapeError, "minimize: x has 60 rows and y has 9"),
        (
            {"x": dl.batches(X, Y, batch_size=8), "y": None},
            dl.ArgumentError,
            "minimize: y is missing. It takes all rows at once, .* Trainer takes batches",
        ),
        (
            {"validation_data": [X, Y]},
            dl.ArgumentTypeError,
            r"minimize: validation_data must be .* write validation_data=\(x, y\)",
        ),
        (
            {"options": ["maxcor"]},
            dl.ArgumentTypeError,
            r"minimize: options must be a Mapping, got \['maxcor'\]",
        ),
        ({"model": dl.Dense(3)}, dl.StateError, "is not built"),
        (
            {"model": softmax_regression(dtype=np.float32), "method": "trust-ncg"},
            dl.DTypeError,
            r"needs float64, got a model of float32\. Build it with dtype=float, or use L-BFGS-B",
        ),
        (
            {"model": network(weight_constraint=dl.MaxNorm(2.0))},
            dl.ArgumentError,
            r"weight of Dense.* has the constraint MaxNorm\(limit=2\.0\), which SciPy's solvers",
        ),
        (
            {"model": dl.Sequential([dl.Softmax()]).build((5,), dtype=float)},
            dl.ArgumentError,
            "Sequential has no parameters that are trainable",
        ),
    ],
    ids=str,
)
def test_wrong_arguments_are_refused(change, error, message):
    arguments = {"model": network(), "loss": dl.CrossEntropy(), "x": X, "y": Y} | change
    with pytest.raises(error, match=message):
        dl.minimize(**arguments)


def test_frozen_models_are_refused_and_constraints_of_frozen_layers_are_not():
    model = network(weight_constraint=dl.MaxNorm(2.0))
    model.layers[0].trainable = False
    assert dl.minimize(model, dl.CrossEntropy(), X, Y, iterations=2).iterations == 2
    model.trainable = False
    with pytest.raises(dl.ArgumentError, match="no parameters that are trainable"):
        dl.minimize(model, dl.CrossEntropy(), X, Y)


def test_options_reach_the_solver():
    results = [
        dl.minimize(network(), dl.CrossEntropy(), X, Y, iterations=20, tolerance=0, options=options)
        for options in ({"maxcor": 1}, {"maxiter": 2}, {"ftol": 0.5}, None)
    ]
    assert results[1].iterations == 2
    assert results[2].converged
    assert results[3].iterations == results[0].iterations == 20
    assert results[3].loss != results[0].loss


def test_scipys_blas_is_held_to_one_thread_and_given_back():
    pools = threadpoolctl.ThreadpoolController().select(user_api="blas").lib_controllers
    found = [pool.num_threads for pool in pools]
    seen = []

    class Watch(dl.Callback):
        def on_batch_end(self, trainer, loss):
            seen.append([pool.num_threads for pool in pools])

    try:
        for pool in pools:
            pool.set_num_threads(2)
        dl.minimize(network(), dl.CrossEntropy(), X, Y, iterations=2, callbacks=[Watch()])
        assert seen == [[1] * len(pools)] * 2
        assert [pool.num_threads for pool in pools] == [2] * len(pools)
    finally:
        for pool, threads in zip(pools, found, strict=True):
            pool.set_num_threads(threads)
