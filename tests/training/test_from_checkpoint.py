"""What `Trainer.from_checkpoint` checks, takes from the user, and says."""

import pickle
import warnings

import numpy as np
import pytest

import minidl as dl
from minidl.training.resuming import environment

RNG = np.random.default_rng(0)
X = RNG.normal(size=(64, 3)).astype(np.float32)
Y = X @ np.array([[1.0], [2.0], [3.0]], np.float32)


def network(units=4):
    layers = [dl.Dense(units), dl.BatchNorm(), dl.Dropout(0.1), dl.Dense(1)]
    return dl.Sequential(layers).build((3,), rng=0)


def saved(
    path, hook="on_batch_end", *, model=None, loss=None, optimizer=None, data=(X, Y), **parts
):
    """A run of two epochs of four steps that was saved in the middle or at an end of one."""
    saves = dl.Callback()
    trainer = dl.Trainer(
        network() if model is None else model,
        dl.MeanSquaredError() if loss is None else loss,
        dl.SGD(0.01, momentum=0.9) if optimizer is None else optimizer,
        rng=0,
        **parts,
    )

    def save(trainer, *loss):
        if trainer.step == (6 if hook == "on_batch_end" else 4):
            trainer.callbacks.remove(saves)  # no callback that would be missing later
            trainer.save_checkpoint(path)

    setattr(saves, hook, save)
    trainer.callbacks.append(saves)
    trainer.fit(*data, epochs=2, batch_size=16)
    return trainer


def again(path, data=(X, Y), fit=None, **parts):
    trainer = dl.Trainer.from_checkpoint(path, **parts)
    trainer.fit(*data, epochs=2, **(fit or {"batch_size": 16}))
    return trainer


def test_a_given_model_takes_the_values(tmp_path):
    path = tmp_path / "run.ckpt"
    whole, model = saved(path), network()
    model.params *= 0
    assert again(path, model=model).model is model
    np.testing.assert_array_equal(model.params, whole.model.params)
    np.testing.assert_array_equal(model.state, whole.model.state)


def test_a_model_of_other_arrays_is_refused_and_left_alone(tmp_path):
    saved(tmp_path / "run.ckpt")
    model = network(5)
    before = model.params.copy()
    with pytest.raises(
        dl.ShapeError, match=r"'0.dense.weight' is float32 \(3, 4\) in .*, and float32 \(3, 5\) in"
    ):
        dl.Trainer.from_checkpoint(tmp_path / "run.ckpt", model)
    np.testing.assert_array_equal(model.params, before)
    shorter = dl.Sequential([dl.Dense(4), dl.Dense(1)]).build((3,))
    with pytest.raises(dl.ShapeError, match=r"'1.dense.weight' is missing in .*, and float32 \(4"):
        dl.Trainer.from_checkpoint(tmp_path / "run.ckpt", shorter)
    with pytest.raises(dl.StateError, match="is not built"):
        dl.Trainer.from_checkpoint(tmp_path / "run.ckpt", dl.Sequential([dl.Dense(1)]))


def test_a_model_of_other_options_is_noted(tmp_path):
    saved(tmp_path / "run.ckpt")
    model = network()
    model.layers[2].rate = 0.2
    with pytest.warns(dl.TrainingWarning, match="but other layers or options"):
        dl.Trainer.from_checkpoint(tmp_path / "run.ckpt", model)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"optimizer": dl.Adam()}, r"optimizer is not that of the checkpoint: SGD there, Adam\("),
        ({"optimizer": dl.SGD(0.01)}, r"momentum=0.9 there, 0.0 here\. Leave it out, or"),
        (
            {"optimizer": dl.SGD(dl.CosineDecay(0.1, 9), momentum=0.9)},
            r"learning_rate=0.01 there, CosineDecay\(...\) here",
        ),
        (
            {"loss": dl.Huber()},
            r"loss is not that of the checkpoint: MeanSquaredError there, Huber",
        ),
    ],
)
def test_another_loss_or_optimizer_is_refused(tmp_path, given, message):
    saved(tmp_path / "run.ckpt")
    with pytest.raises(dl.ArgumentError, match=message):
        dl.Trainer.from_checkpoint(tmp_path / "run.ckpt", **given)


def test_classes_in_place_of_instances_are_refused(tmp_path):
    saved(tmp_path / "run.ckpt")
    with pytest.raises(dl.ArgumentTypeError, match="optimizer must be an instance"):
        dl.Trainer.from_checkpoint(tmp_path / "run.ckpt", optimizer=dl.SGD)
    with pytest.raises(dl.ArgumentTypeError, match="model must be a Layer"):
        dl.Trainer.from_checkpoint(tmp_path / "run.ckpt", dl.SGD(0.1))


def test_the_learning_rate_is_that_of_the_file(tmp_path):
    path = tmp_path / "run.ckpt"
    whole = saved(path)
    trainer = again(path, optimizer=dl.SGD(0.5, momentum=0.9))
    assert trainer.optimizer.learning_rate == 0.01
    np.testing.assert_array_equal(trainer.model.params, whole.model.params)


def falling(step):
    return 0.01 / (1 + step)


@pytest.mark.parametrize("rate", [falling, dl.WarmUp(falling, 3)])
def test_a_schedule_of_ones_own_is_given_again(tmp_path, rate):
    path = tmp_path / "run.ckpt"
    whole = saved(path, optimizer=dl.SGD(rate))
    with pytest.raises(dl.ArgumentError, match=r"code of your own, .* Give it: optimizer="):
        dl.Trainer.from_checkpoint(path)
    trainer = again(path, optimizer=dl.SGD(rate))
    np.testing.assert_array_equal(trainer.model.params, whole.model.params)
    with pytest.raises(dl.ArgumentError, match=r"learning_rate=.* there, 0.1 here"):
        dl.Trainer.from_checkpoint(path, optimizer=dl.SGD(0.1))


class Momentum(dl.Optimizer):
    """A rule that keeps a vector, and a number that changes."""

    slots = ("velocity",)

    def __init__(self, learning_rate):
        super().__init__(learning_rate)
        self.factor, self.pair, self.scratch = 1.0, (0, 1.0), np.zeros(3)

    def step(self, grads, learning_rate, out):
        self.factor, self.pair = self.factor * 0.9, (self.pair[0] + 1, self.pair[1] * 0.5)
        v = self.state["velocity"]
        v *= 0.5
        v += grads
        np.multiply(v, learning_rate * self.factor, out=out)


class Absolute(dl.Loss):
    def per_sample(self, prediction, target):
        error = prediction - target
        return np.abs(error).mean(axis=1), np.sign(error) / error.shape[1]


class Double(dl.Layer):
    def forward(self, x, *, training=False, out=None):
        if training:
            self.save_for_backward()
        return np.multiply(x, 2, out=out)

    def backward(self, dy, *, input_grad=True, out=None):
        self.saved()
        return np.multiply(dy, 2, out=out)


def test_what_is_ones_own_is_given_again(tmp_path):
    path = tmp_path / "run.ckpt"
    model = dl.Sequential([dl.Dense(4), Double(), dl.Dense(1)]).build((3,), rng=0)
    whole = saved(path, model=model, loss=Absolute(), optimizer=Momentum(0.01))
    with pytest.raises(dl.DataError, match=r"'Double', a class of its author's own"):
        dl.Trainer.from_checkpoint(path)
    own = {"Double": Double}
    with pytest.raises(dl.ArgumentError, match=r"the run's loss was a Absolute that is, .*: loss="):
        dl.Trainer.from_checkpoint(path, layers=own)
    with pytest.raises(
        dl.ArgumentError, match=r"the run's optimizer was a Momentum .*: optimizer="
    ):
        dl.Trainer.from_checkpoint(path, loss=Absolute(), layers=own)
    trainer = again(path, loss=Absolute(), optimizer=Momentum(0.01), layers=own)
    np.testing.assert_array_equal(trainer.model.params, whole.model.params)
    assert trainer.optimizer.pair == whole.optimizer.pair == (8, 0.5**8)


def test_a_class_of_ones_own_may_be_called_as_one_of_minidls(tmp_path):
    own = type("SGD", (Momentum,), {})
    saved(tmp_path / "run.ckpt", optimizer=own(0.01))
    with pytest.raises(dl.ArgumentError, match=r"the run's optimizer was a SGD .* of your own"):
        dl.Trainer.from_checkpoint(tmp_path / "run.ckpt")
    with pytest.raises(dl.ArgumentError, match=r"SGD there, SGD\(0.01\) here"):
        dl.Trainer.from_checkpoint(tmp_path / "run.ckpt", optimizer=dl.SGD(0.01))
    assert again(tmp_path / "run.ckpt", optimizer=own(0.01)).epoch == 2


class Counts(dl.Callback):
    """A callback of one's own with a memory."""

    def __init__(self):
        self.steps, self.norms, self.last = 0, [], np.zeros(0)

    def on_batch_end(self, trainer, loss):
        self.steps += 1
        self.norms.append(float(np.linalg.norm(trainer.model.params)))
        self.last = trainer.model.grads.copy()

    def state_dict(self):
        return {"steps": self.steps, "norms": self.norms, "last": self.last}

    def load_state_dict(self, state):
        self.steps, self.norms, self.last = state["steps"], state["norms"], state["last"]


def test_callbacks_of_ones_own_take_back_what_they_kept(tmp_path):
    first, second = Counts(), Counts()
    second.steps = 100
    whole = saved(tmp_path / "run.ckpt", callbacks=[first, second])
    trainer = again(tmp_path / "run.ckpt", callbacks=[Counts(), Counts()])
    for mine, its in zip(trainer.callbacks, whole.callbacks, strict=True):
        assert (mine.steps, mine.norms) == (its.steps, its.norms)
        np.testing.assert_array_equal(mine.last, its.last)
    assert [callback.steps for callback in trainer.callbacks] == [8, 108]


def test_what_callbacks_take_back_is_their_own(tmp_path):
    """A state is given twice: what a callback does to it in between must not be in it."""

    class Empties(Counts):
        def on_fit_begin(self, trainer):
            self.norms.clear()
            self.last *= 0

    whole = saved(tmp_path / "run.ckpt", callbacks=[Empties()])
    trainer = again(tmp_path / "run.ckpt", callbacks=[Empties()])
    assert trainer.callbacks[0].norms == whole.callbacks[0].norms


class Noise(dl.Layer):
    """Draws from a generator that its author has made."""

    def __init__(self):
        self.draws = np.random.default_rng(0)

    def forward(self, x, *, training=False, out=None):
        if training:
            self.save_for_backward()
            x = x + self.draws.normal(size=x.shape).astype(x.dtype)
        return x

    def backward(self, dy, *, input_grad=True, out=None):
        self.saved()
        return dy


class NoisySGD(dl.Optimizer):
    """Langevin dynamics."""

    def __init__(self, learning_rate, draws):
        super().__init__(learning_rate)
        self.draws = draws

    def step(self, grads, learning_rate, out):
        np.multiply(grads + self.draws.normal(size=grads.shape), learning_rate, out=out)


def noisy():
    return dl.Sequential([dl.Dense(4), Noise(), dl.Dense(1)]).build((3,), rng=0)


@pytest.mark.parametrize("kind", [np.random.PCG64, np.random.MT19937])
@pytest.mark.parametrize("given", [False, True])
def test_generators_of_ones_own_layers_and_rules_go_on(tmp_path, given, kind):
    def rule():
        return NoisySGD(0.01, np.random.Generator(kind(5)))

    path = tmp_path / "run.ckpt"
    whole = saved(path, model=noisy(), optimizer=rule())
    model = {"model": noisy()} if given else {"layers": {"Noise": Noise}}
    trainer = again(path, optimizer=rule(), **model)
    np.testing.assert_array_equal(trainer.model.params, whole.model.params)
    state = whole.optimizer.draws.bit_generator.state
    np.testing.assert_equal(trainer.optimizer.draws.bit_generator.state, state)
    other = NoisySGD(0.01, np.random.Generator(np.random.SFC64(5)))
    with pytest.raises(dl.DataError, match=r"the optimizer's draws is no Generator\(SFC64\)"):
        dl.Trainer.from_checkpoint(path, optimizer=other, **model)


def test_a_layer_with_another_generator_is_refused(tmp_path):
    path = tmp_path / "run.ckpt"
    saved(path, model=noisy())
    model = noisy()
    model.layers[1].draws = np.random.Generator(np.random.MT19937(0))
    with pytest.raises(dl.DataError, match="holds generators of other layers than the model's"):
        dl.Trainer.from_checkpoint(path, model)


class Copies(dl.Callback):
    """Pickles the trainer, and makes another one of that."""

    def on_epoch_end(self, trainer):
        content = pickle.dumps(trainer)
        self.size, self.copy = len(content), pickle.loads(content)


def test_a_copy_made_in_a_hook_has_no_data():
    trainer = dl.Trainer(network(), dl.MeanSquaredError(), dl.SGD(0.01), callbacks=[Copies()])
    x = np.zeros((10**5, 3), np.float32)
    trainer.fit(x, x[:, :1], epochs=1, batch_size=10**4)
    assert trainer.callbacks[0].size < x.nbytes / 10
    copied = trainer.callbacks[0].copy
    copied.fit(X, Y, epochs=1)
    assert copied.epoch == 2


def test_what_is_missing_is_named(tmp_path):
    path = tmp_path / "run.ckpt"
    parts = [dl.ProgressBar(enabled=False), dl.MovingAverage(), dl.LearningRateLog()]
    metrics = [dl.Metric(lambda y_true, y_pred: 0.0, name="nothing")]
    saved(path, callbacks=parts, metrics=metrics)
    with pytest.warns(
        dl.TrainingWarning, match="the run had MovingAverage, nothing, which this one has not"
    ) as caught:
        dl.Trainer.from_checkpoint(path, callbacks=[dl.LearningRateLog()])
    assert caught[0].filename == __file__
    saved(path)
    with pytest.raises(dl.ArgumentError, match=r"had no metrics, so .* Leave out nothing"):
        dl.Trainer.from_checkpoint(path, metrics=metrics)
    saved(path, "on_epoch_end")
    assert list(again(path, metrics=metrics).history) == ["loss", "seconds", "nothing"]


OTHER_DATA = [
    ((X[:60], Y[:60]), {}, r"x float32 \(64, 3\) there, float32 \(60, 3\) here"),
    ((X + 1, Y), {}, r"rows of x checksum \w+ there, checksum \w+ here"),
    ((X, Y * 2), {}, "rows of y checksum"),
    ((X, Y), {"batch_size": 8}, "batch_size 16 there, 8 here"),
    ((X, Y), {"shuffle": False}, "shuffle True there, False here"),
    ((X, Y), {"sample_weight": np.ones(64)}, "weights None there, float"),
    ((X, Y), {"validation_data": (X, Y)}, "validation data None there, arrays here"),
    ((dl.batches(X, Y, batch_size=16, rng=0),), {}, "data arrays there, Batches here"),
]


@pytest.mark.parametrize(("data", "options", "message"), OTHER_DATA)
def test_other_data_are_an_error_within_an_epoch_and_a_warning_at_its_end(
    tmp_path, data, options, message
):
    path, fit = tmp_path / "run.ckpt", {"batch_size": 16, **options}
    whole = saved(path)
    trainer = dl.Trainer.from_checkpoint(path)
    with pytest.raises(dl.DataError, match=rf"{message}.* in the middle of epoch 2"):
        trainer.fit(*data, epochs=2, **fit)
    trainer.fit(X, Y, epochs=2, batch_size=16)  # nothing is lost by the mistake
    np.testing.assert_array_equal(trainer.model.params, whole.model.params)
    saved(path, "on_epoch_end")
    with pytest.warns(dl.TrainingWarning, match=rf"{message}.* is another one from here"):
        assert again(path, data, fit).epoch == 2


class Foreign:
    """A source that does not tell what it draws from."""

    stop = 64

    def __iter__(self):
        for start in range(0, self.stop, 16):
            yield X[start : start + 16], Y[start : start + 16]


@pytest.mark.parametrize("source", [Foreign(), dl.prefetch(Foreign())])
def test_a_source_that_does_not_tell_is_named(tmp_path, source):
    path = tmp_path / "run.ckpt"
    whole = saved(path, data=(source,))
    with pytest.warns(dl.TrainingWarning, match="does not tell which generators it draws from"):
        trainer = again(path, (source,), fit={})
    np.testing.assert_array_equal(trainer.model.params, whole.model.params)  # it draws from none


@pytest.mark.parametrize("wrong", [[3], np.random.default_rng(0), iter([np.random.default_rng(0)])])
def test_generators_are_a_list_of_numpys(wrong):
    source = Foreign()
    source.generators = wrong
    trainer = dl.Trainer(network(), dl.MeanSquaredError(), dl.SGD(0.01))
    with pytest.raises(
        dl.ArgumentTypeError, match=r"of a Foreign must be a list of numpy.random.Generator, got"
    ):
        trainer.fit(source, epochs=1)


def test_a_source_that_ends_before_the_checkpoint_is_an_error(tmp_path):
    source = Foreign()
    source.generators = []
    saved(tmp_path / "run.ckpt", data=(source,))  # in the second batch of the second epoch
    source.stop = 16
    with pytest.raises(
        dl.DataError, match="fit: the source gave 1 batches, and the checkpoint was written after 2"
    ):
        again(tmp_path / "run.ckpt", (source,), fit={})


def test_class_weights_of_a_source_count_as_data(tmp_path):
    class Labels:
        generators = ()

        def __iter__(self):
            for start in range(0, 64, 16):
                yield X[start : start + 16], np.arange(16) % 2

    def trainer(*callbacks):
        model = dl.Sequential([dl.Dense(2), dl.Softmax()]).build((3,), rng=0)
        return dl.Trainer(model, dl.CrossEntropy(), dl.SGD(0.1), callbacks=callbacks)

    path, saves = tmp_path / "run.ckpt", dl.Callback()
    saves.on_batch_end = lambda trainer, loss: trainer.step == 2 and trainer.save_checkpoint(path)
    whole = trainer(saves)
    whole.fit(Labels(), epochs=1, class_weight={0: 5.0, 1: 2.0})
    resumed = dl.Trainer.from_checkpoint(path, callbacks=[dl.Callback()])
    for other, text in ((None, "None"), ({0: 5.0}, "0: 5.0")):
        with pytest.raises(
            dl.DataError, match=f"class_weight 0: 5.0, 1: 2.0 there, {text} here. It stands"
        ):
            resumed.fit(Labels(), epochs=1, class_weight=other)
    resumed.fit(Labels(), epochs=1, class_weight={1: 2.0, 0: 5.0})
    np.testing.assert_array_equal(resumed.model.params, whole.model.params)


def test_a_run_cannot_end_before_the_epoch_that_it_is_in(tmp_path):
    whole = saved(tmp_path / "run.ckpt")
    trainer = dl.Trainer.from_checkpoint(tmp_path / "run.ckpt")
    with pytest.raises(
        dl.ArgumentError, match=r"the middle of epoch 2, .* expected at least 2, got 1\."
    ):
        trainer.fit(X, Y, epochs=1, batch_size=16)
    trainer.fit(X, Y, epochs=2, batch_size=16)
    np.testing.assert_array_equal(trainer.model.params, whole.model.params)


def test_a_stop_at_the_beginning_of_a_fit_that_goes_on_counts(tmp_path):
    saved(tmp_path / "run.ckpt")
    stops = dl.Callback()
    stops.on_fit_begin = lambda trainer: trainer.stop("enough")
    trainer = dl.Trainer.from_checkpoint(tmp_path / "run.ckpt", callbacks=[stops])
    history = trainer.fit(X, Y, epochs=5, batch_size=16)
    assert (trainer.epoch, history.stopped) == (2, "enough")


def test_another_environment_is_told(tmp_path, monkeypatch):
    path = tmp_path / "run.ckpt"
    saved(path)
    monkeypatch.setattr(environment, "_instructions", lambda: "none")
    monkeypatch.setattr(np, "__version__", "1.2.3")
    with pytest.warns(
        dl.TrainingWarning, match=r"NumPy: \S+ there, 1.2.3 here; instructions .* there, none here"
    ) as caught:
        again(path)
    assert len(caught) == 1


def test_threads_count_only_within_a_fit(tmp_path, monkeypatch):
    path = tmp_path / "run.ckpt"
    saved(path).save_checkpoint(tmp_path / "between.ckpt")
    real = environment.environment
    monkeypatch.setattr(
        "minidl.training.running_fit.environment", lambda: {**real(), environment.THREADS: 77}
    )
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        trainer = dl.Trainer.from_checkpoint(tmp_path / "between.ckpt")
        assert trainer.fit(X, Y, epochs=3, batch_size=16).epochs == 3
    with pytest.warns(dl.TrainingWarning, match=r"threads of the BLAS: \d+ there, 77 here"):
        again(path)


def test_the_environment_has_what_bits_depend_on():
    found = environment.environment()
    assert {"minidl", "NumPy", "BLAS", "kernels of the BLAS", environment.THREADS} < found.keys()
    assert found["NumPy"] == np.__version__


def test_a_hidden_blas_is_no_error(monkeypatch):
    import threadpoolctl

    def hidden():
        raise OSError("no list of libraries")

    monkeypatch.setattr(threadpoolctl, "threadpool_info", hidden)
    assert "BLAS" not in environment.environment()
    monkeypatch.setattr(threadpoolctl, "threadpool_info", list)
    assert "BLAS" not in environment.environment()


def test_what_no_file_holds_is_named(tmp_path):
    path, counts = tmp_path / "run.ckpt", Counts()
    counts.norms = [{1, 2}]
    with pytest.raises(dl.ArgumentTypeError, match=r"Counts.state_dict gives 'norms' as a list"):
        saved(path, "on_epoch_end", callbacks=[counts])
    counts.norms = list(range(10**5))
    with pytest.raises(dl.ArgumentError, match=r"[\d,]+ characters, expected at most 524,288"):
        saved(path, "on_epoch_end", callbacks=[counts])
    assert not path.exists()


@pytest.mark.parametrize(
    ("state", "message"),
    [
        ({"best": np.array(["a"])}, "gives 'best' as a <U1 array, which no file holds. Give arr"),
        ({"best": np.array([1j])}, "gives 'best' as a complex128 array"),
        ({"best": np.array([None])}, "gives 'best' as a object array"),
        ({"best": {1: 2}}, "gives 'best' as a dict"),
        ({1: 2}, r"must return a dict from names to values, got \{1: 2\}"),
        (None, "must return a dict from names to values, got None"),
    ],
)
def test_a_state_is_a_dict_of_what_a_file_holds(tmp_path, state, message):
    callback = dl.Callback()
    callback.state_dict = lambda: state
    trainer = dl.Trainer(network(), dl.MeanSquaredError(), dl.SGD(0.01), callbacks=[callback])
    with pytest.raises(
        dl.ArgumentTypeError, match=rf"save_checkpoint: Callback.state_dict {message}"
    ):
        trainer.save_checkpoint(tmp_path / "run.ckpt")


def test_a_bar_for_the_rest_of_an_epoch(tmp_path, monkeypatch):
    path, opened = tmp_path / "run.ckpt", []
    saved(path)

    class Bar:
        def __init__(self, **options):
            opened.append((options["desc"], options["initial"], options["total"]))

        def update(self):
            return False

        def close(self):
            opened.append("closed")

    monkeypatch.setattr("minidl.training.progress_bar.is_interactive", lambda: True)
    monkeypatch.setattr("minidl.training.progress_bar._tqdm", lambda: Bar)
    again(path, callbacks=[dl.ProgressBar()])
    assert opened == [("epoch 2/2", 2, 4), "closed"]


def test_targets_that_are_true_or_false_stay_so(tmp_path):
    kinds = []

    def kind(y_true, y_pred):
        kinds.append(y_true.dtype)
        return float(y_true.mean())

    path, data = tmp_path / "run.ckpt", (X, Y > 0)
    whole = saved(path, data=data, metrics=[kind])
    trainer = again(path, data=data, metrics=[kind])
    assert set(kinds) == {np.dtype(bool)}
    np.testing.assert_array_equal(trainer.history["kind"], whole.history["kind"])
