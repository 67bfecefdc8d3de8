"""The moving average of parameters, and the hook at which it takes their place."""

import copy
import pickle
import re
import tracemalloc

import numpy as np
import pytest

import minidl as dl

X = np.random.default_rng(0).normal(size=(64, 3)).astype(np.float32)
Y = X @ np.array([[1.0], [2.0], [3.0]], np.float32)


class Watch(dl.Callback):
    """Records the parameters at every hook, as they are for a callback behind the average."""

    def __init__(self, interrupt_at=None, error=KeyboardInterrupt):
        self.interrupt_at, self.error = interrupt_at, error
        self.seen = {"batch": [], "validation": [], "epoch": [], "begin": [], "end": []}

    def on_epoch_begin(self, trainer):
        self.seen["begin"].append(trainer.model.params.copy())

    def on_batch_end(self, trainer, loss):
        self.seen["batch"].append(trainer.model.params.copy())
        if trainer.step == self.interrupt_at:
            raise self.error

    def on_validation_begin(self, trainer):
        self.seen["validation"].append(trainer.model.params.copy())

    def on_epoch_end(self, trainer):
        self.seen["epoch"].append(trainer.model.params.copy())

    def on_fit_end(self, trainer):
        self.seen["end"].append(trainer.model.params.copy())


def trainer(*callbacks, model=None, optimizer=None):
    model = model or dl.Dense(1).build((3,), rng=0)
    optimizer = optimizer or dl.Adam(0.1)
    return dl.Trainer(model, dl.MeanSquaredError(), optimizer, callbacks=callbacks, rng=0)


def averages(params, decay):
    """By the formula, in double precision, after every step."""
    average, found = np.zeros(4), []
    for n, row in enumerate(params, start=1):
        d = min(decay, n / (n + 9)) if n > 1 else 0.0
        average = d * average + (1 - d) * row.astype(np.float64)
        found.append(average)
    return np.array(found)


@pytest.mark.parametrize("decay", [0.0, 0.5, 0.999])
def test_by_the_formula(decay):
    params, average = np.random.default_rng(0).normal(size=(40, 4)), dl.MovingAverage(decay)
    for row, expected in zip(params, averages(params, decay), strict=True):
        average.update(row)
        np.testing.assert_allclose(average.values, expected, rtol=0, atol=1e-14)
    assert average.updates == 40


def test_three_updates_by_hand():
    average = dl.MovingAverage(0.9)
    for value, expected in ((11.0, 11), (0.0, 11 * 2 / 11), (6.0, 2 + (1 - 3 / 12) * 4)):
        average.update(np.array([value]))
        assert average.values[0] == pytest.approx(expected, rel=1e-15)


def test_updates_allocate_nothing_of_the_size_of_the_parameters():
    average, params = dl.MovingAverage(), np.ones(100_000)
    average.update(params)
    tracemalloc.start()
    average.update(params)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 100_000


def test_what_does_not_move_stays_to_the_last_bit():
    average, params = dl.MovingAverage(), np.array([0.1, 0.3], np.float32)
    for _ in range(100):
        average.update(params)
    np.testing.assert_array_equal(average.values, params)
    assert average.values.dtype == np.float32


def test_the_model_holds_the_average_from_validation_to_the_next_epoch():
    average, watch, plain = dl.MovingAverage(0.8), Watch(), Watch()
    run = trainer(average, watch)
    history = run.fit(X, Y, epochs=3, validation_data=(X, Y))
    trainer(plain).fit(X, Y, epochs=3)
    np.testing.assert_array_equal(watch.seen["batch"], plain.seen["batch"])  # training is the same
    np.testing.assert_array_equal(watch.seen["begin"], plain.seen["begin"])
    expected = averages(plain.seen["batch"], 0.8)[1::2]  # two batches an epoch
    np.testing.assert_allclose(watch.seen["validation"], expected, atol=1e-6)
    np.testing.assert_array_equal(watch.seen["epoch"], watch.seen["validation"])
    np.testing.assert_array_equal(watch.seen["end"], watch.seen["epoch"][-1:])
    np.testing.assert_array_equal(run.model.params, watch.seen["epoch"][-1])
    assert history["val_loss"][-1] == pytest.approx(run.evaluate(X, Y)["loss"], rel=1e-6)


@pytest.mark.parametrize("error", [KeyboardInterrupt, RuntimeError("disk full")])
def test_after_an_end_in_mid_epoch_the_model_holds_the_average(error):
    watch = Watch(interrupt_at=5, error=error)
    average = dl.MovingAverage(0.8)
    run = trainer(average, watch)
    try:
        run.fit(X, Y, epochs=10)
    except RuntimeError as raised:
        assert raised is error  # noqa: PT017 (Ctrl-C raises nothing)
    assert run.step == 5
    np.testing.assert_allclose(run.model.params, averages(watch.seen["batch"], 0.8)[-1], atol=1e-6)
    np.testing.assert_array_equal(watch.seen["end"], [run.model.params])


def test_an_end_before_the_first_step_changes_nothing():
    class Interrupt(dl.Callback):
        def on_epoch_begin(self, trainer):
            raise KeyboardInterrupt

    run = trainer(dl.MovingAverage(), Interrupt())
    before = run.model.params.copy()
    run.fit(X, Y, epochs=1)
    np.testing.assert_array_equal(run.model.params, before)


def test_a_further_fit_goes_on_from_the_trainings_own_parameters():
    watch, plain = Watch(), Watch()
    run = trainer(dl.MovingAverage(0.8), watch)
    run.fit(X, Y, epochs=2)
    run.fit(X, Y, epochs=2)
    trainer(plain).fit(X, Y, epochs=4)
    np.testing.assert_array_equal(watch.seen["batch"], plain.seen["batch"])
    expected = averages(plain.seen["batch"], 0.8)[-1]
    np.testing.assert_allclose(run.model.params, expected, atol=1e-6)


def test_a_further_fit_after_ctrl_c_goes_on_likewise():
    watch, plain = Watch(interrupt_at=3), Watch()
    run = trainer(dl.MovingAverage(0.8), watch)
    run.fit(X, Y, epochs=2)  # its second epoch ends after one step of two
    run.fit(X, Y, epochs=1)
    trainer(plain).fit(X, Y, epochs=2)
    np.testing.assert_array_equal(watch.seen["batch"][:3], plain.seen["batch"][:3])
    np.testing.assert_array_equal(watch.seen["begin"][-1], plain.seen["batch"][2])
    expected = averages(watch.seen["batch"], 0.8)[-1]
    np.testing.assert_allclose(run.model.params, expected, atol=1e-6)


def test_parameters_set_in_between_begin_anew():
    average, watch = dl.MovingAverage(0.8), Watch()
    run = trainer(average, watch)
    run.fit(X, Y, epochs=2)
    run.model.params = np.full(4, 5.0)
    run.fit(X, Y, epochs=1)
    np.testing.assert_array_equal(watch.seen["begin"][-1], np.full(4, 5.0))
    assert average.updates == 2
    expected = averages(watch.seen["batch"][-2:], 0.8)[-1]
    np.testing.assert_allclose(run.model.params, expected, atol=1e-6)


def test_early_stopping_sees_and_restores_averages():
    for interrupt_at in (None, 9):
        watch = Watch(interrupt_at)
        stopping = dl.EarlyStopping("val_loss", patience=3, mode="max")  # the first is the best
        run = trainer(dl.MovingAverage(0.8), watch, stopping)
        run.fit(X, Y, epochs=4 if interrupt_at is None else 9, validation_data=(X, Y))
        best = watch.seen["epoch"][stopping.best_epoch - 1]
        np.testing.assert_array_equal(run.model.params, best)
        assert stopping.best_epoch == 1


def test_state_is_that_of_training():
    def layers():
        return dl.Sequential([dl.Dense(4), dl.BatchNorm(), dl.Dense(1)]).build((3,), rng=0)

    plain, averaged = trainer(model=layers()), trainer(dl.MovingAverage(), model=layers())
    for run in (plain, averaged):
        run.fit(X, Y, epochs=3, validation_data=(X, Y))
    np.testing.assert_array_equal(averaged.model.state, plain.model.state)
    assert (averaged.model.params != plain.model.params).any()


def test_an_average_is_better_than_the_last_of_noisy_steps():
    losses = []
    for callbacks in ([], [dl.MovingAverage(0.99)]):
        y = Y + np.random.default_rng(1).normal(size=Y.shape).astype(np.float32)
        run = trainer(*callbacks, optimizer=dl.SGD(0.2))
        run.fit(X, y, epochs=200, batch_size=4)
        losses.append(run.evaluate(X, y)["loss"])
    assert losses[1] < losses[0]


@pytest.mark.parametrize("twin_of", [copy.deepcopy, lambda x: pickle.loads(pickle.dumps(x))])
def test_a_copy_goes_on_alike(twin_of):
    rows, average = np.random.default_rng(0).normal(size=(9, 4)), dl.MovingAverage()
    for row in rows[:5]:
        average.update(row)
    twin = twin_of(average)
    for row in rows[5:]:
        average.update(row)
        twin.update(row)
    np.testing.assert_array_equal(average.values, twin.values)


def test_another_number_of_parameters_is_explained():
    average = dl.MovingAverage()
    average.update(np.ones(4))
    with pytest.raises(dl.ShapeError, match=r"MovingAverage: averages 4 parameters, got 5\. Each"):
        average.update(np.ones(5))
    run = trainer(average)  # a fit begins anew
    run.fit(X, Y, epochs=1)
    assert average.updates == 2


@pytest.mark.parametrize(
    ("params", "got"),
    [
        (dl.Dense(1), "a Dense"),
        ([1.0, 2.0], "a list"),
        (np.arange(3), "int64 (3,)"),
        (np.eye(2), "float64 (2, 2)"),
    ],
    ids=str,
)
def test_what_is_no_vector_of_parameters_is_explained(params, got):
    average = dl.MovingAverage()
    message = "MovingAverage: expected params as a vector of floating numbers, such as model.params"
    with pytest.raises(dl.DTypeError, match=re.escape(f"{message}, got {got}.")):
        average.update(params)
    assert average.updates == 0


def test_a_trainer_has_one_average():
    # two would put each other's averages in the place of training's own parameters
    one = dl.MovingAverage(0.9)
    for callbacks in ([one, dl.MovingAverage(0.99)], [one, Watch(), one]):
        run = trainer(*callbacks)
        before = run.model.params.copy()
        with pytest.raises(dl.ArgumentError, match="MovingAverage: expected one in the list of"):
            run.fit(X, Y, epochs=1)
        np.testing.assert_array_equal(run.model.params, before)
    run = trainer(Watch(), one)
    run.fit(X, Y, epochs=1)
    assert one.updates == 2


@pytest.mark.parametrize("decay", [1.0, -0.1, np.nan, "0.9", True])
def test_wrong_decays_are_explained(decay):
    message = re.escape(f"MovingAverage: decay must be a number in [0, 1), got {decay!r}")
    with pytest.raises(dl.ArgumentError, match=message):
        dl.MovingAverage(decay)


@pytest.mark.parametrize("data", [{}, {"validation_data": (X, Y)}, {"validation_split": 0.25}])
def test_the_hook_comes_once_an_epoch_with_validation_or_without(data):
    class Order(dl.Callback):
        def __init__(self):
            self.calls = []

        def on_batch_end(self, trainer, loss):
            self.calls.append("batch")

        def on_validation_begin(self, trainer):
            self.calls.append(f"validation {trainer.epoch} {trainer.history.epochs}")

        def on_epoch_end(self, trainer):
            self.calls.append("end")

    order = Order()
    trainer(order).fit(X, Y, epochs=2, batch_size=64, **data)
    assert order.calls == ["batch", "validation 0 0", "end", "batch", "validation 1 1", "end"]
