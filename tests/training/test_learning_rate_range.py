"""The range test: its rates, its smoothing, where it ends, and that it leaves no trace."""

import copy
import itertools
import re
import sys

import numpy as np
import pytest

import minidl as dl


@pytest.fixture(scope="module")
def digits():
    return dl.synthetic_digits(200, rng=0)


def network(*layers):
    return dl.Sequential([*layers, dl.Dense(10), dl.Softmax()]).build((784,), rng=0)


def range_test(model, data, **options):
    return dl.learning_rate_range_test(model, dl.CrossEntropy(), *data, **({"rng": 0} | options))


def test_rates_grow_by_a_constant_factor(digits):
    found = range_test(network(), digits, lowest=1e-4, highest=1e-2, steps=5)
    np.testing.assert_allclose(found.rates, [1e-4, 10**-3.5, 1e-3, 10**-2.5, 1e-2], rtol=1e-12)
    assert found.rates.shape == found.losses.shape == found.batch_losses.shape


def test_a_narrow_range(digits):
    found = range_test(network(), digits, lowest=1.0, highest=1.5, steps=3)
    np.testing.assert_allclose(found.rates, [1, 1.5**0.5, 1.5], rtol=1e-12)


def test_a_range_wider_than_numbers(digits):
    found = range_test(network(), digits, lowest=1e-300, highest=1e10, steps=3)
    np.testing.assert_allclose(found.rates, [1e-300, 1e-145, 1e10], rtol=1e-12)


def test_it_trains_as_by_hand(digits):
    found = range_test(network(), digits, highest=0.1, steps=20, batch_size=64)
    model, losses = network(), []
    rates = iter(found.rates)
    trainer = dl.Trainer(model, dl.CrossEntropy(), dl.SGD(lambda _: next(rates)), rng=0)

    class Losses(dl.Callback):
        def on_batch_end(self, trainer, loss):
            losses.append(loss)

    trainer.callbacks = [Losses()]
    trainer.fit(*digits, epochs=5, batch_size=64)  # of four batches each
    np.testing.assert_array_equal(found.batch_losses, losses)


def test_the_loss_is_smoothed_and_corrected_for_its_start(digits):
    found = range_test(network(), digits, highest=0.1, steps=30)
    for k in range(30):
        weights = 0.9 ** np.arange(k, -1, -1.0)
        mean = np.average(found.batch_losses[: k + 1], weights=weights)
        assert found.losses[k] == pytest.approx(mean, rel=1e-12)


def test_it_finds_a_rate_that_learns(digits):
    found = range_test(network(), digits)
    assert found.suggestion == found.rates[10 + np.argmin(found.losses[10:])] / 10
    losses = {}
    for rate in (found.suggestion / 100, found.suggestion, 100 * found.suggestion):
        trainer = dl.Trainer(network(), dl.CrossEntropy(), dl.SGD(rate), rng=0)
        losses[rate] = trainer.fit(*digits, epochs=3)["loss"][-1]
    assert min(losses, key=losses.get) == found.suggestion


def test_it_ends_where_the_loss_explodes(digits):
    found = range_test(network(), digits, highest=1e4, steps=60)
    assert 20 < len(found.rates) < 60
    smallest = np.minimum.accumulate(found.losses[10:])
    assert (found.losses[10:-1] <= 4 * smallest[:-1]).all()
    assert found.losses[-1] > 4 * smallest[-1]


def test_first_batches_are_no_minimum():
    rates, losses = np.geomspace(1e-6, 1.0, 13), np.array([0.1] * 10 + [3.0, 2.0, 4.0])
    found = dl.LearningRateRange(rates, losses, losses)
    assert found.suggestion == pytest.approx(rates[11] / 10, rel=1e-12)
    few = dl.LearningRateRange(rates[:10], losses[:10], losses[:10])
    assert few.suggestion == pytest.approx(1e-7, rel=1e-12)


def test_an_easy_first_batch_does_not_end_it():
    class Uphill(dl.Loss):
        """0.1 in the first step, then 1; from the step 30 on ten times as much."""

        calls = itertools.count()

        def per_sample(self, prediction, target):
            call = next(self.calls)
            value = 0.1 if call == 0 else 1.0 if call < 30 else 10.0
            return np.full(len(prediction), value), np.zeros_like(prediction)

    model, x = dl.Dense(1).build((2,), rng=0), np.ones((4, 2), np.float32)
    found = dl.learning_rate_range_test(model, Uphill(), x, x[:, :1], steps=50)
    # the least behind ten steps is 0.954, of which 1 + 9 (1 - 0.9^k) exceeds four times at k = 4
    assert found.losses[10:].min() == pytest.approx(0.954, abs=1e-3)
    assert len(found.rates) == 34


def test_a_negative_loss_does_not_end_it():
    class Downhill(dl.Loss):
        """Minus a hundred for everything, rising by one in every step."""

        calls = itertools.count()

        def per_sample(self, prediction, target):
            values = np.full(len(prediction), next(self.calls) - 100.0)
            return values, np.zeros_like(prediction)

    model = dl.Dense(1).build((2,), rng=0)
    x = np.ones((4, 2), np.float32)
    found = dl.learning_rate_range_test(model, Downhill(), x, x[:, :1], steps=50)
    assert len(found.rates) == 50


def test_a_loss_of_zero_does_not_end_it():
    model, x = dl.Dense(1, use_bias=False).build((2,), rng=0), np.zeros((4, 2), np.float32)
    found = dl.learning_rate_range_test(model, dl.MeanSquaredError(), x, x[:, :1], steps=20)
    np.testing.assert_array_equal(found.losses, np.zeros(20))


def test_a_loss_that_is_not_finite_ends_it(digits):
    x, y = digits[0], digits[1].astype(np.float32)[:, np.newaxis]
    model = dl.Dense(1).build((784,), rng=0)
    found = dl.learning_rate_range_test(
        model, dl.MeanSquaredError(), x, y, lowest=1e-3, highest=1e40, steps=20, rng=0
    )
    assert 0 < len(found.rates) < 20
    assert np.isfinite(found.batch_losses).all()


def layers_with_state():
    return dl.Dense(8), dl.BatchNorm(), dl.ReLU(), dl.Dropout(0.5)


@pytest.mark.parametrize("layers", [layers_with_state, lambda: [dl.Dense(8), dl.Dropout(0.5)]])
@pytest.mark.parametrize("options", [{}, {"highest": 1e9}, {"batch_size": 200}])
def test_it_leaves_no_trace(digits, layers, options):
    tested, untouched = network(*layers()), network(*layers())
    optimizer = dl.Adam(0.01)
    for model in (tested, untouched):  # so that generators and state have begun to move
        trainer = dl.Trainer(model, dl.CrossEntropy(), dl.SGD(0.1), rng=0)
        trainer.fit(*digits, epochs=1)
    before = tested.params.copy(), tested.state.copy()
    found = range_test(tested, digits, optimizer=optimizer, **options)
    assert len(found.rates) > 20
    np.testing.assert_array_equal(tested.params, before[0])
    np.testing.assert_array_equal(tested.state, before[1])
    assert (optimizer.steps, optimizer.learning_rate, optimizer.state) == (0, 0.01, {})
    for model in (tested, untouched):
        trainer = dl.Trainer(model, dl.CrossEntropy(), dl.SGD(0.1), rng=0)
        trainer.fit(*digits, epochs=2, batch_size=50)
    np.testing.assert_array_equal(tested.params, untouched.params)
    np.testing.assert_array_equal(tested.state, untouched.state)


def test_chunks_of_large_batches_leave_no_trace_either():
    x, y = dl.synthetic_digits(3000, rng=0)
    tested, untouched = network(dl.Dropout(0.5)), network(dl.Dropout(0.5))
    objective = dl.Objective(tested, dl.CrossEntropy())
    assert objective.chunked
    assert objective.chunk_rows < len(x)
    range_test(tested, (x, y), steps=3, batch_size=len(x))
    for model in (tested, untouched):
        dl.Trainer(model, dl.CrossEntropy(), dl.SGD(0.1), rng=0).fit(
            x, y, epochs=2, batch_size=len(x)
        )
    np.testing.assert_array_equal(tested.params, untouched.params)


def test_an_error_leaves_no_trace(digits):
    model, x = network(dl.Dropout(0.5)), digits[0].copy()
    x[150, 3] = np.nan
    before = model.params.copy()
    with pytest.raises(dl.DataError, match="NaN"):
        range_test(model, (x, digits[1]))
    np.testing.assert_array_equal(model.params, before)


def test_any_rule_and_frozen_layers(digits):
    model = network(dl.Dense(8))
    model.layers[0].trainable = False
    frozen, optimizer = model.layers[0].weight.copy(), dl.Adam(0.01, weight_decay=0.1)
    first = range_test(model, digits, optimizer=optimizer)
    second = range_test(model, digits, optimizer=optimizer)
    np.testing.assert_array_equal(first.losses, second.losses)
    np.testing.assert_array_equal(model.layers[0].weight, frozen)
    assert (first.losses != range_test(model, digits).losses[: len(first.losses)]).any()


def test_sources_of_batches(digits):
    batches = [(digits[0][i : i + 50], digits[1][i : i + 50]) for i in range(0, 200, 50)]
    found = range_test(network(), (batches,), highest=0.1, steps=10)
    model, objective = network(), None
    objective = dl.Objective(model, dl.CrossEntropy())
    for k, rate in enumerate(found.rates):
        loss, grads = objective.value_and_grad(*batches[k % 4])
        assert found.batch_losses[k] == loss
        dl.SGD(rate).update(model.params, grads)


def test_the_same_seed_gives_the_same_bits(digits):
    first, second = (range_test(network(), digits) for _ in range(2))
    np.testing.assert_array_equal(first.losses, second.losses)
    other = range_test(network(), digits, rng=1)
    assert (first.losses[:20] != other.losses[:20]).any()


def test_it_prints_nothing(digits, monkeypatch, capsys):
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    range_test(network(), digits, steps=5)
    assert capsys.readouterr() == ("", "")


def test_a_network_that_dies_at_high_rates_is_no_news(digits):
    found = range_test(network(dl.Dense(8), dl.ReLU()), digits, highest=1e3, steps=200)
    assert len(found.rates) > 100


def test_ctrl_c_ends_it(digits):
    class Impatient(dl.CrossEntropy):
        calls = itertools.count()

        def per_sample(self, prediction, target):
            if next(self.calls) == 12:
                raise KeyboardInterrupt
            return super().per_sample(prediction, target)

    model = network()
    found = dl.learning_rate_range_test(model, Impatient(), *digits, rng=0)
    assert len(found.rates) == 12


def test_ctrl_c_before_the_first_step_is_ctrl_c(digits):
    class Interrupted(dl.CrossEntropy):
        def per_sample(self, prediction, target):
            raise KeyboardInterrupt

    model = network()
    before = model.params.copy()
    with pytest.raises(KeyboardInterrupt, match=r"^$"):
        dl.learning_rate_range_test(model, Interrupted(), *digits, rng=0)
    np.testing.assert_array_equal(model.params, before)


def test_parameters_that_give_no_loss_are_explained(digits):
    model = network()
    model.params = np.full_like(model.params, np.nan)
    with pytest.raises(dl.MinidlError, match="finite"):
        range_test(model, digits)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"lowest": 0}, "lowest must be above 0, got 0"),
        ({"lowest": 2.0, "highest": 2.0}, "highest must be above lowest, got 2 to 2."),
        ({"lowest": 2.0, "highest": 1.0}, "highest must be above lowest, got 2 to 1."),
        ({"highest": np.inf}, "highest must be a number in [0, inf), got inf"),
        ({"steps": 1}, "steps must be a whole number of at least 2, got 1"),
        ({"batch_size": 0}, "batch_size must be a whole number of at least 1, got 0"),
    ],
)
def test_wrong_options_are_explained(digits, options, message):
    with pytest.raises(dl.ArgumentError, match=re.escape(message)):
        range_test(network(), digits, **options)


def test_an_optimizer_class_is_explained(digits):
    with pytest.raises(dl.ArgumentTypeError, match="optimizer must be an instance, got the class"):
        range_test(network(), digits, optimizer=dl.Adam)
    assert "learning_rate" not in vars(dl.Adam)


def test_an_optimizer_that_has_made_steps(digits):
    optimizer = dl.SGD(dl.CosineDecay(0.1, steps=3), momentum=0.9)
    optimizer.update(np.ones(7850, np.float32), np.ones(7850, np.float32))
    twin = copy.deepcopy(optimizer)
    found = range_test(network(), digits, optimizer=optimizer, steps=10)
    assert len(found.rates) == 10
    np.testing.assert_array_equal(optimizer.state["velocity"], twin.state["velocity"])


def test_the_result_plots_itself(digits):
    figure = range_test(network(), digits, steps=20).plot()
    assert figure.axes[0].get_xlabel() == "learning rate"
