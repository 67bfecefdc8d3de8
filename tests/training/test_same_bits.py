"""Looking at training changes nothing: validation, metrics and callbacks leave every bit alone."""

import numpy as np
import pytest
import scipy.sparse as sp

import minidl as dl

DIGITS, LABELS = dl.synthetic_digits(240, rng=0)
X, Y = DIGITS[:200], LABELS[:200]
HELD_OUT = DIGITS[200:], LABELS[200:]


def callbacks(tmp_path):
    return [
        dl.ProgressBar(enabled=False),
        dl.Checkpoint(tmp_path, "loss"),
        dl.CSVLog(tmp_path / "log.csv"),
        dl.LearningRateLog(),
        dl.TimeLimit(1e6),
        dl.StopOnNaN(),
        dl.LivePlot(tmp_path / "curves.png"),
        dl.EarlyStopping("loss", patience=99, restore_best=False),
    ]


def bits(x=X, y=Y, *, metrics=(), callbacks=(), epochs=2, **options):
    layers = [dl.Dense(12), dl.BatchNorm(), dl.ReLU(), dl.Dropout(0.3), dl.Dense(10), dl.Softmax()]
    model = dl.Sequential(layers).build((784,), rng=0)
    optimizer = dl.SGD(0.1, momentum=0.9)
    trainer = dl.Trainer(
        model, dl.CrossEntropy(), optimizer, metrics=metrics, callbacks=callbacks, rng=0
    )
    trainer.fit(x, y, epochs=epochs, **options)
    return model.params.tobytes(), model.state.tobytes()


def source():
    return dl.batches(X, Y, batch_size=50, rng=0)


@pytest.mark.parametrize(
    "data",
    [(X, Y), (sp.csr_array(X), Y), (source, None)],
    ids=["arrays", "sparse rows", "batches"],
)
def test_a_run_is_the_same_whoever_looks_at_it(tmp_path, data):
    def run(**options):
        return bits(data[0]() if data[1] is None else data[0], data[1], **options)

    plain = run()
    assert run() == plain
    assert run(validation_data=HELD_OUT) == plain
    assert run(validation_data=[HELD_OUT, HELD_OUT]) == plain
    probabilities = dl.Metric(
        lambda y_true, y_pred: 0.0, needs="probabilities", name="probabilities"
    )
    assert run(metrics=[dl.accuracy, probabilities], validation_data=HELD_OUT) == plain
    assert run(callbacks=callbacks(tmp_path), validation_data=HELD_OUT) == plain


def test_rows_held_out_by_fit_or_by_hand_are_the_same():
    seen = []

    class Sees(dl.Layer):
        def forward(self, x, *, training=False, out=None):
            if training:
                seen.append(x.copy())
            return x

        def backward(self, dy, *, input_grad=True, out=None):
            return dy

    model = dl.Sequential([Sees(), dl.Dense(10), dl.Softmax()]).build((784,), rng=0)
    trainer = dl.Trainer(model, dl.CrossEntropy(), dl.SGD(0.1), rng=0)
    trainer.fit(X, Y, epochs=1, validation_split=0.25, shuffle=False)
    kept = np.concatenate(seen)  # the training rows in the order in which fit keeps them
    rows = [int(np.flatnonzero((row == X).all(axis=1))[0]) for row in kept]
    assert len(set(rows)) == 150
    others = np.setdiff1d(np.arange(200), rows)
    by_fit = bits(validation_split=0.25)
    assert by_fit == bits(X[rows], Y[rows], validation_data=(X[others], Y[others]))
    assert by_fit == bits(X[rows], Y[rows])
    assert by_fit != bits()


def test_a_run_in_two_parts_is_a_run_in_one():
    whole = bits(epochs=3)
    again = dl.Callback()
    again.on_fit_end = lambda trainer: trainer.epoch == 1 and trainer.fit(X, Y, epochs=2)
    assert bits(epochs=1, callbacks=[again]) == whole


def test_evaluation_and_prediction_in_between_change_nothing():
    looks = dl.Callback()

    def look(trainer, loss):
        trainer.evaluate(*HELD_OUT)
        trainer.model.predict(X[:3])
        trainer.objective.value(X, Y)

    looks.on_batch_end = look
    assert bits(callbacks=[looks]) == bits()
