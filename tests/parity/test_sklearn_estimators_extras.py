"""What the estimators have and scikit-learn's have not."""

import copy
import importlib
import sys
import warnings

import numpy as np
import pytest
from scipy import sparse
from sklearn.datasets import load_digits, make_multilabel_classification
from sklearn.exceptions import NotFittedError
from sklearn.utils.class_weight import compute_sample_weight

import minidl as dl
import minidl.sklearn
from minidl.sklearn import MLPClassifier, MLPRegressor

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

X, Y = load_digits(return_X_y=True)
X, X_TEST, Y, Y_TEST = X[:600] / 16, X[600:900] / 16, Y[:600], Y[600:900]


def classifier(*sizes, **settings):
    settings = {"max_iter": 10, "random_state": 0} | settings
    return MLPClassifier(sizes or (16,), **settings)


def names(estimator):
    return [repr(layer) for layer in estimator.model_.layers]


def test_layers_of_the_network():
    mlp = classifier(
        8, 6, 5, activation=["relu", dl.LeakyReLU(0.2), "identity"], dropout=[0, 0.5, 0.25],
        batch_norm=True, max_iter=1,
    ).fit(X, Y)  # fmt: skip
    norm = "BatchNorm()"
    assert names(mlp) == [
        *("Dense(8)", norm, "ReLU()"),
        *("Dense(6)", norm, "LeakyReLU(negative_slope=0.2)", "Dropout(0.5)"),
        *("Dense(5)", norm, "Dropout(0.25)"),
        *("Dense(10)", "Softmax()"),
    ]
    assert mlp.n_layers_ == 5
    assert [w.shape for w in mlp.coefs_] == [(64, 8), (8, 6), (6, 5), (5, 10)]


@pytest.mark.parametrize(
    ("name", "layer"),
    [("elu", "ELU()"), ("gelu", "GELU()"), ("leaky_relu", "LeakyReLU()"), ("selu", "SELU()"),
     ("silu", "SiLU()"), ("softplus", "Softplus()"), (dl.GELU(), "GELU()")],
)  # fmt: skip
def test_more_activations(name, layer):
    mlp = classifier(24, activation=name, max_iter=30, learning_rate_init=0.01).fit(X, Y)
    assert names(mlp)[1] == layer
    assert mlp.score(X_TEST, Y_TEST) > 0.85


def test_dropout_and_batch_norm_change_training_and_not_prediction():
    shared = {"max_iter": 30, "learning_rate_init": 0.01}
    plain = classifier(64, **shared).fit(X, Y)
    for settings in ({"dropout": 0.5}, {"batch_norm": True}):
        mlp = classifier(64, **shared, **settings).fit(X, Y)
        assert mlp.loss_ != pytest.approx(plain.loss_, rel=0.01)
        again = classifier(64, **shared, **settings).fit(X, Y)
        np.testing.assert_array_equal(mlp.predict_proba(X), again.predict_proba(X))
        assert mlp.score(X_TEST, Y_TEST) > 0.85


def convolution():
    return [
        dl.Reshape((8, 8, 1)), dl.Conv2D(8, 3), dl.ReLU(), dl.MaxPool2D(2), dl.Flatten(),
        dl.Dropout(0.1),
    ]  # fmt: skip


@pytest.mark.parametrize("given", [convolution(), convolution], ids=["list", "function"])
def test_any_layers(given):
    before = copy.deepcopy(given)
    mlp = classifier(layers=given, max_iter=20, learning_rate_init=0.01).fit(X, Y)
    assert mlp.score(X_TEST, Y_TEST) > 0.85
    assert mlp.n_layers_ == 2
    assert mlp.layers is given
    if isinstance(given, list):
        assert repr(given) == repr(before)
        assert not any(layer.built for layer in given)
    again = classifier(layers=given, max_iter=20, learning_rate_init=0.01).fit(X, Y)
    np.testing.assert_array_equal(mlp.model_.params, again.model_.params)


def test_layers_of_another_model_keep_their_values():
    first = classifier(16, max_iter=30).fit(X, Y)
    hidden = first.model_.layers[:2]
    mlp = classifier(layers=hidden, max_iter=1, learning_rate_init=1e-9).fit(X[:50], Y[:50] % 2)
    np.testing.assert_allclose(mlp.coefs_[0], first.coefs_[0], atol=1e-6)


def test_alpha_holds_the_weights_of_any_layers_but_those_with_a_penalty():
    layers = [dl.Reshape((8, 8, 1)), dl.Conv2D(4, 3), dl.Tanh(), dl.Flatten()]
    layers += [dl.Dense(5, weight_penalty=dl.L2(0.5))]

    def step(alpha, rate):
        mlp = classifier(
            layers=layers, alpha=alpha, solver="sgd", momentum=0.0, learning_rate_init=rate,
            max_iter=1, batch_size=600,
        ).fit(X, Y)  # fmt: skip
        return [mlp.model_.layers[i] for i in (1, 4, 5)]

    for start, without, with_alpha in zip(step(0, 1e-15), step(0, 0.1), step(60, 0.1), strict=True):
        own = start.weight_penalty is not None
        shrinkage = 0.0 if own else 0.1 * 60 / 600 * start.weight  # rate alpha / n W
        np.testing.assert_allclose(without.weight - with_alpha.weight, shrinkage, atol=1e-12)
        np.testing.assert_allclose(without.bias, with_alpha.bias, atol=1e-12)


@pytest.mark.parametrize(
    ("loss", "layer"),
    [
        (dl.CrossEntropy(label_smoothing=0.1), "Softmax()"),
        (dl.CrossEntropy(from_logits=True), "Dense(10)"),
        (dl.KLDivergence(), "Softmax()"),
        (dl.BinaryCrossEntropy(), "Sigmoid()"),
        (dl.Hinge(), "Dense(10)"),
        (dl.MeanSquaredError(), "Dense(10)"),
    ],
    ids=repr,
)
@pytest.mark.parametrize("two", [False, True])
def test_any_loss_of_a_classifier(loss, layer, two):
    y = Y % 2 if two else Y
    mlp = classifier(32, loss=loss, max_iter=60, learning_rate_init=0.01).fit(X, y)
    wide = isinstance(loss, dl.CrossEntropy | dl.KLDivergence)
    outputs = 10 if not two else 2 if wide else 1
    assert names(mlp)[-1] == layer.replace("10", str(outputs))
    assert mlp.score(X, y) > 0.95
    if loss.activation is None:
        scores = mlp.decision_function(X_TEST)
        middle = 0 if isinstance(loss, dl.Hinge) else 0.5
        np.testing.assert_array_equal(scores, mlp.model_.predict(X_TEST).squeeze() - middle)
        assert scores.shape == ((len(X_TEST),) if two else (len(X_TEST), 10))
        answers = (scores > 0).astype(int) if two else scores.argmax(axis=1)
        np.testing.assert_array_equal(answers, mlp.predict(X_TEST))
        assert not hasattr(mlp, "predict_proba")
        with pytest.raises(AttributeError, match="predict_log_proba"):
            mlp.predict_log_proba(X_TEST)
        return
    assert not hasattr(mlp, "decision_function")
    p = mlp.predict_proba(X_TEST)
    assert p.shape == (len(X_TEST), 2 if two else 10)
    np.testing.assert_allclose(p.sum(axis=1), 1, atol=1e-12)
    np.testing.assert_array_equal(p.argmax(axis=1), mlp.predict(X_TEST))
    np.testing.assert_allclose(mlp.predict_log_proba(X_TEST), np.log(p), rtol=1e-12)


@pytest.mark.parametrize("loss", [dl.Huber(), dl.Quantile(0.9), dl.Poisson()], ids=repr)
def test_any_loss_of_a_regressor(loss):
    rng = np.random.default_rng(0)
    x = rng.uniform(-1, 1, (600, 1))
    y = np.exp(1 + x[:, 0])
    if isinstance(loss, dl.Quantile):
        y = rng.poisson(y).astype(float)
    mlp = MLPRegressor(loss, (16,), learning_rate_init=0.02, random_state=0).fit(x, y)
    predicted = mlp.predict(x)
    assert predicted.shape == (600,)
    if isinstance(loss, dl.Quantile):
        assert (y <= predicted).mean() == pytest.approx(0.9, abs=0.04)
    else:
        assert np.abs(predicted - y).mean() < 0.05


@pytest.mark.parametrize("weight", ["balanced", {3: 10.0, 4: 0.0}], ids=str)
@pytest.mark.parametrize("solver", ["adam", "lbfgs"])
def test_class_weight_is_sample_weight(weight, solver):
    full = weight if isinstance(weight, str) else dict.fromkeys(range(10), 1.0) | weight
    mine = classifier(class_weight=weight, solver=solver).fit(X, Y)
    other = classifier(solver=solver).fit(X, Y, compute_sample_weight(full, Y))
    np.testing.assert_allclose(mine.predict_proba(X), other.predict_proba(X), atol=1e-6)


def test_class_weight_of_named_classes():
    y = np.where(Y == 3, "three", "other")
    weight = np.where(Y == 3, 20.0, 1.0)
    own = np.random.default_rng(0).uniform(0.5, 2, len(y))
    mine = classifier(class_weight={"three": 20.0}).fit(X, y, own)
    other = classifier().fit(X, y, weight * own)
    np.testing.assert_allclose(mine.predict_proba(X), other.predict_proba(X), atol=1e-12)
    mine.partial_fit(X, y)
    with pytest.raises(ValueError, match=r"class_weight: \{'four'\} are not among the classes"):
        classifier(class_weight={"four": 2.0}).fit(X, y)
    with pytest.raises(ValueError, match="'balanced' needs all labels at once"):
        classifier(class_weight="balanced").partial_fit(X, y, classes=["other", "three"])
    x, y = make_multilabel_classification(50, random_state=0)
    with pytest.raises(ValueError, match="needs one class a sample"):
        classifier(class_weight="balanced").fit(x, y)


def test_validation_data_and_history():
    mlp = classifier().fit(X, Y, validation_data=(X_TEST, Y_TEST))
    history = mlp.history_
    assert set(history) == {"loss", "val_loss", "val_score", "seconds"}
    assert history["loss"].tolist() == mlp.loss_curve_
    assert history["val_score"].tolist() == mlp.validation_scores_
    assert history["val_score"][-1] == mlp.score(X_TEST, Y_TEST)
    p = mlp.predict_proba(X_TEST)[np.arange(len(Y_TEST)), Y_TEST]
    assert history["val_loss"][-1] == pytest.approx(-np.log(p).mean(), rel=1e-9)
    same = classifier().fit(X, Y)
    np.testing.assert_array_equal(same.model_.params, mlp.model_.params)


def test_early_stopping_by_validation_data_goes_back_to_the_best():
    settings = {"early_stopping": True, "max_iter": 100, "learning_rate_init": 0.05}
    mlp = classifier(batch_norm=True, **settings).fit(X, Y, validation_data=(X_TEST, Y_TEST))
    assert mlp.n_iter_ < 100
    assert mlp.best_validation_score_ == max(mlp.validation_scores_) == mlp.score(X_TEST, Y_TEST)


def test_a_loss_for_the_next_fit_does_not_change_what_there_is():
    mlp = classifier(max_iter=1).fit(X, Y)
    p = mlp.predict_proba(X)
    mlp.set_params(loss=dl.Hinge())
    np.testing.assert_array_equal(mlp.predict_proba(X), p)
    assert not hasattr(mlp, "decision_function")
    assert hasattr(mlp.fit(X, Y), "decision_function")
    assert not hasattr(mlp.set_params(loss="log_loss"), "predict_proba")
    assert hasattr(classifier(loss=dl.Hinge()), "decision_function")


def test_weights_of_validation_data():
    weight = np.random.default_rng(0).uniform(0, 2, len(Y_TEST))
    for solver in ("adam", "lbfgs"):
        mlp = classifier(solver=solver).fit(X, Y, validation_data=(X_TEST, Y_TEST, weight))
        score = mlp.score(X_TEST, Y_TEST, weight)
        assert mlp.history_["val_score"][-1] == pytest.approx(score, rel=1e-12)
        p = mlp.predict_proba(X_TEST)[np.arange(len(Y_TEST)), Y_TEST]
        expected = np.average(-np.log(p), weights=weight)
        assert mlp.history_["val_loss"][-1] == pytest.approx(expected, rel=1e-9)


def test_frozen_layers_keep_their_values_and_have_no_penalty():
    frozen = dl.Dense(5)
    frozen.trainable = False
    settings = {"layers": [frozen, dl.ReLU()], "learning_rate_init": 1e-15, "max_iter": 1}
    settings |= {"batch_size": 600, "solver": "sgd"}
    without, mlp = (classifier(alpha=alpha, **settings).fit(X, Y) for alpha in (0.0, 600.0))
    np.testing.assert_array_equal(without.coefs_[0], mlp.coefs_[0])
    penalty = 0.5 * np.square(mlp.coefs_[1]).sum()
    assert mlp.loss_ == pytest.approx(without.loss_ + penalty, rel=1e-9)


def test_callbacks_see_where_partial_fit_stands():
    class Places(dl.Callback):
        def on_epoch_end(self, trainer):
            self.place = trainer.epoch, trainer.step

    mlp = classifier(callbacks=[Places()])
    for epoch in (1, 2):
        mlp.partial_fit(X, Y, classes=range(10))
        assert mlp.callbacks_[0].place == (epoch, 3 * epoch)


@pytest.mark.parametrize("solver", ["adam", "lbfgs"])
def test_callbacks_are_copied(solver):
    class Count(dl.Callback):
        epochs = 0

        def on_epoch_end(self, trainer):
            self.epochs += 1
            if self.epochs == 4:
                trainer.stop("enough")

    count = Count()
    mlp = classifier(callbacks=[count], solver=solver).fit(X, Y)
    assert (count.epochs, mlp.callbacks_[0].epochs, mlp.n_iter_) == (0, 4, 4)
    assert mlp.fit(X, Y).n_iter_ == 4


def test_callbacks_watch_validation_data():
    stopping = dl.EarlyStopping("val_score", mode="max", patience=2)
    mlp = classifier(callbacks=[stopping], max_iter=200, learning_rate_init=0.05)
    mlp.fit(X, Y, validation_data=(X_TEST, Y_TEST))
    assert mlp.n_iter_ < 200
    assert mlp.score(X_TEST, Y_TEST) == max(mlp.history_["val_score"])


@pytest.mark.parametrize("kind", [np.asarray, sparse.csr_array, sparse.csc_array])
def test_transform(kind):
    mlp = classifier(12, 7, activation=["tanh", "relu"]).fit(kind(X), Y)
    hidden = np.tanh(X @ mlp.coefs_[0] + mlp.intercepts_[0])
    last = np.maximum(hidden @ mlp.coefs_[1] + mlp.intercepts_[1], 0)
    x = kind(X)
    np.testing.assert_allclose(mlp.transform(x), last, atol=1e-12)
    np.testing.assert_allclose(mlp.transform(x, layer=1), hidden, atol=1e-12)
    np.testing.assert_allclose(mlp.transform(x, layer="1.tanh"), hidden, atol=1e-12)
    np.testing.assert_allclose(mlp.transform(x, layer=-1), mlp.predict_proba(x), atol=1e-12)
    assert mlp.get_feature_names_out().tolist() == [f"mlpclassifier{i}" for i in range(7)]
    assert len(mlp.get_feature_names_out(layer="0.dense")) == 12
    for wrong in (6, -7, "1.relu", 1.0):
        with pytest.raises(ValueError, match=r"layer must be a number below 6 or one of 0\.dense"):
            mlp.transform(x, layer=wrong)


def test_transform_of_many_rows_and_of_images():
    mlp = classifier(layers=convolution, max_iter=1).fit(X, Y)
    many = np.tile(X, (20, 1))
    assert mlp.transform(many, layer="1.conv2d").shape == (12_000, 6 * 6 * 8)
    np.testing.assert_array_equal(mlp.transform(many)[-600:], mlp.transform(X))
    linear = MLPRegressor(hidden_layer_sizes=(), max_iter=1).fit(X, Y)
    np.testing.assert_array_equal(linear.transform(X), X)


def test_one_class_and_sparse_labels():
    mlp = classifier().fit(X, np.full(len(X), "only"))
    assert set(mlp.predict(X)) == {"only"}
    x, y = make_multilabel_classification(100, random_state=0)
    mlp.fit(x, sparse.csr_array(y))
    assert sparse.issparse(mlp.predict(x))
    scores = mlp.set_params(loss=dl.MeanSquaredError()).fit(x, y).decision_function(x)
    np.testing.assert_array_equal(scores > 0, mlp.predict(x) == 1)


def test_sparse_rows_are_not_made_dense():
    columns = 200_000  # as floats, 1.6 GB for these rows
    rows = sparse.random_array((1000, columns), density=1e-4, rng=np.random.default_rng(0)).tocsr()
    y = (rows[:, :1000].sum(axis=1) > 0).astype(int)
    mlp = classifier(2, max_iter=2).fit(rows, y)
    assert mlp.predict(rows).shape == (1000,)
    assert mlp.coefs_[0].shape == (columns, 2)


def test_mistakes():
    with pytest.raises(NotFittedError, match="This MLPClassifier instance is not fitted yet"):
        classifier().predict(X)
    mlp = classifier(max_iter=1).fit(X, Y)
    with pytest.raises(ValueError, match="X has 5 features, but MLPClassifier is expecting 64"):
        mlp.predict(X[:, :5])
    with pytest.raises(ValueError, match=r"`y` has classes not in `self.classes_`.*\[11\] as well"):
        mlp.partial_fit(X, np.where(Y == 3, 11, Y))
    with pytest.raises(ValueError, match="partial_fit does not support early_stopping=True"):
        classifier(early_stopping=True).partial_fit(X, Y, classes=range(10))
    with pytest.raises(AttributeError, match="has no attribute 'partial_fit'"):
        classifier(solver="lbfgs").partial_fit(X, Y)
    with pytest.raises(ValueError, match="Leave out the output layer"):
        classifier(layers=[dl.Dense(10), dl.Softmax()]).fit(X, Y)
    with pytest.raises(ValueError, match="draws random numbers in training"):
        classifier(solver="lbfgs", dropout=0.5).fit(X, Y)
    with pytest.raises(ValueError, match="one item for each of 2 hidden layers, got 1"):
        classifier(5, 5, activation=["relu"]).fit(X, Y)
    with pytest.raises(ValueError, match=r"expected 'identity'.* got 'swish'"):
        classifier(5, activation=["swish"]).fit(X, Y)
    for sizes in ((5, 0), (5, 5.5), (5, [5, 4])[1:], (-1,)):
        with pytest.raises(ValueError, match="hidden_layer_sizes must be > 0 and whole numbers"):
            classifier(*sizes).fit(X, Y)
    for layers in (dl.Dense(5), dl.Sequential([dl.Dense(5)]), lambda: None):
        with pytest.raises(TypeError, match=r"layers: expected a list of layers, or a function"):
            classifier(layers=layers).fit(X, Y)
    for settings in ({"dropout": 0.5}, {"dropout": [0.5]}, {"batch_norm": True}):
        with pytest.raises(ValueError, match="dropout and batch_norm are for the layers of hidden"):
            classifier(layers=[dl.Dense(5)], **settings).fit(X, Y)
    with pytest.warns(UserWarning, match="batch_size=601 is larger than the number of samples"):
        classifier(batch_size=601).fit(X, Y)
    with pytest.raises(ValueError, match="The validation set is too small"):
        classifier(early_stopping=True, validation_fraction=0.001).fit(X, Y)


@pytest.mark.parametrize(
    "wrong",
    [
        {"alpha": -1}, {"solver": "newton"}, {"activation": "swish"}, {"max_iter": 0},
        {"batch_size": 0}, {"momentum": 1.0}, {"dropout": 1.0}, {"dropout": -0.1},
        {"batch_norm": "yes"}, {"layers": 3}, {"loss": "hinge"}, {"class_weight": "even"},
        {"callbacks": 5}, {"early_stopping": 2}, {"n_iter_no_change": 0}, {"random_state": "a"},
    ],
    ids=str,
)  # fmt: skip
def test_parameters_are_checked_as_scikit_learn_does(wrong):
    (name,) = wrong
    with pytest.raises(ValueError, match=f"The '{name}' parameter of MLPClassifier must be"):
        classifier(**wrong).fit(X, Y)


def test_warnings_name_the_users_line():
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        classifier(batch_size=601, max_iter=1).fit(X, Y)
        classifier(solver="lbfgs", max_iter=1).fit(X, Y)
    assert len(caught) == 3
    assert {each.filename for each in caught} == {__file__}


def test_a_run_that_diverges_is_a_value_error():
    message = r"(?s)^Solver produced non-finite parameter weights\..* a smaller learning rate"
    with pytest.raises(ValueError, match=message) as caught:
        MLPRegressor(solver="sgd", learning_rate_init=1e6, random_state=0).fit(X, Y)
    assert isinstance(caught.value.__cause__, dl.DivergenceError)


def test_ctrl_c_keeps_what_has_been_learned():
    class CtrlC(dl.Callback):
        def on_batch_end(self, trainer, loss):
            if trainer.step == 8:
                raise KeyboardInterrupt

    mlp = classifier(callbacks=[CtrlC()])
    with pytest.warns(UserWarning, match="Training interrupted by user") as caught:
        mlp.fit(X, Y)
    assert caught[0].filename == __file__
    assert mlp.n_iter_ == 2
    assert len(mlp.predict(X)) == len(X)


@pytest.mark.parametrize("solver", ["adam", "lbfgs"])
@pytest.mark.parametrize("hook", ["on_epoch_begin", "on_batch_end", "on_epoch_end"])
def test_ctrl_c_in_the_first_epoch(solver, hook):
    class CtrlC(dl.Callback):
        pass

    def interrupt(self, *arguments):
        raise KeyboardInterrupt

    setattr(CtrlC, hook, interrupt)
    mlp = classifier(callbacks=[CtrlC()], solver=solver)
    with pytest.warns(UserWarning, match="Training interrupted by user") as caught:
        mlp.fit(X, Y, validation_data=(X_TEST, Y_TEST))
    assert {each.filename for each in caught} == {__file__}
    done = int(hook == "on_epoch_end")
    assert (mlp.n_iter_, len(mlp.loss_curve_), len(mlp.validation_scores_)) == (done,) * 3
    assert done or solver == "lbfgs" or np.isnan(mlp.loss_)
    assert len(mlp.predict(X)) == len(X)
    mlp.set_params(callbacks=None, warm_start=True)
    assert mlp.fit(X, Y).n_iter_ == 10


def test_early_stopping_that_comes_and_goes_between_warm_starts():
    mlp = classifier(early_stopping=True, warm_start=True, max_iter=5).fit(X, Y)
    mlp.set_params(early_stopping=False, n_iter_no_change=1, max_iter=12).fit(X, Y)
    assert mlp.n_iter_ == 12
    assert mlp.best_loss_ == mlp.loss_curve_[-1] == min(mlp.loss_curve_)
    mlp.set_params(early_stopping=True).fit(X, Y)
    assert mlp.best_validation_score_ == max(mlp.validation_scores_[17:])


@pytest.mark.parametrize(("name", "part"), [("coefs_", "weight"), ("intercepts_", "bias")])
def test_weights_that_are_put_in_place_are_those_of_the_network(name, part):
    mlp = classifier(8, max_iter=1).fit(X, Y)
    first, last = mlp.model_.layers[0], mlp.model_.layers[2]
    kept = copy.deepcopy(getattr(mlp, name))
    assert type(kept) is list
    setattr(mlp, name, [2 * kept[0], 3 * kept[1]])
    np.testing.assert_array_equal(getattr(first, part), 2 * kept[0])
    np.testing.assert_array_equal(getattr(last, part), 3 * kept[1])
    getattr(mlp, name)[-1] = kept[1]
    np.testing.assert_array_equal(getattr(last, part), kept[1])
    np.testing.assert_array_equal(getattr(first, part), 2 * kept[0])
    with pytest.raises(ValueError, match=rf"{part}.*shape"):
        getattr(mlp, name)[0] = kept[1]
    with pytest.raises(ValueError, match="shorter"):
        setattr(mlp, name, kept[:1])


@pytest.mark.parametrize("wrong", [X_TEST, (X_TEST,), "all"], ids=["array", "one", "text"])
def test_validation_data_is_a_tuple(wrong):
    with pytest.raises(ValueError, match=r"validation_data must be \(X, y\) or"):
        classifier().fit(X, Y, validation_data=wrong)


def test_the_extra_is_named_where_scikit_learn_is_missing(monkeypatch):
    monkeypatch.setitem(sys.modules, "sklearn", None)
    with pytest.raises(ImportError, match=r"pip install minidl\[sklearn\]"):
        importlib.reload(minidl.sklearn)
