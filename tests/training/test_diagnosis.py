"""Where a loss stopped being finite, and what the message says of it."""

import copy
import re

import numpy as np
import pytest
import scipy.sparse as sp

import minidl as dl
from minidl.training import diagnosis, rerun
from minidl.training.repeatable import RepeatablePass
from minidl.training.sources import ArraySource

RNG = np.random.default_rng(0)
X = RNG.normal(size=(96, 5)).astype(np.float32)
LABELS = RNG.integers(0, 3, 96)
Y = RNG.normal(size=(96, 1)).astype(np.float32)


BAD_ROWS = []  # of every pass through Exp, also in replicas


class Exp(dl.Layer):
    """Overflows above 88."""

    def __init__(self, scale=1.0):
        self.scale = scale

    def forward(self, x, *, training=False, out=None):
        y = np.exp(x * self.scale)
        if training:
            self.save_for_backward(y)
        BAD_ROWS.append(np.flatnonzero(~np.isfinite(y).all(axis=1)))
        return y

    def backward(self, dy, *, input_grad=True, out=None):
        (y,) = self.saved()
        return dy * y * self.scale


class Sqrt(dl.Layer):
    """Its derivative at 0 is infinite, and 0 times that is NaN."""

    def forward(self, x, *, training=False, out=None):
        y = np.sqrt(x)
        if training:
            self.save_for_backward(y)
        return y

    def backward(self, dy, *, input_grad=True, out=None):
        (y,) = self.saved()
        return dy * (0.5 / y)


class Log(dl.Loss):
    """Cross-entropy as beginners write it."""

    def per_sample(self, prediction, target):
        values = -(target * np.log(prediction)).sum(axis=1)
        return values, -target / np.maximum(prediction, 1e-6)


class InfiniteGradient(dl.Loss):
    def per_sample(self, prediction, target):
        gradient = np.ones_like(prediction)
        gradient[3] = np.inf
        return np.ones(len(prediction)), gradient


class BrokenBias(dl.Layer):
    """Its gradient is NaN, and what it passes back is not."""

    def parameter_specs(self, input_shape):
        return [dl.ParameterSpec("shift", input_shape, dl.Zeros())]

    def forward(self, x, *, training=False, out=None):
        return x + self.shift

    def backward(self, dy, *, input_grad=True, out=None):
        self.gradients["shift"] = np.log(-np.ones_like(dy[0]))
        return dy


def message_of(layers, x=X, y=LABELS, *, shape=(5,), loss=None, optimizer=None, **options):
    """The error of a fit, without shuffling."""
    model = layers if isinstance(layers, dl.Layer) else dl.Sequential(layers)
    if not model.built:
        model.build(shape, rng=0)
    trainer = dl.Trainer(model, loss or dl.CrossEntropy(), optimizer or dl.SGD(0.1), rng=0)
    options = {"epochs": 1, "shuffle": False} | options
    with pytest.raises(dl.DivergenceError, match=r"stopped being finite|validation_data") as caught:
        trainer.fit(x, y, **options)
    return str(caught.value)


def origin_of(*arguments, **options):
    lines = message_of(*arguments, **options).splitlines()
    return next(line for line in lines if line.startswith("Origin: ")).removeprefix("Origin: ")


def test_the_whole_message_of_an_overflow_in_a_layer():
    x = X.copy()
    x[[40, 50]] = 30.0
    ones, twos = dl.Ones(), dl.Constant(2.0)
    layers = [dl.Dense(4, weight_initializer=ones), Exp(), dl.Dense(3, weight_initializer=twos)]
    message = message_of([*layers, dl.Softmax()], x, optimizer=dl.SGD(1e-9))
    assert re.sub(r"norm .* was [0-9.e+-]+\.\n", "norm of the one before was 1.\n", message) == (
        "Trainer: the loss or its gradient stopped being finite in epoch 1, batch 2 (step 2), "
        "although x and y are finite. The loss is nan.\n"
        "Origin: the output of Exp() in layer 1 of Sequential: overflow encountered in exp, in 2 "
        "of 32 rows (row 40, 50 of x).\n"
        "Largest parameter: 2, in weight of Dense(3, weight_initializer=Constant(value=2.0)) in "
        "layer 2 of Sequential.\n"
        "Largest gradient: none that is finite; the norm of the one before was 1.\n"
        "What helps: bound the argument of exp, or subtract the largest one first: exp(89) is "
        "infinite in float32.\n"
        "This step has changed no parameter."
    )


def test_the_norm_before_is_that_of_the_last_good_gradient():
    norms = []
    run = dl.Trainer(
        dl.Sequential([dl.Dense(4), Exp(), dl.Dense(1)]).build((5,), rng=0),
        dl.MeanSquaredError(),
        dl.SGD(1e-3),
    )

    class Norms(dl.Callback):
        def on_batch_end(self, trainer, loss):
            norms.append(np.linalg.norm(trainer.model.grads))

    run.callbacks = [Norms()]
    x = X.copy()
    x[70] = 1e3
    with pytest.raises(dl.DivergenceError, match=r"batch 3 \(step 3\)") as caught:
        run.fit(x, Y, epochs=1, shuffle=False)
    assert f"the norm of the one before was {norms[1]:.3g}.\n" in str(caught.value)
    assert len(norms) == 2


@pytest.mark.parametrize(
    ("layers", "origin"),
    [
        ([Exp(1e3)], "Exp(scale=1000.0) in layer 1 of Sequential"),
        (
            [dl.Residual(dl.Sequential([dl.Dense(4), Exp(1e3)]))],
            "Exp(scale=1000.0) in layer 1 of Sequential in layer 0 of Residual in layer 1 of "
            "Sequential",
        ),
        ([dl.Sequential([Exp(1e3)])], "Exp(scale=1000.0) in layer 0 of Sequential in layer 1 of "),
        ([dl.Parallel([dl.Dense(4), Exp(1e3)])], "Exp(scale=1000.0) in layer 1 of Parallel in "),
    ],
)
def test_layers_inside_of_others_are_named(layers, origin):
    found = origin_of([dl.Dense(4), *layers, dl.Dense(3), dl.Softmax()])
    assert found.startswith(f"the output of {origin}")
    assert "overflow encountered in exp" in found


def test_a_sum_of_finite_parts_is_the_fault_of_the_container():
    big = dl.Dense(5, weight_initializer=dl.Constant(2e37), bias_initializer=dl.Constant(2e38))
    body, shortcut = big, dl.Dense(5, bias_initializer=dl.Constant(2e38))
    found = origin_of([dl.Residual(body, shortcut), dl.Dense(3), dl.Softmax()], np.abs(X) / 1e3)
    assert found.startswith("the output of Residual in layer 0 of Sequential: overflow ")
    assert "in 32 of 32 rows." in found


def test_gradients_that_grow_with_every_step_of_a_sequence():
    x = np.zeros((8, 200, 2), np.float32)
    model = dl.Sequential([dl.Bidirectional(dl.SimpleRNN(4)), dl.Dense(1)]).build((200, 2), rng=0)
    model.layers[0].backward_layer.recurrent_weight = 2 * np.eye(4)  # 2^200 is too much for float32
    message = message_of(model, x, Y[:8], loss=dl.MeanSquaredError())
    place = "SimpleRNN(4) in layer 1 of Bidirectional in layer 0 of Sequential: overflow enc"
    assert f"Origin: the gradient of weight in {place}" in message


def test_origins_in_the_loss():
    targets = np.eye(3, dtype=np.float32)[LABELS]
    found = origin_of([dl.Dense(3), dl.ReLU()], y=targets, loss=Log())
    assert found == "the value of Log(): divide by zero encountered in log."
    found = origin_of([dl.Dense(1)], y=Y, loss=InfiniteGradient())
    assert found == (
        "the gradient of InfiniteGradient() at the model's output, in 1 of 32 rows (row 3 of x)."
    )


def test_origins_in_backward():
    layers = [dl.Dense(4), dl.ReLU(), Sqrt(), dl.Dense(3), dl.Softmax()]
    message = message_of(layers)
    assert (
        "Origin: the gradient at the input of Sqrt() in layer 2 of Sequential: divide by" in message
    )
    assert re.search(r"divide by zero encountered in divide, in \d+ of 32 rows", message)
    assert "What helps: add a small number, such as 1e-7, to what is divided by" in message
    largest = message.split("Largest gradient: ")[1].split(".\n")[0]
    assert largest.endswith("of Dense(3) in layer 3 of Sequential")
    found = origin_of([dl.Dense(4), BrokenBias(), dl.Dense(3), dl.Softmax()])
    assert found == (
        "the gradient of shift in BrokenBias() in layer 1 of Sequential: invalid value encountered "
        "in log."
    )


@pytest.mark.parametrize(("value", "kind"), [(np.nan, "NaN"), (np.inf, "infinity")])
def test_broken_parameters_are_named_before_anything_is_computed(value, kind):
    model = dl.Sequential([dl.Dense(4), dl.ReLU(), dl.Dense(3), dl.Softmax()]).build((5,), rng=0)
    model.layers[2].weight[1, 2] = value
    message = message_of(model)
    assert (
        f"Origin: weight of Dense(3) in layer 2 of Sequential itself, which has {kind}." in message
    )
    assert "What helps: assign finite values, or build the model anew.\n" in message
    model = dl.Sequential([dl.BatchNorm(), dl.Dense(3), dl.Softmax()]).build((5,), rng=0)
    model.layers[0].running_mean = np.full(5, value)
    trainer = dl.Trainer(model, dl.CrossEntropy(), dl.SGD(0.1))
    text = f"Origin: running_mean of BatchNorm.. in layer 0 of Sequential itself, which has {kind}"
    with pytest.raises(dl.DivergenceError, match=text):
        trainer.evaluate(X, LABELS)


def test_a_learning_rate_that_is_too_high():
    layers = [dl.Dense(8), dl.ReLU(), dl.Dense(3), dl.Softmax()]
    message = message_of(layers, optimizer=dl.SGD(1e30), epochs=9)
    assert "overflow encountered in matmul" in message
    assert "smaller learning rate, such as 0.1 instead of 1e+30; clip_norm=1.0" in message
    assert "x has" not in message
    slow = dl.SGD(0.5, momentum=0.99)
    message = message_of(
        [dl.Dense(1)], X * 9, Y, loss=dl.MeanSquaredError(), optimizer=slow, epochs=99
    )
    assert "such as 0.05 instead of 0.5" in message


def test_initial_values_that_are_too_large():
    layers = [dl.Dense(8, weight_initializer=dl.Constant(6e30)), dl.Dense(3), dl.Softmax()]
    layers[1].weight_initializer = dl.Constant(6e30)
    message = message_of(layers)
    assert "Largest parameter: 6e+30, in weight of Dense(" in message
    assert "What helps: smaller initial values, such as HeNormal()" in message


@pytest.mark.parametrize("optimizer", [dl.SGD(0.01), dl.SGD(1e-30)], ids=repr)
def test_an_outlier_in_the_data_is_named_also_where_it_spoiled_an_earlier_batch(optimizer):
    x, y = X.copy(), Y.copy()
    x[7, 2], y[8] = -1e30, 2e25
    layers = [dl.Dense(4), dl.ReLU(), dl.Dense(1)]
    for options in ({}, {"validation_split": 0.2}):
        message = message_of(
            layers, x, y, loss=dl.MeanSquaredError(), optimizer=optimizer, epochs=9, **options
        )
        layers = [dl.Dense(4), dl.ReLU(), dl.Dense(1)]
        assert (
            "x has -1e+30 in row 7: mend it if it is wrong, or scale x, for example with" in message
        )
        y_text = "y has 2e+25 in row 8: mend it if it is wrong, or scale y, for example by its"
        assert (y_text in message) == (not options)  # the split holds row 8 out
    message = message_of(
        [dl.Dense(1)],
        [(x[:5], y[:5]), (x[5:], y[5:])],
        None,
        loss=dl.MeanSquaredError(),
        shuffle=True,
    )
    assert "x has -1e+30 in row 7" in message


def test_values_up_to_a_thousand_are_no_outliers():
    x = X.copy()
    for value, named in ((diagnosis.LARGE, False), (1.01 * diagnosis.LARGE, True)):
        x[7, 2] = value
        first = dl.Dense(4, weight_initializer=dl.Ones())
        message = message_of([first, Exp(), dl.Dense(3), dl.Softmax()], x)
        assert ("x has 1.01e+03 in row 7" in message) == named
        assert ("x has" in message) == named


def test_sparse_rows_and_indices():
    x = sp.csr_array(np.where(X > 0, X, 0))
    found = origin_of([dl.Dense(4), Exp(1e3), dl.Dense(3), dl.Softmax()], x)
    assert found.startswith("the output of Exp(scale=1000.0) in layer 1")
    indices = RNG.integers(0, 5000, (96, 7))
    message = message_of(
        [dl.Embedding(5000, 4), dl.Flatten(), Exp(1e6), dl.Dense(3), dl.Softmax()],
        indices,
        shape=(7,),
    )
    assert "Origin: the output of Exp(scale=1000000.0) in layer 2" in message
    assert "x has" not in message


@pytest.mark.parametrize(
    ("batch_size", "chunk_rows"),
    [(48, 64), (48, 48), (96, 64)],
    ids=["in one", "just", "in chunks"],
)
def test_random_layers_draw_again_what_they_drew(batch_size, chunk_rows):
    layers = [dl.Dense(20), dl.Dropout(0.9), Exp(20.0), dl.Dense(3), dl.Softmax()]
    model = dl.Sequential(layers).build((5,), rng=0)
    trainer = dl.Trainer(model, dl.CrossEntropy(), dl.SGD(1e-30), rng=0)
    trainer.objective.chunk_rows = chunk_rows
    for _ in range(2):  # before and after the first draw
        BAD_ROWS.clear()
        before, passes = layers[1]._rng, model._chunked_passes
        before = before and before.bit_generator.state
        with pytest.raises(dl.DivergenceError, match="overflow encountered in exp") as caught:
            trainer.fit(X, LABELS, epochs=1, batch_size=batch_size, shuffle=False)
        first = BAD_ROWS[0]
        assert 5 < len(first) < 48
        np.testing.assert_array_equal(BAD_ROWS[-1], first)
        assert f"in {len(first)} of {min(batch_size, 64)} rows (row {first[0]}, {first[1]}, " in (
            str(caught.value)
        )
        assert model._chunked_passes == passes
        after = layers[1]._rng
        assert (after and after.bit_generator.state) == before
        layers[1].rng.random(3)


def test_batches_that_cannot_be_cut_are_run_in_one_piece():
    layers = [dl.Dense(4), dl.BatchNorm(), Exp(50.0), dl.Dense(3), dl.Softmax()]
    model = dl.Sequential(layers).build((5,), rng=0)
    trainer = dl.Trainer(model, dl.CrossEntropy(), dl.SGD(0.1), rng=0)
    trainer.objective.chunk_rows = 40
    BAD_ROWS.clear()
    with pytest.raises(dl.DivergenceError, match="of 96 rows"):
        trainer.fit(X, LABELS, epochs=1, batch_size=96, shuffle=False)
    np.testing.assert_array_equal(BAD_ROWS[0], BAD_ROWS[1])


def test_the_search_holds_blas_to_one_thread(monkeypatch):
    held = []
    real = rerun.at_most_blas_threads
    monkeypatch.setattr(rerun, "at_most_blas_threads", lambda most: held.append(most) or real(most))
    message_of([dl.Dense(4), Exp(1e3), dl.Dense(3), dl.Softmax()])
    assert held == [1]


def test_wrong_data_are_an_error_of_their_own():
    x = X.copy()
    x[70, 1] = np.nan
    layers = [dl.Dense(4), Exp(), dl.Dense(3), dl.Softmax()]
    trainer = dl.Trainer(
        dl.Sequential(layers).build((5,), rng=0), dl.CrossEntropy(), dl.SGD(1e-6), rng=0
    )
    with pytest.raises(dl.DataError, match=r"fit: x has NaN in row 70, column 1\."):
        trainer.fit(x, LABELS, epochs=1)
    with pytest.raises(dl.DataError, match=r"evaluate: x has NaN in row 70, column 1\."):
        trainer.evaluate(x, LABELS)


@pytest.mark.parametrize(
    ("bad", "named"), [(5, "10, 11, 12, 13, 14"), (6, "10, 11, 12, 13, 14, ...")]
)
def test_up_to_five_rows_are_named(bad, named):
    x = X.copy()
    x[10 : 10 + bad] = 40.0
    first = dl.Dense(4, weight_initializer=dl.Ones())
    found = origin_of([first, Exp(), dl.Dense(3), dl.Softmax()], x)
    assert found.endswith(f"in {bad} of 32 rows (row {named} of x).")


@pytest.mark.parametrize(("weight", "advised"), [(1.0, False), (1000.0, False), (-1001.0, True)])
def test_large_parameters_are_part_of_the_advice(weight, advised):
    last = dl.Dense(3, weight_initializer=dl.Constant(weight))
    message = message_of([dl.Dense(4), Exp(1e3), last, dl.Softmax()])
    assert "What helps: bound the argument of exp" in message
    assert ("; smaller initial values" in message) == advised
    if advised:
        assert f"Largest parameter: {-weight:.3g}, in weight of Dense(3" in message


def test_without_evidence_there_is_general_advice():
    message = message_of([dl.Dense(1)], y=Y, loss=InfiniteGradient())
    assert "What helps: smaller initial values, such as HeNormal(); check_layer for" in message


def test_a_model_without_parameters():
    model = dl.Sequential([Exp(1e3), dl.Softmax()]).build((5,), rng=0)
    trainer = dl.Trainer(model, dl.CrossEntropy(), dl.SGD(0.1))
    with pytest.raises(dl.DivergenceError, match=r"Largest parameter: none that is finite\.\n"):
        trainer.evaluate(X, LABELS)


def test_a_later_chunk_is_found_and_its_rows_counted_from_the_first():
    x = X.copy()
    x[70] = 1e3
    model = dl.Sequential([dl.Dense(4), dl.Dropout(0.1), Exp(), dl.Dense(3), dl.Softmax()])
    trainer = dl.Trainer(model.build((5,), rng=0), dl.CrossEntropy(), dl.SGD(0.1), rng=0)
    trainer.objective.chunk_rows = 64
    with pytest.raises(dl.DivergenceError, match=r"in 1 of 32 rows \(row 70 of x\)"):
        trainer.fit(x, LABELS, epochs=1, batch_size=96, shuffle=False)


def test_everything_is_put_back():
    layers = [dl.Dense(4), dl.BatchNorm(), dl.Dropout(0.5), dl.Residual(dl.Dense(4)), dl.Dense(1)]
    model = dl.Sequential(layers).build((5,), rng=0)
    loss = dl.MeanSquaredError()
    trainer = dl.Trainer(model, loss, dl.SGD(1e-3), rng=0)
    trainer.fit(X, Y, epochs=1)
    before = model.params.copy(), model.state.copy(), layers[2].rng.bit_generator.state
    chains = model.layers[3].bound.chains
    for _ in range(2):
        with pytest.raises(dl.DivergenceError, match=r"the value of Mean.*overflow"):
            trainer.fit(X, Y * 1e30, epochs=1)
        np.testing.assert_array_equal(model.params, before[0])
        np.testing.assert_array_equal(model.state, before[1])
        assert layers[2].rng.bit_generator.state == before[2]
    for layer in model.walk():
        assert not {"_forward", "_backward"} & set(vars(layer))
    assert model.layers[3].bound.chains is chains
    assert trainer.objective._loss is loss
    with pytest.raises(dl.StateError, match="backward needs a training forward"):
        model.layers[4].saved()
    trainer.fit(X, Y, epochs=1)  # and training goes on
    assert trainer.epoch == 2


def test_a_pass_that_cannot_be_repeated_is_said_to_be_one():
    class Moody(dl.Layer):
        def __init__(self):
            self.calls = 0

        def forward(self, x, *, training=False, out=None):
            self.calls += 1
            return x * np.nan if self.calls == 1 else x

        def backward(self, dy, *, input_grad=True, out=None):
            return dy

    assert origin_of([dl.Dense(3), Moody(), dl.Softmax()]).startswith(
        "not found. When the batch was run again, layer by layer, every result was finite"
    )


class Overflows(dl.Layer):
    """In one of its passes, without any harm."""

    def __init__(self, place):
        self.place = place

    def forward(self, x, *, training=False, out=None):
        if self.place == "forward":
            np.exp(1e4 * np.ones_like(x))
        return x

    def backward(self, dy, *, input_grad=True, out=None):
        if self.place == "backward":
            np.exp(1e4 * np.ones_like(dy))
        return dy


@pytest.mark.parametrize("place", ["forward", "backward"])
def test_what_overflows_and_does_no_harm_is_not_blamed(place):
    found = origin_of([dl.Dense(4), BrokenBias(), Overflows(place), dl.Dense(3), dl.Softmax()])
    assert found.endswith(
        "BrokenBias() in layer 1 of Sequential: invalid value encountered in log."
    )


@pytest.mark.parametrize("rows", [5, 96])
def test_evaluation_is_diagnosed_too(rows):
    model = dl.Sequential([dl.Dense(4), Exp(), dl.Dense(3), dl.Softmax()]).build((5,), rng=0)
    trainer = dl.Trainer(model, dl.CrossEntropy(), dl.SGD(0.1), rng=0)
    trainer.objective.chunk_rows = 40
    x = X[:rows].copy()
    x[rows - 1] = 1e3
    before = model.params.copy()
    with pytest.raises(dl.DivergenceError, match=r"^evaluate: the loss is nan, although") as caught:
        trainer.evaluate(x, LABELS[:rows])
    lines = str(caught.value).splitlines()
    assert lines[1] == (
        "Origin: the output of Exp() in layer 1 of Sequential: overflow encountered in exp, in 1 "
        f"of {5 if rows == 5 else 16} rows (row {rows - 1} of x)."
    )
    assert lines[-1].startswith("What helps: bound the argument of exp")
    np.testing.assert_array_equal(model.params, before)
    with pytest.raises(dl.DivergenceError, match="validation_data: the loss is nan"):
        trainer.fit(X, LABELS, epochs=1, validation_data=(x, LABELS[:rows]))
    assert trainer.epoch == 0


def test_rows_are_numbered_as_in_the_data():
    x = X.copy()
    x[[11, 95]] = 40.0
    layers = [dl.Dense(4, weight_initializer=dl.Ones()), Exp(), dl.Dense(3), dl.Softmax()]
    found = origin_of(layers, x, shuffle=True, batch_size=95)
    assert "(row 11, 95 of x)" in found or "(row 11 of x)" in found or "(row 95 of x)" in found
    layers = [dl.Dense(4, weight_initializer=dl.Ones()), Exp(), dl.Dense(3), dl.Softmax()]
    x[20:26] = 40.0
    found = origin_of(layers, x, batch_size=90)
    assert "in 7 of 90 rows (row 11, 20, 21, 22, 23, ... of x)." in found


def test_loops_by_hand_can_ask_where_it_was():
    x = X.copy()
    x[70] = 1e3
    layers = [dl.Dense(4), dl.Dropout(0.5), dl.BatchNorm(), Exp(1e3), dl.Dense(3), dl.Softmax()]
    model = dl.Sequential(layers).build((5,), rng=0)
    loss = dl.CrossEntropy()
    before = model.params.copy(), model.state.copy()
    texts = [dl.find_non_finite(model, loss, x, LABELS) for _ in range(2)]
    assert texts[0] == texts[1]  # the same draws, because nothing is changed by it
    assert texts[0].startswith("Origin: the output of Exp(scale=1000.0) in layer 3 of Sequential: ")
    assert "of 96 rows (row " in texts[0]
    np.testing.assert_array_equal(model.params, before[0])
    np.testing.assert_array_equal(model.state, before[1])
    assert layers[1]._rng is None
    assert dl.find_non_finite(model, loss, x, LABELS, sample_weight=np.ones(96)) == texts[0]
    x[5, 2] = np.nan
    with pytest.raises(dl.DataError, match="find_non_finite: x has NaN in row 5, column 2"):
        dl.find_non_finite(model, loss, x, LABELS)
    model.layers[4].weight[0, 0] = np.inf
    assert dl.find_non_finite(model, loss, X, LABELS) == (
        "Origin: weight of Dense(3) in layer 4 of Sequential itself, which has infinity."
    )
    healthy = dl.Sequential([dl.Dense(3), dl.Softmax()]).build((5,), rng=0)
    assert dl.find_non_finite(healthy, loss, X, LABELS) == ""


def test_a_repeatable_pass():
    layers = [dl.Dropout(0.5), dl.BatchNorm(), dl.Dropout(0.5)]
    model = dl.Sequential(layers).build((5,), rng=0)
    layers[2].rng.random(3)
    this_pass = RepeatablePass(model)
    outputs = []
    for _ in range(2):
        this_pass.begin()
        for _ in range(2):
            outputs.append(model.forward(X, training=True))
            this_pass.put_back()
            assert layers[0]._rng is None
        assert not model.state[:5].any()
    for output in outputs[1:]:
        np.testing.assert_array_equal(output, outputs[0])
    model.grads = np.full(10, 3.0)
    assert this_pass.is_finite(1.0)
    assert this_pass.squares == 90.0
    for loss, grads in ((np.nan, np.ones(10)), (1.0, [*np.ones(9), np.inf]), (np.inf, np.ones(10))):
        model.grads = grads
        assert not this_pass.is_finite(loss)
        assert this_pass.squares == 90.0
    model.grads = np.full(10, 1e30)  # of which the squares overflow
    assert this_pass.is_finite(1.0)
    assert this_pass.squares == np.inf


def test_a_norm_that_overflows_is_said_to_be_large():
    x = X.copy()
    x[2] = 1e25
    message = message_of([dl.Dense(4), dl.ReLU(), dl.Dense(3), dl.Softmax()], x, epochs=3)
    assert "the norm of the one before was above 1e19." in message


def test_the_search_ends_at_the_first_result_that_is_not_finite():
    model = dl.Sequential([dl.Dense(4), Exp(1e3), dl.Dense(3), dl.Softmax()]).build((5,), rng=0)
    objective = dl.Objective(model, dl.CrossEntropy(), chunk_rows=40)
    BAD_ROWS.clear()
    (batch,) = ArraySource(objective, X, LABELS).batches(96, None)
    found = rerun.origin_of(objective, batch)
    assert found.result == "the output of Exp(scale=1000.0) in layer 1 of Sequential"
    assert len(BAD_ROWS) == 1
    assert found.rows.tolist() == BAD_ROWS[0].tolist()


class BrokenPenalty(dl.L2):
    """Of value and gradient one is not finite."""

    broken = ""

    def value(self, w):
        return np.inf if self.broken == "value" else 0.0

    def add_gradient(self, w, out):
        if self.broken == "gradient":
            out[0] = np.nan


@pytest.mark.parametrize("chunk_rows", [40, 400])
@pytest.mark.parametrize("broken", ["value", "gradient"])
def test_a_penalty_is_named(broken, chunk_rows, monkeypatch):
    monkeypatch.setattr(BrokenPenalty, "broken", broken)
    penalties = [dl.L2(0.1), BrokenPenalty(0.1)]
    layers = [dl.Dense(4, weight_penalty=penalty) for penalty in penalties]
    model = dl.Sequential([*layers, dl.Dense(3)]).build((5,), rng=0)
    x, y = np.ones((100, 5), np.float32), np.zeros((100, 3))
    origin = (
        f"Origin: the {broken} of BrokenPenalty(strength=0.1) for weight of Dense(4, "
        "weight_penalty=BrokenPenalty(strength=0.1)) in layer 1 of Sequential."
    )
    assert dl.find_non_finite(model, dl.MeanSquaredError(), x, y) == origin
    trainer = dl.Trainer(model, dl.MeanSquaredError(), dl.SGD(0.1))
    trainer.objective.chunk_rows = chunk_rows
    with pytest.raises(dl.DivergenceError, match=re.escape(origin)):
        trainer.fit(x, y, epochs=1, batch_size=100)
    layers[1].trainable = False  # its penalty is left out
    assert dl.find_non_finite(model, dl.MeanSquaredError(), x, y) == ""
    layers[1].trainable = True

    more = [np.nan]

    class NotTwice(dl.MeanSquaredError):
        def per_sample(self, prediction, target):
            values, gradient = super().per_sample(prediction, target)
            return values + (more.pop() if more else 0.0), gradient

    trainer = dl.Trainer(model, NotTwice(), dl.SGD(0.1))
    with pytest.raises(dl.DivergenceError, match="Origin: not found"):  # penalties do not count
        trainer.evaluate(x, y)


@pytest.mark.parametrize("epochs", [1, 2])
def test_a_step_that_spoils_parameters_is_no_silent_end(epochs):
    """Of a fit without validation data, whose loss was computed before that step."""
    model = dl.Sequential([dl.Dense(4), dl.ReLU(), dl.Dense(1)]).build((5,), rng=0)
    rates = [0.1] * (3 * epochs - 1) + [1e39]  # more than float32 holds, and no RuntimeWarning
    trainer = dl.Trainer(model, dl.MeanSquaredError(), dl.SGD(lambda step: rates[step]), rng=0)
    with pytest.raises(dl.DivergenceError, match="parameters are not finite") as caught:
        trainer.fit(X, Y, epochs=epochs)
    gradient = np.abs(model.grads)
    place = "weight of Dense(1) in layer 2" if gradient.argmax() >= 24 else ""
    lines = str(caught.value).splitlines()
    assert lines[:2] == [
        f"Trainer: after the last step of epoch {epochs} (step {3 * epochs}), parameters are not "
        "finite, although the loss and its gradient were.",
        "Origin: weight of Dense(4) in layer 0 of Sequential itself, which has infinity.",
    ]
    assert lines[2].startswith(f"Largest gradient: {gradient.max():.3g}, in {place}")
    assert lines[3:] == [
        "What helps: assign finite values, or build the model anew; a smaller learning rate; "
        "clip_norm=1.0 in the optimizer."
    ]
    assert trainer.epoch == trainer.history.epochs == epochs - 1


def test_parameters_that_a_step_before_has_spoiled():
    layers = [dl.Dense(4), dl.ReLU(), dl.Dense(1)]
    message = message_of(layers, y=Y, loss=dl.MeanSquaredError(), optimizer=dl.Adam(1e39))
    assert "Origin: weight of Dense(4) in layer 0 of Sequential itself, which has inf" in message
    assert (
        "What helps: assign finite values, or build the model anew; a smaller learning rate, such "
        "as 0.1 instead of 1e+39; clip_norm=1.0 in the optimizer.\n"
    ) in message


@pytest.mark.parametrize("clipping", [{"clip_norm": 1.0}, {"clip_value": 1.0}])
def test_clipping_is_not_advised_where_it_is_done_already(clipping):
    layers = [dl.Dense(8), dl.ReLU(), dl.Dense(3), dl.Softmax()]
    message = message_of(layers, optimizer=dl.SGD(1e38, **clipping), epochs=9)
    assert "What helps: a smaller learning rate, such as 0.1 instead of 1e+38.\n" in message


def test_a_schedule_that_has_ended_is_no_example():
    layers = [dl.Dense(8), dl.ReLU(), dl.Dense(3), dl.Softmax()]
    optimizer = dl.SGD(lambda step: 0.0 if step else 1e30)
    message = message_of(layers, optimizer=optimizer, epochs=2)
    assert "What helps: a smaller learning rate; clip_norm=1.0 in the optimizer.\n" in message


@pytest.mark.parametrize(
    ("penalty", "initial", "trainable", "named"),
    [
        (dl.L2(51.0), 1.0, True, True),
        (dl.L2(50.0), 1.0, True, False),
        (dl.L2(51.0), 1.0, False, False),
        (dl.L1(9.0), -0.05, True, True),
        (dl.L1(4.0), -0.05, True, False),
    ],
)
def test_penalties_that_turn_weights_round_are_named(penalty, initial, trainable, named):
    """At a tenth of the learning rate, 0.1: L2(s) takes 0.01 * 2 s of every weight."""
    held = dl.Dense(5, weight_penalty=penalty, weight_initializer=dl.Constant(initial))
    held.trainable = trainable
    message = message_of([held, dl.Dense(1)], y=Y, loss=InfiniteGradient())
    advice = f"a weaker penalty than {penalty} for weight of Dense(5, "
    assert (f"What helps: {advice}" in message) == (advice in message) == named
    assert f"{'; ' if named else 'What helps: '}smaller initial values, such as HeN" in message


def test_outliers_in_sparse_rows_are_named():
    x = np.where(X > 0, X, 0)
    x[7, 2], x[50, 1] = -1e30, 1e29
    layers = [dl.Dense(4), dl.ReLU(), dl.Dense(1)]
    for options in ({}, {"validation_split": 0.2}):
        message = message_of(
            [*map(copy.deepcopy, layers)], sp.csr_array(x), Y, loss=dl.MeanSquaredError(), **options
        )
        assert (
            "What helps: x has -1e+30 in row 7: mend it if it is wrong, or scale x, for example by "
            "its standard deviation.\n"
        ) in message
    empty = sp.csr_array((96, 5), dtype=np.float32)
    message = message_of([dl.Dense(1)], empty, Y, loss=InfiniteGradient())
    assert "x has" not in message


def test_formulas_of_the_library_are_not_advised_to_be_mended():
    y = np.abs(np.round(Y))
    message = message_of([dl.Dense(1)], X * 500, y, loss=dl.Poisson(), optimizer=dl.SGD(1.0))
    assert "Origin: the value of Poisson(): overflow encountered in exp.\n" in message
    assert "bound the argument" not in message
    assert "What helps: x has " in message

    class Counts(dl.Poisson):
        """The same formula, and the user's."""

    message = message_of([dl.Dense(1)], X * 50, y, loss=Counts(), optimizer=dl.SGD(1.0))
    assert "What helps: bound the argument of exp" in message
