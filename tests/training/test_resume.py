"""A run that goes on from a checkpoint has the bits of one that was never interrupted."""

import os

import numpy as np
import pytest
import scipy.sparse as sp

import minidl as dl

RNG = np.random.default_rng(0)
X = RNG.normal(size=(60, 8)).astype(np.float32)
Y = RNG.integers(0, 3, 60)
BATCH, EPOCHS, STEPS = 16, 4, 4  # steps in an epoch of 60 rows


@pytest.fixture(autouse=True)
def _without_waiting_for_the_disk(monkeypatch):
    monkeypatch.setattr(os, "fsync", lambda handle: None)


class Saves(dl.Callback):
    """Writes a checkpoint in one hook, at one time."""

    def __init__(self, path, hook, when):
        self.path, self.hook, self.when = path, hook, when

    def _save(self, hook, trainer, now):
        if (hook, now) == (self.hook, self.when):
            trainer.save_checkpoint(self.path)

    def on_epoch_begin(self, trainer):
        self._save("on_epoch_begin", trainer, trainer.epoch)

    def on_batch_end(self, trainer, loss):
        self._save("on_batch_end", trainer, trainer.step)

    def on_validation_begin(self, trainer):
        self._save("on_validation_begin", trainer, trainer.epoch)

    def on_epoch_end(self, trainer):
        self._save("on_epoch_end", trainer, trainer.epoch)


TIMES = [
    ("on_batch_end", 1),
    ("on_batch_end", STEPS + 2),
    ("on_batch_end", 2 * STEPS),
    ("on_epoch_begin", 2),
    ("on_validation_begin", 2),
    ("on_epoch_end", 1),
    ("on_epoch_end", EPOCHS - 1),
    ("on_epoch_end", EPOCHS),
]


def layers():
    return [
        dl.Dense(12, weight_penalty=dl.L2(1e-3), weight_constraint=dl.MaxNorm(2.0)),
        dl.BatchNorm(),
        dl.ReLU(),
        dl.Dropout(0.3),
        dl.Dense(3),
        dl.Softmax(),
    ]


class Run:
    """How to make a trainer and its data, each time anew."""

    optimizer = staticmethod(lambda: dl.SGD(dl.CosineDecay(0.1, 20), momentum=0.9))
    layers = staticmethod(layers)
    callbacks = staticmethod(list)
    data = staticmethod(lambda: (X, Y))
    metrics, workers, chunk_rows = [dl.accuracy], 1, None

    def __init__(self, *, fit=None, **parts):
        self.options = {"batch_size": BATCH, "validation_split": 0.1} if fit is None else fit
        vars(self).update(parts)

    def trainer(self, *more, last=False):
        model = dl.Sequential(self.layers()).build((self.data_width(),), rng=1)
        callbacks = [*self.callbacks(), *more] if last else [*more, *self.callbacks()]
        return dl.Trainer(
            model,
            dl.CrossEntropy(),
            self.optimizer(),
            metrics=self.metrics,
            callbacks=callbacks,
            workers=self.workers,
            rng=2,
        )

    def data_width(self):
        return 8

    def fit(self, trainer):
        if self.chunk_rows:
            trainer.objective.chunk_rows = self.chunk_rows
            trainer.objective.workers = self.workers
        data = self.data()
        arguments = data if isinstance(data, tuple) else (data,)
        trainer.fit(*arguments, epochs=EPOCHS, **self.options)
        return trainer


def bits(trainer):
    """Everything that a run comes to, but for times."""
    history = {name: trainer.history[name].tobytes() for name in trainer.history}
    history.pop("seconds")
    kept = [
        {name: _bytes(value) for name, value in callback.state_dict().items() if name != "used"}
        for callback in trainer.callbacks
    ]
    vectors = {name: vector.tobytes() for name, vector in trainer.optimizer.state.items()}
    model, counts = trainer.model, (trainer.epoch, trainer.step, trainer.optimizer.steps)
    return {
        "params": model.params.tobytes(),
        "state": model.state.tobytes(),
        "history": history,
        "stopped": trainer.history.stopped,
        "callbacks": kept,
        "optimizer": (vectors, trainer.optimizer.current_learning_rate()),
        "counts": counts,
        "draws": [layer._rng and layer._rng.bit_generator.state for layer in model.walk()],
        "order": trainer._rng.bit_generator.state,
    }


def _bytes(value):
    return value.tobytes() if isinstance(value, np.ndarray) else repr(value)


def check_resumed(run, path, hook, when, last=False, **given):
    whole = run.fit(run.trainer(Saves(path, hook, when), last=last))
    saves = Saves(path, "never", 0)
    callbacks = [*run.callbacks(), saves] if last else [saves, *run.callbacks()]
    again = dl.Trainer.from_checkpoint(
        path, metrics=run.metrics, callbacks=callbacks, workers=run.workers, **given
    )
    assert bits(run.fit(again)) == bits(whole)
    return whole, again


@pytest.mark.parametrize(("hook", "when"), TIMES)
@pytest.mark.parametrize("last", [False, True], ids=["saved first", "saved last"])
def test_any_place_in_a_run_goes_on_with_the_same_bits(tmp_path, hook, when, last):
    run = Run(
        callbacks=lambda: [
            dl.MovingAverage(0.9),
            dl.LearningRateLog(),
            dl.TimeLimit(1e6),
            dl.StopOnNaN(),
            dl.EarlyStopping("val_accuracy", patience=3),
        ]
    )
    check_resumed(run, tmp_path / "run.ckpt", hook, when, last)


def mapped(folder):
    np.save(folder / "x.npy", X)
    return np.load(folder / "x.npy", mmap_mode="r")


def csv(folder):
    rows = [",".join(map(str, [*x, y])) for x, y in zip(X.tolist(), Y.tolist(), strict=True)]
    (folder / "data.csv").write_text("\n".join(rows) + "\n")
    return dl.csv_batches(
        folder / "data.csv",
        batch_size=BATCH,
        target=-1,
        labels=True,
        header=False,
        rng=3,
        buffer_rows=32,
    )


class Shuffled:
    """A user's own source, which tells what it draws from."""

    def __init__(self):
        self.rng = np.random.default_rng(5)
        self.generators = [self.rng]

    def __iter__(self):
        order = self.rng.permutation(60)
        for start in range(0, 60, BATCH):
            rows = order[start : start + BATCH]
            yield X[rows], Y[rows]


def augmented():
    noise = dl.augmentation.RandomNoise(0.1, rng=3)
    mixup = dl.Mixup(0.3, classes=3, rng=4)
    return dl.batches(X, Y, batch_size=BATCH, rng=6, transform=[noise, mixup])


def samples():
    return dl.batches(list(zip(X, Y, strict=True)), batch_size=BATCH, rng=7, buffer_rows=20)


WEIGHTS = RNG.uniform(0.5, 2.0, 60)
HELD_OUT = X[:10] + 1, Y[:10]
PLAIN = {"batch_size": BATCH}
RUNS = {
    "one chunk, weights": lambda folder: Run(
        fit=PLAIN | {"sample_weight": WEIGHTS, "class_weight": "balanced"}
    ),
    "in the same order": lambda folder: Run(fit=PLAIN | {"shuffle": False}),
    "chunks on two threads": lambda folder: Run(
        layers=lambda: [dl.Dense(12), dl.ReLU(), dl.Dropout(0.3), dl.Dense(3), dl.Softmax()],
        workers=2,
        chunk_rows=5,
    ),
    "sparse rows": lambda folder: Run(data=lambda: (sp.csr_array(X * (X > 0)), Y)),
    "a file of rows": lambda folder: Run(data=lambda: (mapped(folder), Y)),
    "no metrics": lambda folder: Run(metrics=[]),
    "batches with augmentation": lambda folder: Run(
        data=augmented, fit={"validation_data": HELD_OUT}
    ),
    "made ahead": lambda folder: Run(data=lambda: dl.prefetch(augmented(), depth=3), fit={}),
    "samples": lambda folder: Run(data=samples, fit={"class_weight": {0: 2.0}}),
    "a CSV file": lambda folder: Run(data=lambda: csv(folder), fit={}),
    "a list of batches": lambda folder: Run(
        data=lambda: [(X[i : i + BATCH], Y[i : i + BATCH]) for i in range(0, 60, BATCH)], fit={}
    ),
    "a source of one's own": lambda folder: Run(data=Shuffled, fit={}),
    "shuffled validation data": lambda folder: Run(
        fit=PLAIN | {"validation_data": dl.batches(*HELD_OUT, batch_size=3, rng=8)}
    ),
    "a rate that falls": lambda folder: Run(
        optimizer=lambda: dl.SGD(0.1, momentum=0.9),
        callbacks=lambda: [dl.ReduceOnPlateau("loss", min_delta=9.0, patience=1, cooldown=1)],
    ),
}


class StopsAt(dl.Callback):
    def __init__(self, step, at_once):
        self.step, self.at_once = step, at_once

    def on_batch_end(self, trainer, loss):
        if trainer.step == self.step:
            trainer.stop("that will do", at_once=self.at_once)


@pytest.mark.parametrize("name", RUNS)
@pytest.mark.parametrize(("hook", "when"), [("on_batch_end", 2 * STEPS + 3), ("on_epoch_end", 2)])
def test_any_kind_of_run_goes_on_with_the_same_bits(tmp_path, name, hook, when):
    check_resumed(RUNS[name](tmp_path), tmp_path / "run.ckpt", hook, when)


OPTIMIZERS = {
    "sgd": lambda: dl.SGD(
        dl.WarmUp(dl.StepDecay(0.1, step_size=3), steps=5), nesterov=True, momentum=0.5
    ),
    "adam": lambda: dl.Adam(0.01, amsgrad=True, clip_norm=0.1),
    "adamw": lambda: dl.AdamW(dl.OneCycle(0.01, steps=16)),
    "nadam": lambda: dl.NAdam(0.01),
    "rmsprop": lambda: dl.RMSprop(0.01, momentum=0.9),
    "adagrad": lambda: dl.Adagrad(0.1, weight_decay=0.01),
    "adadelta": lambda: dl.Adadelta(1.0),
    "lion": lambda: dl.Lion(0.001, clip_value=0.1),
}


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_any_optimizer_goes_on_with_the_same_bits(tmp_path, name):
    run = Run(optimizer=OPTIMIZERS[name])
    check_resumed(run, tmp_path / "run.ckpt", "on_batch_end", 6)
    _, again = check_resumed(
        run, tmp_path / "run.ckpt", "on_batch_end", 6, optimizer=OPTIMIZERS[name]()
    )
    assert repr(again.optimizer) == repr(OPTIMIZERS[name]())


def test_frozen_layers_stay_frozen(tmp_path):
    def frozen():
        found = layers()
        found[0].trainable = False
        return found

    _, again = check_resumed(Run(layers=frozen), tmp_path / "run.ckpt", "on_batch_end", 6)
    assert not again.model.layers[0].trainable
    start = Run(layers=frozen).trainer().model
    np.testing.assert_array_equal(again.model.layers[0].weight, start.layers[0].weight)


def test_sequences_with_masks_go_on_with_the_same_bits(tmp_path):
    words = RNG.integers(0, 9, (60, 5))
    run = Run(
        layers=lambda: [
            dl.Embedding(9, 4, padding_index=0),
            dl.GRU(5),
            dl.Dense(3),
            dl.Softmax(),
        ],
        data=lambda: (words, Y),
        data_width=lambda: None,
    )
    check_resumed(run, tmp_path / "run.ckpt", "on_batch_end", 6)


def test_several_processes_one_after_the_other(tmp_path):
    run, path = Run(), tmp_path / "run.ckpt"
    whole = run.fit(run.trainer())
    trainer = run.trainer(Interrupts(path, 3))
    run.fit(trainer)
    for step in (4, 6, 9, 14):
        trainer = dl.Trainer.from_checkpoint(
            path, metrics=run.metrics, callbacks=[Interrupts(path, step)]
        )
        run.fit(trainer)
        assert trainer.history.stopped == f"interrupted in epoch {(step - 1) // STEPS + 1}"
    again = dl.Trainer.from_checkpoint(path, metrics=run.metrics, callbacks=[Interrupts(path, 0)])
    run.fit(again).callbacks.clear()
    assert bits(again) == bits(whole)


class Interrupts(dl.Callback):
    """Saves after a step, and presses Ctrl-C after it."""

    def __init__(self, path, step):
        self.path, self.step = path, step

    def on_batch_end(self, trainer, loss):
        if trainer.step == self.step:
            trainer.save_checkpoint(self.path)
            raise KeyboardInterrupt


@pytest.mark.parametrize("data", [lambda: (X, Y), lambda: (dl.batches(X, Y, batch_size=9, rng=3),)])
def test_what_was_read_between_two_fits_can_be_saved_again(tmp_path, data):
    path, whole, given = tmp_path / "run.ckpt", Run(metrics=[]).trainer(), data()
    whole.fit(*given, epochs=2)
    whole.save_checkpoint(path)
    for _ in range(2):
        dl.Trainer.from_checkpoint(path).save_checkpoint(path)
    again = dl.Trainer.from_checkpoint(path)
    again.fit(*data(), epochs=4)
    whole.fit(*given, epochs=2)
    assert bits(again) == bits(whole)


def test_saved_at_the_end_after_ctrl_c_is_between_two_fits(tmp_path):
    """A further fit draws another order; so it does in the other process."""
    path = tmp_path / "run.ckpt"
    saves, whole = dl.Callback(), Run(metrics=[]).trainer(Interrupts(tmp_path / "x", STEPS + 2))
    saves.on_fit_end = lambda trainer: trainer.save_checkpoint(path)
    whole.callbacks.append(saves)
    whole.fit(X, Y, epochs=3, batch_size=BATCH)
    again = dl.Trainer.from_checkpoint(path, callbacks=[Interrupts("", 0), dl.Callback()])
    again.fit(X, Y, epochs=3, batch_size=BATCH)
    whole.callbacks = []
    whole.fit(X, Y, epochs=2, batch_size=BATCH)
    again.callbacks = []
    assert bits(again) == bits(whole)


def test_epochs_are_the_total_of_the_run_in_the_first_fit_only(tmp_path):
    run, path = Run(metrics=[]), tmp_path / "run.ckpt"
    trainer = run.trainer()
    trainer.fit(X, Y, epochs=3, batch_size=BATCH)
    trainer.save_checkpoint(path)
    again = dl.Trainer.from_checkpoint(path)
    assert again.history.epochs == again.epoch == 3
    history = again.fit(X, Y, epochs=2, batch_size=BATCH)  # done already
    assert (again.epoch, again.step, history.epochs) == (3, 3 * STEPS, 3)
    np.testing.assert_array_equal(again.model.params, trainer.model.params)
    again.fit(X, Y, epochs=2, batch_size=BATCH)
    trainer.fit(X, Y, epochs=2, batch_size=BATCH)
    assert again.epoch == 5
    assert bits(again) == bits(trainer)


@pytest.mark.parametrize("at_once", [False, True])
@pytest.mark.parametrize("last", [False, True], ids=["saved first", "saved last"])
def test_a_stop_at_a_batch_stays_one(tmp_path, at_once, last):
    run = Run(callbacks=lambda: [StopsAt(2 * STEPS + 2, at_once)])
    path = tmp_path / "run.ckpt"
    whole, again = check_resumed(run, path, "on_batch_end", 2 * STEPS + 2, last)
    assert (whole.epoch, whole.step) == (3, 2 * STEPS + 2 if at_once else 3 * STEPS)
    assert again.history.stopped == "that will do"


@pytest.mark.parametrize("last", [False, True], ids=["saved first", "saved last"])
def test_a_run_that_was_stopped_stays_so_until_a_further_fit(tmp_path, last):
    path = tmp_path / "run.ckpt"
    run = Run(
        callbacks=lambda: [dl.EarlyStopping("loss", patience=1, min_delta=9.0)],
        fit={"batch_size": BATCH},
    )
    whole, again = check_resumed(run, path, "on_epoch_end", 2, last)
    assert whole.epoch == again.epoch == 2
    assert "has not improved" in again.history.stopped
    again.fit(X, Y, epochs=1, batch_size=BATCH)
    assert again.epoch == 3


class Spoils(dl.Callback):
    """Makes a step far too large."""

    def on_batch_end(self, trainer, loss):
        if trainer.step == 2 * STEPS + 3:
            trainer.optimizer.learning_rate = 1e30


def test_the_last_good_epoch_is_that_of_the_other_process(tmp_path):
    run = Run(optimizer=lambda: dl.SGD(0.1), callbacks=lambda: [Spoils(), dl.StopOnNaN()])
    whole, again = check_resumed(run, tmp_path / "run.ckpt", "on_batch_end", 2 * STEPS + 2)
    assert "are those from the end of epoch 2." in again.history.stopped
    assert np.abs(whole.model.params).max() < 100


def test_an_epoch_that_was_broken_off_is_begun_anew(tmp_path):
    """As in the same process: another `fit` draws another order."""

    whole, path = Run(metrics=[]).trainer(Interrupts(tmp_path / "x", STEPS + 2)), tmp_path / "run"
    assert "interrupted in epoch 2" in whole.fit(X, Y, epochs=2, batch_size=BATCH).stopped
    whole.callbacks = []
    whole.save_checkpoint(path)
    again = dl.Trainer.from_checkpoint(path)
    again.fit(X, Y, epochs=3, batch_size=BATCH)
    whole.fit(X, Y, epochs=2, batch_size=BATCH)
    assert bits(again) == bits(whole)


def test_a_run_between_two_fits_begins_its_callbacks_anew(tmp_path):
    stopping = dl.EarlyStopping("loss", patience=2, min_delta=9.0)
    there, path = Run(metrics=[]).trainer(stopping), tmp_path / "run.ckpt"
    there.fit(X, Y, epochs=2, batch_size=BATCH)
    there.save_checkpoint(path)
    here = dl.Trainer.from_checkpoint(
        path, callbacks=[dl.EarlyStopping("loss", patience=2, min_delta=9.0)]
    )
    assert (here.callbacks[0].best_epoch, here.callbacks[0].best) == (1, there.callbacks[0].best)
    here.fit(X, Y, epochs=5, batch_size=BATCH)
    there.fit(X, Y, epochs=3, batch_size=BATCH)
    assert bits(here) == bits(there)
    assert here.callbacks[0].best_epoch == 3


class Ages(dl.Callback):
    """Lets a time limit believe that it began long ago."""

    def __init__(self, limit):
        self.limit = limit

    def on_epoch_begin(self, trainer):
        self.limit._start -= 500.0


def test_time_that_was_used_counts(tmp_path):
    limit, path = dl.TimeLimit(1e6), tmp_path / "run.ckpt"
    run = Run(callbacks=lambda: [Ages(limit), limit])
    run.fit(run.trainer(Saves(path, "on_batch_end", STEPS + 1)))
    again = dl.TimeLimit(900.0)
    trainer = dl.Trainer.from_checkpoint(
        path, metrics=run.metrics, callbacks=[Saves(path, "", 0), Ages(again), again]
    )
    assert 1000 <= again.state_dict()["used"] < 1100
    run.fit(trainer)
    assert trainer.history.stopped == "the time limit of 900 s was reached"
    assert trainer.step == STEPS + 1


def test_seconds_are_those_of_both_processes(tmp_path):
    path = tmp_path / "run.ckpt"
    saves, old = Saves(path, "on_batch_end", 2), dl.Callback()
    old.on_epoch_begin = lambda trainer: setattr(trainer._running, "_start", -1e6)
    Run(metrics=[]).trainer(old, saves).fit(X, Y, epochs=1, batch_size=BATCH)
    again = dl.Trainer.from_checkpoint(path, callbacks=[dl.Callback(), Saves(path, "", 0)])
    seconds = again.fit(X, Y, epochs=2, batch_size=BATCH)["seconds"]
    assert seconds[0] > 1e6 > seconds[1]
