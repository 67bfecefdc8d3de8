"""The training loop: what it computes, what it takes, and what it refuses."""

import copy
import pickle
import time

import numpy as np
import pytest
import scipy.sparse as sp

import minidl as dl

DIGITS, LABELS = dl.synthetic_digits(300, rng=0)


def small(*, last=dl.Softmax, rng=0, dtype=np.float32, extra=(), units=10, **options):
    layers = [dl.Dense(10), dl.ReLU(), *extra, dl.Dense(units), *([last()] if last else [])]
    model = dl.Sequential(layers).build((784,), rng=rng, dtype=dtype)
    loss = options.pop("loss", None) or dl.CrossEntropy()
    optimizer = options.pop("optimizer", None) or dl.SGD(0.1)
    return dl.Trainer(model, loss, optimizer, rng=rng, **options)


def by_hand(trainer, x, y, epochs, batch_size):
    """The loop as users write it, on a model of its own."""
    objective, optimizer = dl.Objective(trainer.model, trainer.loss), dl.SGD(0.1)
    source = dl.batches(x, y, batch_size=batch_size, rng=0)
    for _ in range(epochs):
        for xb, yb in source:
            _, grads = objective.value_and_grad(xb, yb)
            optimizer.update(trainer.model.params, grads)


def test_fit_is_the_loop_by_hand():
    ours, theirs = small(), small()
    ours.fit(DIGITS, LABELS, epochs=3, batch_size=64)
    by_hand(theirs, DIGITS, LABELS, 3, 64)
    np.testing.assert_array_equal(ours.model.params, theirs.model.params)


def test_it_learns_32_rows_by_heart():
    trainer = small(optimizer=dl.Adam(0.01), metrics=[dl.accuracy])
    history = trainer.fit(DIGITS[:32], LABELS[:32], epochs=200, batch_size=8)
    assert history["accuracy"][-1] == 1.0
    assert history["loss"][-1] < 0.02


def test_regression_recovers_a_line():
    rng = np.random.default_rng(0)
    x = rng.normal(size=(200, 2))
    y = x @ [[2.0], [-3.0]] + 0.5
    model = dl.Dense(1).build((2,), rng=0, dtype=np.float64)
    dl.Trainer(model, dl.MeanSquaredError(), dl.SGD(0.1), rng=0).fit(x, y, epochs=50)
    np.testing.assert_allclose(model.weight.ravel(), [2, -3], atol=1e-6)
    np.testing.assert_allclose(model.bias, [0.5], atol=1e-6)


def test_yes_or_no():
    rng = np.random.default_rng(0)
    x = rng.normal(size=(400, 2))
    y = (x[:, :1] * x[:, 1:] > 0).astype(int)  # exclusive or: no single layer can do it
    model = dl.Sequential([dl.Dense(16), dl.Tanh(), dl.Dense(1), dl.Sigmoid()]).build((2,), rng=0)
    trainer = dl.Trainer(
        model, dl.BinaryCrossEntropy(), dl.Adam(0.03), metrics=[dl.accuracy], rng=0
    )
    trainer.fit(x, y, epochs=3)
    right = ((trainer.model.predict(x) > 0.5) == y).mean()  # many outputs are still near 0.5
    assert trainer.evaluate(x, y)["accuracy"] == right
    trainer.fit(x, y, epochs=60)
    assert trainer.evaluate(x, y)["accuracy"] > 0.97


@pytest.mark.parametrize("extra", [(), (dl.Dropout(0.3),)], ids=["plain", "dropout"])
def test_same_seed_same_bits(extra):
    runs = []
    for validation in (None, None, (DIGITS[:50], LABELS[:50])):
        trainer = small(extra=copy.deepcopy(extra), metrics=[dl.accuracy] if validation else ())
        trainer.fit(DIGITS, LABELS, epochs=2, validation_data=validation)
        runs.append(trainer.model.params.tobytes())
    assert runs[0] == runs[1] == runs[2]  # looking at validation data changes nothing
    other = small(rng=1)
    other.fit(DIGITS, LABELS, epochs=2)
    assert other.model.params.tobytes() != runs[0]


def test_history_and_counters():
    trainer, start = small(metrics=[dl.accuracy]), time.perf_counter()
    history = trainer.fit(DIGITS, LABELS, epochs=2, batch_size=64)
    assert history["seconds"].sum() <= time.perf_counter() - start
    assert list(history) == ["loss", "accuracy", "seconds"]
    assert trainer.fit(DIGITS, LABELS, epochs=3, batch_size=64, validation_split=0.2) is history
    assert history.epochs == trainer.epoch == 5
    assert trainer.step == 2 * 5 + 3 * 4
    assert np.isnan(history["val_loss"][:2]).all()
    assert np.isfinite(history["val_accuracy"][2:]).all()
    assert (history["seconds"] > 0).all()
    assert history["loss"][-1] < history["loss"][0]
    with pytest.raises(KeyError, match="History has no 'los', only loss, accuracy"):
        history["los"]
    assert repr(history).startswith("History(5 epochs; last: loss ")


def test_epoch_values_are_over_all_rows():
    trainer = small(metrics=[dl.accuracy], optimizer=dl.SGD(lambda step: 0.0))
    history = trainer.fit(DIGITS, LABELS, epochs=1, batch_size=128)  # batches of 128, 128, 44
    expected = trainer.evaluate(DIGITS, LABELS)
    assert history["loss"][0] == pytest.approx(expected["loss"], rel=1e-5)
    assert history["accuracy"][0] == expected["accuracy"]
    y = trainer.model.predict(DIGITS)
    assert expected["accuracy"] == (y.argmax(axis=1) == LABELS).mean()


@pytest.mark.parametrize("one_hot", [False, True])
def test_metrics_get_labels_or_probabilities(one_hot):
    seen = {}

    def watch(name):
        def metric(y_true, y_pred):
            seen[name] = y_true, y_pred
            return 0.5

        return metric

    metrics = [
        dl.Metric(watch("labels"), name="a"),
        dl.Metric(watch("probabilities"), needs="probabilities", name="b"),
    ]
    trainer = small(metrics=metrics)
    targets = np.eye(10)[LABELS] if one_hot else LABELS
    assert trainer.evaluate(DIGITS, targets)["b"] == 0.5
    y = trainer.model.predict(DIGITS)
    np.testing.assert_array_equal(seen["labels"][0], LABELS)
    np.testing.assert_array_equal(seen["labels"][1], y.argmax(axis=1))
    np.testing.assert_array_equal(seen["probabilities"][0], LABELS)
    np.testing.assert_allclose(seen["probabilities"][1], y, rtol=1e-6)


def test_regression_metrics_get_values():
    def largest_error(y_true, y_pred):
        return np.abs(y_true - y_pred).max()

    model = dl.Dense(2).build((784,), rng=0)
    trainer = dl.Trainer(model, dl.MeanSquaredError(), dl.SGD(1e-3), metrics=[largest_error])
    y = np.zeros((300, 2))
    expected = np.abs(model.predict(DIGITS)).max()
    assert trainer.evaluate(DIGITS, y)["largest_error"] == pytest.approx(expected, rel=1e-6)


def test_weights_are_repeated_rows():
    counts = np.random.default_rng(1).integers(0, 3, 300)
    ours, theirs = (small(dtype=np.float64) for _ in range(2))
    x = DIGITS.astype(np.float64)
    ours.fit(x, LABELS, epochs=5, batch_size=300, sample_weight=counts)
    rows, labels = x.repeat(counts, 0), LABELS.repeat(counts)
    theirs.fit(rows, labels, epochs=5, batch_size=len(rows))
    np.testing.assert_allclose(ours.model.params, theirs.model.params, rtol=1e-9, atol=1e-12)
    value = ours.evaluate(x, LABELS, sample_weight=counts)["loss"]
    assert value == pytest.approx(ours.evaluate(rows, labels)["loss"], rel=1e-12)


def test_class_weight_is_a_sample_weight():
    ours, theirs = (small(dtype=np.float64) for _ in range(2))
    x = DIGITS.astype(np.float64)
    ours.fit(x, LABELS, epochs=2, class_weight={3: 2.0, 7: 0.5}, sample_weight=np.full(300, 2.0))
    weight = np.where(LABELS == 3, 2.0, np.where(LABELS == 7, 0.5, 1.0))
    theirs.fit(x, LABELS, epochs=2, sample_weight=2 * weight)
    np.testing.assert_array_equal(ours.model.params, theirs.model.params)
    with pytest.raises(dl.ArgumentError, match=r"dict from labels 0..9 to .*got \{10: 1.0\}"):
        ours.fit(x, LABELS, epochs=1, class_weight={10: 1.0})
    for wrong in ("balance", [1.0] * 10, {"0": 2.0}, {0: -1.0}, {-1: 1.0}):
        with pytest.raises(dl.ArgumentError, match="class_weight"):
            ours.fit(x, LABELS, epochs=1, class_weight=wrong)
    regression = dl.Trainer(dl.Dense(1).build((2,)), dl.MeanSquaredError(), dl.SGD(0.1))
    with pytest.raises(dl.ArgumentError, match="needs one class a sample"):
        regression.fit(np.zeros((3, 2)), np.zeros((3, 1)), epochs=1, class_weight={0: 1.0})


def test_frozen_layers_stay_as_they_are():
    trainer = small(optimizer=dl.Adam(0.01, weight_decay=0.1))
    trainer.fit(DIGITS, LABELS, epochs=1)
    frozen = trainer.model.layers[0]
    frozen.trainable = False
    before, other = frozen.params.copy(), trainer.model.layers[2].params.copy()
    trainer.fit(DIGITS, LABELS, epochs=1)
    np.testing.assert_array_equal(frozen.params, before)
    assert (trainer.model.layers[2].params != other).all()


def test_validation_rows_are_held_out():
    seen = []

    class Watch(dl.Layer):
        def forward(self, x, *, training=False, out=None):
            seen.extend((training, row) for row in x[:, 0])
            return x

        def backward(self, dy, *, input_grad=True, out=None):
            return dy

    x = np.arange(100, dtype=np.float32).reshape(100, 1)
    model = dl.Sequential([Watch(), dl.Dense(1)]).build((1,), rng=0)
    trainer = dl.Trainer(model, dl.MeanSquaredError(), dl.SGD(1e-9), rng=0)
    trainer.fit(x, x, epochs=2, validation_split=0.25)
    trained = {row for training, row in seen if training}
    held_out = {row for training, row in seen if not training}
    assert len(trained) == 75
    assert len(held_out) == 25
    assert not trained & held_out
    assert held_out != set(range(75, 100))  # drawn, not the last rows


def test_a_full_batch_without_shuffling_or_copies():
    trainer = small()
    objective = dl.Objective(copy.deepcopy(trainer.model), dl.CrossEntropy())
    trainer.fit(DIGITS, LABELS, epochs=1, batch_size=1000)
    optimizer = dl.SGD(0.1)
    optimizer.update(objective.model.params, objective.value_and_grad(DIGITS, LABELS)[1])
    np.testing.assert_array_equal(trainer.model.params, objective.model.params)


def test_sources_of_batches():
    ours, theirs = small(metrics=[dl.accuracy]), small()
    parts = [(DIGITS[i : i + 100], LABELS[i : i + 100]) for i in (0, 100, 200)]
    history = ours.fit(parts, epochs=2, validation_data=[(DIGITS[:9], LABELS[:9])])
    theirs.fit(DIGITS, LABELS, epochs=2, batch_size=100, shuffle=False)
    np.testing.assert_array_equal(ours.model.params, theirs.model.params)
    assert set(history) == {"loss", "accuracy", "val_loss", "val_accuracy", "seconds"}
    whole = theirs.evaluate(DIGITS, LABELS)["loss"]
    assert ours.evaluate(parts)["loss"] == pytest.approx(whole, rel=1e-6)
    small().fit(dl.batches(DIGITS, LABELS, batch_size=50, rng=0), epochs=1)
    weighted = [(DIGITS, LABELS, np.ones(300))]
    assert ours.evaluate(weighted)["loss"] == pytest.approx(whole, rel=1e-6)


@pytest.mark.parametrize(
    ("x", "options", "error", "message"),
    [
        (
            (b for b in [(DIGITS, LABELS)]),
            {},
            dl.ArgumentError,
            "generator or iterator, which is s",
        ),
        ([], {}, dl.DataError, "the source of batches gave none"),
        ([DIGITS], {}, dl.DataError, "batch 0 must be a tuple"),
        (3, {}, dl.ArgumentError, "expected arrays, or a source of batches"),
        (DIGITS, {}, dl.ArgumentError, "y is missing"),
        ([(DIGITS, LABELS)], {"sample_weight": [1]}, dl.ArgumentError, "goes with arrays"),
        ([(DIGITS, LABELS)], {"validation_split": 0.1}, dl.ArgumentError, "goes with arrays"),
    ],
)
def test_wrong_sources_are_refused(x, options, error, message):
    with pytest.raises(error, match=message):
        small().fit(x, epochs=1, **options)


@pytest.mark.parametrize(
    ("x", "y", "error", "message"),
    [
        (DIGITS[:, :783], LABELS, dl.ShapeError, r"shape \(N, 784\), got \(300, 783\)"),
        (DIGITS.reshape(-1, 28, 28), LABELS, dl.ShapeError, r"Flatten\(\).*reshape\(len\(x\), -1"),
        (DIGITS[0], LABELS[:1], dl.ShapeError, r"one sample without the batch axis"),
        (DIGITS.T, LABELS, dl.ShapeError, r"Samples are rows here, not columns: use x.T"),
        ((DIGITS * 255).astype(np.uint8), LABELS, dl.DTypeError, r"x.astype\(np.float32\) / 255"),
        (DIGITS > 0.5, LABELS, dl.DTypeError, r"got bool. Convert it yourself"),
        (DIGITS.astype(object), LABELS, dl.DTypeError, r"got object"),
        (DIGITS, LABELS[:-1], dl.ShapeError, "x has 300 rows and y has 299"),
        (DIGITS, LABELS + 1, dl.DataError, r"got 10 in row.*Labels start at 0: use labels - 1"),
        (DIGITS, LABELS - 1, dl.DataError, r"labels must be in 0..9 .*got -1 in row"),
        (DIGITS, LABELS.astype(float), dl.DataError, r"labels must be integers, got dtype float64"),
        (DIGITS, np.eye(10)[LABELS] * 0.9, dl.DataError, "row 0 of the targets is no distr"),
        (DIGITS, np.eye(11)[LABELS], dl.ShapeError, "10 outputs, the targets have 11"),
        (DIGITS, LABELS[:, None], dl.ShapeError, r"Use labels.ravel\(\)"),
        (DIGITS, LABELS.astype(str), dl.DataError, r"np.unique\(names, return_inverse=True\)"),
    ],
)  # fmt: skip
def test_wrong_data_is_refused_and_nothing_is_lost(x, y, error, message):
    trainer = small()
    before = trainer.model.params.copy()
    for data in ({"x": x, "y": y}, {"x": DIGITS, "y": LABELS, "validation_data": (x, y)}):
        with pytest.raises(error, match=message):
            trainer.fit(**data, epochs=1)
    with pytest.raises(error, match=message):
        trainer.evaluate(x, y)
    np.testing.assert_array_equal(trainer.model.params, before)
    assert trainer.epoch == 0


def test_wrong_data_say_which_data_they_are():
    wrong = LABELS.copy()
    wrong[70] = 10
    parts = [(DIGITS[i : i + 50], wrong[i : i + 50]) for i in (0, 50)]
    with pytest.raises(dl.DataError, match="got 10 in row 20") as caught:
        small().fit(parts, epochs=1)
    assert caught.value.__notes__ == ["in batch 1 of fit"]
    with pytest.raises(dl.DataError, match="got 10 in row 20") as caught:
        small().fit(DIGITS, LABELS, epochs=1, validation_data=parts)
    assert caught.value.__notes__ == ["in batch 1 of validation_data"]
    for data in ((DIGITS, wrong), (DIGITS, LABELS, np.ones(299)), (DIGITS[:, :9], LABELS)):
        with pytest.raises(ValueError, match="got") as caught:
            small().fit(DIGITS, LABELS, epochs=1, validation_data=data)
        assert caught.value.__notes__ == ["in validation_data"]


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_nan_and_infinity_are_named_by_row_and_column(value):
    x = DIGITS.copy()
    x[123, 456] = value
    trainer = small()
    with pytest.raises(
        dl.DataError, match=r"x has (NaN|infinity) in row 123, column 456. Remove or fill"
    ):
        trainer.fit(x, LABELS, epochs=1, batch_size=64)
    assert np.isfinite(trainer.model.params).all()  # the bad batch never reached them
    with pytest.raises(dl.DataError, match="row 123, column 456"):
        trainer.evaluate(x, LABELS)


def test_divergence_is_named_and_parameters_stay_finite():
    trainer = small(optimizer=dl.SGD(1e30))
    with pytest.raises(
        dl.DivergenceError, match=r"stopped being finite in epoch 1, batch 2 \(step 2\), although"
    ):
        trainer.fit(DIGITS, LABELS, epochs=5)
    assert np.isfinite(trainer.model.params).all()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"epochs": 0}, "epochs must be a whole number of at least 1, got 0"),
        ({"epochs": 1.5}, "epochs must be a whole number"),
        ({"epochs": 1, "batch_size": 0}, "batch_size must be a whole number of at least 1, got 0"),
        ({"epochs": 1, "batch_size": "all"}, "batch_size must be a whole number"),
        (
            {"epochs": 1, "validation_split": 1.0},
            r"split must be a number in \[0, 1\), got 1.0",
        ),
        ({"epochs": 1, "validation_split": -0.5}, r"must be a number in \[0, 1\)"),
        ({"epochs": 1, "validation_split": 0.001}, "must leave rows on both sides"),
        (
            {"epochs": 1, "validation_split": 0.5, "validation_data": (DIGITS, LABELS)},
            "validation_data or validation_split, not both",
        ),
    ],
)
def test_fit_options_out_of_range_are_refused(options, message):
    with pytest.raises(dl.ArgumentError, match=message):
        small().fit(DIGITS, LABELS, **options)


@pytest.mark.parametrize(
    ("weight", "error", "message"),
    [
        (np.ones(299), dl.ShapeError, r"sample_weight: expected shape \(300,\), got \(299,\)"),
        (-np.ones(300), dl.DataError, "must be at least 0, got -1.0 in row 0"),
        (np.full(300, np.nan), dl.DataError, "sample_weight has NaN in rows 0, 1, 2"),
    ],
)
def test_wrong_weights_are_refused(weight, error, message):
    with pytest.raises(error, match=message):
        small().fit(DIGITS, LABELS, epochs=1, sample_weight=weight)


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"loss": dl.CrossEntropy}, dl.ArgumentTypeError, r"write CrossEntropy\(...\)"),
        ({"optimizer": dl.SGD}, dl.ArgumentTypeError, r"optimizer must be an inst.*class SGD"),
        ({"optimizer": 0.1}, dl.ArgumentTypeError, "optimizer must be an Optimizer, got 0.1"),
        ({"callbacks": [dl.EarlyStopping]}, dl.ArgumentTypeError, "got the class EarlyStopping"),
        ({"callbacks": dl.EarlyStopping()}, dl.ArgumentTypeError, "callbacks must be a list"),
        ({"callbacks": dl.EarlyStopping()}, dl.ArgumentTypeError, r"\[dl.EarlyStopping\(...\)\]\."),
        ({"callbacks": "stop"}, dl.ArgumentTypeError, r"write callbacks=\[dl.EarlyStopping\(\)\]"),
        ({"metrics": "accuracy"}, dl.ArgumentTypeError, r"got 'accuracy': write metrics=\[dl.acc"),
        ({"metrics": dl.accuracy}, dl.ArgumentTypeError, r"write metrics=\[dl.accuracy\]\."),
        ({"metrics": dl.Metric(len)}, dl.ArgumentTypeError, r"metrics=\[dl.Metric\(...\)\]\."),
        ({"metrics": np.mean}, dl.ArgumentTypeError, r"write metrics=\[mean\]\."),
        ({"metrics": ["accuracy"]}, dl.ArgumentTypeError, "for example dl.accuracy"),
        ({"metrics": [dl.accuracy, dl.accuracy]}, dl.ArgumentError, "need different names"),
        ({"workers": 0}, dl.ArgumentError, "workers must be a whole number"),
    ],
)  # fmt: skip
def test_wrong_parts_are_refused(options, error, message):
    with pytest.raises(error, match=message):
        small(**options)


@pytest.mark.parametrize(
    "data", [[DIGITS, LABELS], [DIGITS, LABELS, np.ones(300)], DIGITS, sp.csr_array(DIGITS)]
)
def test_validation_data_is_a_pair(data):
    message = r"validation_data must be a tuple or batches: write validation_data=\(x, y\)\."
    with pytest.raises(dl.ArgumentTypeError, match=message):
        small().fit(DIGITS, LABELS, epochs=1, validation_data=data)


def test_an_unbuilt_model_is_refused():
    with pytest.raises(dl.StateError, match=r"is not built. Call build\(input_shape\)"):
        dl.Trainer(dl.Sequential([dl.Dense(2)]), dl.CrossEntropy(), dl.SGD(0.1))


def test_float64_data_and_lists_are_converted_once():
    ours, theirs = small(), small()
    ours.fit(DIGITS.astype(np.float64), LABELS.tolist(), epochs=1)
    theirs.fit(DIGITS, LABELS.astype(np.int32), epochs=1)
    np.testing.assert_array_equal(ours.model.params, theirs.model.params)
    model = dl.Dense(1).build((1,), rng=0)
    trainer = dl.Trainer(model, dl.MeanSquaredError(), dl.SGD(0.1))
    trainer.fit([[0.0], [1.0]], [[0.0], [2.0]], epochs=1)
    assert trainer.step == 1


def test_read_only_and_memory_mapped_data(tmp_path):
    np.save(tmp_path / "x.npy", DIGITS)
    mapped = np.load(tmp_path / "x.npy", mmap_mode="r")
    labels = LABELS.copy()
    labels.flags.writeable = False
    ours, theirs = small(), small()
    ours.fit(mapped, labels, epochs=1)
    theirs.fit(DIGITS, LABELS, epochs=1)
    np.testing.assert_array_equal(ours.model.params, theirs.model.params)


@pytest.mark.parametrize("copied", [copy.deepcopy, lambda t: pickle.loads(pickle.dumps(t))])
@pytest.mark.parametrize("optimizer", [dl.SGD(0.1, momentum=0.9), dl.Adam(0.01)], ids=repr)
def test_a_copied_run_goes_on_as_the_original(copied, optimizer):
    trainer = small(optimizer=copy.deepcopy(optimizer), extra=[dl.Dropout(0.2)])
    trainer.fit(DIGITS, LABELS, epochs=1)
    twin = copied(trainer)
    trainer.fit(DIGITS, LABELS, epochs=2)
    twin.fit(DIGITS, LABELS, epochs=2)
    np.testing.assert_array_equal(twin.model.params, trainer.model.params)
    assert twin.history["loss"].tolist() == trainer.history["loss"].tolist()


def test_a_learning_rate_may_depend_on_the_step():
    rates = []

    def schedule(step):
        rates.append(step)
        return np.float64(0.1) / (1 + step)

    trainer = small(optimizer=dl.SGD(schedule))
    trainer.fit(DIGITS, LABELS, epochs=1, batch_size=100)
    assert rates == [0, 1, 2]
    assert trainer.model.params.dtype == np.float32


def test_rows_of_a_validation_split_are_numbered_as_in_the_data():
    x = DIGITS.copy()
    x[17, 5] = np.nan
    for split in (0.1, 0.9):
        with pytest.raises(dl.DataError, match=r"x has NaN in row 17, column 5"):
            small().fit(x, LABELS, epochs=1, validation_split=split)


def test_a_second_fit_holds_out_the_same_rows():
    seen = []

    class Watch(dl.Layer):
        def forward(self, x, *, training=False, out=None):
            if training:
                seen.extend(x[:, 0])
            return x

        def backward(self, dy, *, input_grad=True, out=None):
            return dy

    x = np.arange(100, dtype=np.float32).reshape(100, 1)
    model = dl.Sequential([Watch(), dl.Dense(1)]).build((1,), rng=0)
    trainer = dl.Trainer(model, dl.MeanSquaredError(), dl.SGD(1e-9), rng=0)
    for _ in range(3):
        trainer.fit(x, x, epochs=1, validation_split=0.25)
    assert len(set(seen)) == 75


def test_class_weights_do_not_change_what_validation_says():
    plain, weighted = (
        small(optimizer=dl.SGD(lambda step: 0.0)).fit(
            DIGITS, LABELS, epochs=1, validation_split=0.5, class_weight=weight
        )
        for weight in (None, {3: 9.0})
    )
    assert weighted["val_loss"] == plain["val_loss"]
    assert weighted["loss"] != plain["loss"]


def test_infinity_is_found_where_an_activation_hides_it():
    x = DIGITS.copy()
    x[123, 456] = np.inf
    model = dl.Sequential([dl.Dense(5), dl.Tanh(), dl.Dense(10), dl.Softmax()]).build((784,), rng=0)
    trainer = dl.Trainer(model, dl.CrossEntropy(), dl.SGD(0.1))
    for call in (trainer.evaluate, trainer.objective.value_and_grad, trainer.objective.value):
        with pytest.raises(dl.DataError, match="x has infinity in row 123, column 456"):
            call(x, LABELS)
    with pytest.raises(dl.DataError, match="validation_data: x has infinity in row 123"):
        trainer.fit(DIGITS, LABELS, epochs=1, validation_data=(x, LABELS))


def test_evaluating_broken_parameters_is_explained():
    trainer = small()
    trainer.model.params *= np.nan
    with pytest.raises(dl.DivergenceError, match=r"Origin: weight of Dense\(10\) in layer 0 of"):
        trainer.evaluate(DIGITS, LABELS)


def test_a_bad_batch_does_not_reach_the_state():
    class RunningMean(dl.Layer):
        def state_specs(self, input_shape):
            return [dl.ParameterSpec("mean", input_shape, dl.Zeros())]

        def forward(self, x, *, training=False, out=None):
            if training:
                self.mean = x.mean(axis=0)
            return x

        def backward(self, dy, *, input_grad=True, out=None):
            return dy

    x = DIGITS.copy()
    x[299, 0] = np.nan
    model = dl.Sequential([RunningMean(), dl.Dense(10), dl.Softmax()]).build((784,), rng=0)
    with pytest.raises(dl.DataError, match="row 299, column 0"):
        dl.Trainer(model, dl.CrossEntropy(), dl.SGD(0.1)).fit(x, LABELS, epochs=1, shuffle=False)
    assert np.isfinite(model.state).all()
    assert model.state.any()


def test_data_of_any_memory_order():
    ours, theirs = small(), small()
    ours.fit(np.asfortranarray(DIGITS), LABELS, epochs=1)
    theirs.fit(DIGITS, LABELS, epochs=1)
    np.testing.assert_array_equal(ours.model.params, theirs.model.params)


def test_single_rows_of_logits_are_not_taken_for_probabilities():
    model = dl.Dense(2).build((1,), dtype=np.float64)
    model.params = [0, 0, 0.25, 0.75]  # whatever x, the logits look like a distribution
    trainer = dl.Trainer(model, dl.CrossEntropy(from_logits=True), dl.SGD(1e-9))
    trainer.fit(np.zeros((5, 1)), [0, 1, 0, 1, 0], epochs=1, batch_size=1)
    assert trainer.step == 5


def test_probabilities_of_a_model_that_ends_in_logits():
    seen = []
    metric = dl.Metric(lambda y_true, p: seen.append(p) or 0.0, needs="probabilities", name="m")
    for last, loss in ((None, dl.CrossEntropy(from_logits=True)), (dl.Softmax, dl.CrossEntropy())):
        small(last=last, loss=loss, metrics=[metric]).evaluate(DIGITS, LABELS)
    np.testing.assert_allclose(seen[0], seen[1], rtol=1e-6)
    np.testing.assert_allclose(seen[0].sum(axis=1), 1, rtol=1e-6)


def test_accuracy_of_numbers_is_an_error():
    model = dl.Dense(1).build((784,), rng=0)
    trainer = dl.Trainer(model, dl.MeanSquaredError(), dl.SGD(1e-3), metrics=[dl.accuracy])
    with pytest.raises(dl.DataError, match="accuracy: compares labels, but y_pred has numbers"):
        trainer.evaluate(DIGITS, np.zeros((300, 1)))


def test_a_step_allocates_nothing_the_size_of_an_activation():
    import tracemalloc

    peaks = []

    class Measure(dl.Callback):
        def on_batch_end(self, trainer, loss):
            peaks.append(tracemalloc.get_traced_memory()[1] - tracemalloc.get_traced_memory()[0])
            tracemalloc.reset_peak()

    layers = [dl.Dense(400), dl.ReLU(), dl.Dense(300), dl.ReLU(), dl.Dense(10), dl.Softmax()]
    model = dl.Sequential(layers).build((784,), rng=0)
    optimizer = dl.Adam(0.001, weight_decay=0.1)
    trainer = dl.Trainer(model, dl.CrossEntropy(), optimizer, callbacks=[Measure()], rng=0)
    tracemalloc.start()
    try:
        trainer.fit(DIGITS, LABELS, epochs=3, batch_size=50)
    finally:
        tracemalloc.stop()
    assert max(peaks[7:]) < 50 * 300 * 4  # the smaller activation; weights are larger still
