"""Chains: the loop over bound calls that every pass after the first one is."""

import copy
import pickle
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

import minidl as dl
from minidl.containers.chain import Chain
from minidl.containers.nesting import innermost_layers

X = np.random.default_rng(0).normal(size=(6, 5)).astype(np.float32)
Y = np.array([0, 1, 2, 0, 1, 2])


class Same(dl.Layer):
    """y = x, until told to do something else."""

    def __init__(self):
        self.on_forward = self.on_backward = None

    def forward(self, x, *, training=False, out=None):
        return x if self.on_forward is None else self.on_forward(x)

    def backward(self, dy, *, input_grad=True, out=None):
        return dy if self.on_backward is None else self.on_backward(dy)


def around(layer, last=dl.Softmax):
    """The layer inside a nested Sequential, behind a Dense and before another one."""
    inner = dl.Sequential([dl.ReLU(), layer])
    return dl.Sequential([dl.Dense(4), inner, dl.Dense(3), last()]).build((5,), rng=0)


def by_hand(model):
    def train():
        y = model.forward(X, training=True)
        model.backward(np.ones_like(y))

    return train


def by_objective(model):
    objective = dl.Objective(model, dl.CrossEntropy())
    return lambda: objective.value_and_grad(X, Y)


def in_chunks(model):
    objective = dl.Objective(model, dl.CrossEntropy(), chunk_rows=2)
    return lambda: objective.value_and_grad(X, Y)


def in_inference(model):
    return lambda: model.predict(X)


def without_gradient(model):
    objective = dl.Objective(model, dl.CrossEntropy())
    return lambda: objective.value(X, Y)


TRAINING = [by_hand, by_objective, in_chunks]
INFERENCE = [in_inference, without_gradient]
PLACE = r"Same\(\) in layer 1 of Sequential in layer 1 of Sequential"
later = pytest.mark.parametrize("passes", [0, 1, 2], ids="after {} passes".format)


def breaks(a):
    raise ZeroDivisionError("broken")


def set_option(model, name, value):
    """Change the middle layer, as a user of the model would, for all that is made of it."""
    setattr(model.layers[1].layers[1], name, value)


@later
@pytest.mark.parametrize(
    ("start", "name"),
    [
        *((start, "on_forward") for start in (*TRAINING, *INFERENCE)),
        *((start, "on_backward") for start in TRAINING),
    ],
)
def test_an_error_names_the_layer_once(start, name, passes):
    model = around(Same())
    run = start(model)
    for _ in range(passes):
        run()
    set_option(model, name, breaks)
    with pytest.raises(ZeroDivisionError, match="broken") as raised:
        run()
    assert raised.value.__notes__ == [f"in {model.layers[1].layers[1].where}"]
    set_option(model, name, None)
    run()  # and the model is not the worse for it


@later
@pytest.mark.parametrize(
    ("bad", "error", "message"),
    [
        (lambda a: a[:, :2], dl.ShapeError, r"returned shape \(\d, 2\), expected \(\d, 4\)"),
        (lambda a: a[:1], dl.ShapeError, r"returned shape \(1, 4\), expected \(\d, 4\)"),
        (lambda a: a.astype(np.float64), dl.DTypeError, "returned dtype float64, expected float32"),
    ],
    ids=["columns", "rows", "dtype"],
)
@pytest.mark.parametrize(
    ("start", "name"),
    [
        *((start, "on_forward") for start in (*TRAINING, *INFERENCE)),
        *((start, "on_backward") for start in TRAINING),
    ],
)
def test_a_wrong_result_names_the_layer(start, name, bad, error, message, passes):
    model = around(Same())
    run = start(model)
    for _ in range(passes):
        run()
    set_option(model, name, bad)
    with pytest.raises(error, match=rf"{PLACE}: {name[3:]} {message}"):
        run()


@later
@pytest.mark.parametrize("name", ["on_forward", "on_backward"])
@pytest.mark.parametrize("start", TRAINING)
def test_a_missing_result_names_the_layer(start, name, passes):
    model = around(Same())
    run = start(model)
    for _ in range(passes):
        run()
    set_option(model, name, lambda a: None)
    with pytest.raises(dl.ContractError, match=rf"{PLACE}: {name[3:]} must return an array"):
        run()


class FirstTwo(Same):
    """y = x[:, :2], until told to do something else."""

    def output_shape(self, input_shape):
        return (2,)

    def forward(self, x, *, training=False, out=None):
        return x[:, :2] if self.on_forward is None else self.on_forward(x)


@pytest.mark.parametrize("columns", [1, 3])  # three are what the layer before returns
def test_a_wrong_result_of_the_last_layer_is_found_in_inference(columns):
    last = FirstTwo()
    model = dl.Sequential([dl.Dense(3), last]).build((5,), rng=0)
    model.predict(X)
    last.on_forward = lambda x: x[:, :columns]
    with pytest.raises(dl.ShapeError, match=r"FirstTwo\(\) in layer 1 of Sequential: forward retu"):
        model.predict(X)


def test_what_comes_back_where_no_gradient_is_wanted_is_of_no_interest():
    class Talks(dl.Dense):
        def backward(self, dy, *, input_grad=True, out=None):
            dx = super().backward(dy, input_grad=input_grad, out=out)
            return dx if input_grad else dy.sum()

    ours, plain = (
        dl.Sequential([kind(3), dl.Tanh()]).build((5,), rng=0) for kind in (Talks, dl.Dense)
    )
    for _ in range(2):
        for model in (ours, plain):
            y = model.forward(X, training=True)
            assert model.backward(y, input_grad=False) is None
        np.testing.assert_array_equal(ours.grads, plain.grads)


def test_an_inference_pass_that_fails_is_run_again_with_the_checks():
    layer = Same()
    model = around(layer)
    expected, calls = model.predict(X), []

    def fails_once(x):
        calls.append(len(x))
        return x if len(calls) > 1 else breaks(x)

    layer.on_forward = fails_once
    np.testing.assert_array_equal(model.predict(X), expected)
    assert calls == [6, 6]
    np.testing.assert_array_equal(model.predict(X), expected)
    assert calls == [6, 6, 6]  # and once from then on


def appended(layers):
    layers.append(dl.ReLU())


def removed(layers):
    layers.pop()


def replaced(layers):
    layers[-1] = copy.deepcopy(layers[-1])


def swapped(layers):
    layers.reverse()


@pytest.mark.parametrize("edit", [appended, removed, replaced, swapped])
@pytest.mark.parametrize("start", [by_hand, by_objective, in_inference, without_gradient])
@pytest.mark.parametrize("passes", [0, 2])
def test_a_list_changed_after_build_is_an_error(start, edit, passes):
    for inside in (False, True):
        model = around(Same())
        run = start(model)
        for _ in range(passes):
            run()
        before = list(model.layers[1].layers if inside else model.layers)
        edit(model.layers[1].layers if inside else model.layers)
        place = "Sequential in layer 1 of Sequential" if inside else "Sequential"
        with pytest.raises(dl.StateError, match=f"^{place}: its list of layers was changed after"):
            run()
        (model.layers[1].layers if inside else model.layers)[:] = before
        run()


def test_an_objective_on_a_changed_list_is_refused():
    model = around(Same())
    model.layers[1].layers.append(dl.ReLU())
    with pytest.raises(dl.StateError, match="its list of layers was changed after build"):
        dl.Objective(model, dl.CrossEntropy())


def test_nested_layers_come_in_order():
    deep = dl.Sequential([dl.Sequential([dl.Dense(2)]), dl.ReLU()])
    model = dl.Sequential([dl.Tanh(), deep, dl.Softmax()]).build((3,))
    expected = [model.layers[0], deep.layers[0].layers[0], deep.layers[1], model.layers[2]]
    assert innermost_layers(model) == expected
    assert innermost_layers(model.layers[0]) == [model.layers[0]]

    class Twice(dl.Sequential):
        def forward(self, x, *, training=False, out=None):
            return super().forward(2 * x, training=training, out=out)

    own = Twice([dl.Dense(2)])
    assert innermost_layers(dl.Sequential([own, dl.ReLU()]).build((3,)))[0] is own


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_a_flat_and_a_nested_model_give_the_same_bits(dtype):
    results = []
    for layers in (
        [dl.Dense(4), dl.Tanh(), dl.Dropout(0.3), dl.Dense(3), dl.Softmax()],
        [dl.Dense(4), dl.Sequential([dl.Tanh(), dl.Sequential([dl.Dropout(0.3), dl.Dense(3)])])],
    ):
        loss = dl.CrossEntropy(from_logits=not isinstance(layers[-1], dl.Softmax))
        model = dl.Sequential(layers).build((5,), rng=0, dtype=dtype)
        for layer in model.walk():
            if isinstance(layer, dl.Dropout):
                layer._rng = np.random.default_rng(7)
        objective = dl.Objective(model, loss)
        steps = [objective.value_and_grad(X.astype(dtype), Y) for _ in range(3)]
        results.append([(value, grads.tobytes()) for value, grads in steps])
    assert results[0] == results[1]


def test_nested_containers_keep_their_rules_after_a_flat_pass():
    model = around(Same())
    dl.Objective(model, dl.CrossEntropy()).value_and_grad(X, Y)
    inner = model.layers[1]
    with pytest.raises(dl.StateError, match=r"^Sequential in layer 1 of Sequential: backward need"):
        inner.backward(np.ones((6, 4), np.float32))
    h = inner.forward(np.ones((6, 4), np.float32), training=True)
    inner.backward(h)
    with pytest.raises(dl.StateError, match="backward needs a training forward before it"):
        inner.backward(h)


def test_buffers_are_reused_and_serve_batches_of_any_size():
    model = dl.Sequential([dl.Dense(4), dl.Tanh(), dl.Dense(3)]).build((5,), rng=0, dtype=float)
    chain = Chain(model, model.layers)
    rng = np.random.default_rng(1)
    for n in (4, 4, 2, 7, 7, 1):
        x = rng.normal(size=(n, 5))
        y = chain.forward(x)
        np.testing.assert_array_equal(y, model.predict(x))
        dx = chain.backward(np.ones_like(y), input_grad=True)
        twin = copy.deepcopy(model)
        twin.forward(x, training=True)
        np.testing.assert_array_equal(dx, twin.backward(np.ones_like(y)))
        np.testing.assert_array_equal(model.grads, twin.grads)
        assert chain.forward(x) is y
        assert chain.backward(np.ones_like(y), input_grad=True) is dx


def test_a_given_out_is_used_in_later_passes_too():
    model = dl.Sequential([dl.Dense(4), dl.Tanh(), dl.Dense(3)]).build((5,), rng=0)
    chain = Chain(model, model.layers)
    expected = model.predict(X)
    for _ in range(3):
        y, dx = np.full((6, 3), np.nan, np.float32), np.full((6, 5), np.nan, np.float32)
        assert chain.forward(X, y) is y
        np.testing.assert_array_equal(y, expected)
        assert chain.backward(np.ones_like(y), True, dx) is dx
        assert np.isfinite(dx).all()
        inference = np.full_like(y, np.nan)
        assert chain.infer(X, inference) is inference
        np.testing.assert_array_equal(inference, expected)


@pytest.mark.parametrize("passes", [0, 1])
def test_several_threads_predict_at_once(passes):
    model = around(Same())
    batches = [np.random.default_rng(n).normal(size=(n, 5)) for n in range(1, 41)]
    expected = [copy.deepcopy(model).predict(x) for x in batches]
    for _ in range(passes):
        model.predict(X)
    with ThreadPoolExecutor(4) as pool:
        for y, right in zip(pool.map(model.predict, batches), expected, strict=True):
            np.testing.assert_array_equal(y, right)


def trained():
    model = dl.Sequential([dl.Dense(4), dl.Dropout(0.2), dl.Dense(3), dl.Softmax()])
    trainer = dl.Trainer(model.build((5,), rng=0), dl.CrossEntropy(), dl.SGD(0.1), rng=0)
    trainer.fit(X, Y, epochs=2, batch_size=4)
    trainer.model.predict(X)
    return trainer


@pytest.mark.parametrize(
    "copied", [copy.deepcopy, lambda a: pickle.loads(pickle.dumps(a))], ids=["deepcopy", "pickle"]
)
@pytest.mark.parametrize("part", ["trainer", "objective", "model"])
def test_copies_work_and_share_nothing(copied, part):
    trainer = trained()
    if part == "trainer":
        twin = copied(trainer).objective
    elif part == "objective":
        twin = copied(trainer.objective)
    else:
        twin = dl.Objective(copied(trainer.model), dl.CrossEntropy())
    mine, its = trainer.model, twin.model
    before = mine.params.copy(), mine.grads.copy()
    np.testing.assert_array_equal(its.predict(X), mine.predict(X))
    its.params *= 2
    twin.value_and_grad(X, Y)
    np.testing.assert_array_equal(mine.params, before[0])
    np.testing.assert_array_equal(mine.grads, before[1])
    chains = [twin._chain, *its.bound.chains.values()]
    assert not {id(layer) for layer in mine.walk()} & {
        id(layer) for chain in chains for layer in chain.layers
    }
    first = twin.value_and_grad(X, Y)[1].copy()
    trainer.objective.value_and_grad(X[:3], Y[:3])
    np.testing.assert_array_equal(its.grads, first)


def test_a_replica_has_chains_of_its_own():
    model = trained().model
    replica = model.replica()
    np.testing.assert_array_equal(replica.predict(X), model.predict(X))
    y = model.forward(X, training=True).copy()
    replica.forward(X[:2], training=True)
    model.backward(np.ones_like(y))  # finds its own pass untouched
    grads = model.grads.copy()
    replica.backward(np.ones_like(y[:2]))
    np.testing.assert_array_equal(model.grads, grads)
    model.params *= 2
    np.testing.assert_array_equal(replica.predict(X), model.predict(X))


@pytest.mark.parametrize("bad", [lambda y: y[:1], lambda y: y.astype(float)], ids=["rows", "dtype"])
@pytest.mark.parametrize(
    "last", [dl.ReLU, dl.Softmax, lambda: dl.Dense(3)], ids=["ReLU", "Softmax", "Dense"]
)
def test_a_wrong_result_is_found_in_inference_with_out(last, bad):
    layer = Same()
    model = dl.Sequential([dl.Dense(3), layer, last()]).build((5,), rng=0)
    model.predict(X)
    layer.on_forward = bad
    with pytest.raises(
        dl.MinidlError, match=r"Same\(\) in layer 1 of Sequential: forward returned"
    ):
        model.predict(X, batch_size=3)


def test_a_missing_result_is_found_in_later_inference():
    layer = Same()
    model = dl.Sequential([dl.Dense(3), layer, dl.Dense(3)]).build((5,), rng=0)
    model.predict(X)
    layer.on_forward = lambda x: None
    with pytest.raises(
        dl.ContractError, match=r"Same\(\) in layer 1 of Sequential: forward must return"
    ):
        model.predict(X)


def test_the_first_backward_of_layers_in_front_is_checked():
    def writes(dy):
        dy *= 2
        return dy

    layer = Same()
    layer.on_backward = writes
    model = dl.Sequential([layer, dl.Dense(3)]).build((5,), rng=0)
    y = model.forward(X, training=True)
    model.backward(y, input_grad=False)  # spares the first layer
    model.forward(X, training=True)
    with pytest.raises(
        dl.ContractError, match=r"Same\(\) in layer 0 of Sequential: backward wrote into dy"
    ):
        model.backward(y)


def test_a_changed_list_is_found_in_chunks_too():
    model = dl.Sequential([dl.Dense(3), dl.Softmax()]).build((5,), rng=0)
    objective = dl.Objective(model, dl.CrossEntropy(), chunk_rows=2)
    y = np.array([0, 1, 2, 0, 1, 2])
    objective.value_and_grad(X, y)
    model.layers.append(dl.ReLU())
    with pytest.raises(dl.StateError, match="its list of layers was changed after build"):
        objective.value_and_grad(X, y)


def test_a_container_of_a_users_own_may_have_a_tuple_of_children():
    class Same(dl.Layer):
        def __init__(self, body):
            self.body, self.children = body, (body,)

        def forward(self, x, *, training=False, out=None):
            return self.body.forward(x, training=training, out=out)

        def backward(self, dy, *, input_grad=True, out=None):
            return self.body.backward(dy, input_grad=input_grad, out=out)

    model = dl.Sequential([Same(dl.Dense(5)), dl.Dense(2)]).build((5,), rng=0)
    dl.testing.check_layer(model, (5,))


def test_a_subclass_of_sequential_notices_a_replaced_layer():
    class Shift(dl.Sequential):
        def forward(self, x, *, training=False, out=None):
            return super().forward(x + 1, training=training, out=out)

    model = Shift([dl.Dense(3), dl.ReLU()]).build((5,))
    model.predict(X)
    model.layers[1] = dl.Tanh()
    with pytest.raises(dl.StateError, match="its list of layers was changed after build"):
        model.predict(X)


def test_a_subclass_of_sequential_is_not_taken_to_be_checked():
    class Cuts(dl.Sequential):
        width = 3

        def forward(self, x, *, training=False, out=None):
            return super().forward(x, training=training)[:, : self.width]

    model = Cuts([dl.Dense(3)]).build((5,), rng=0)
    model.predict(X)
    model.width = 2
    with pytest.raises(dl.ShapeError, match="forward returned shape"):
        model.predict(X)


class Widen(dl.Layer):
    """(N, 1) to (N, 3), until told to forget it."""

    forget = False

    def output_shape(self, input_shape):
        return (3,)

    def forward(self, x, *, training=False, out=None):
        return x if self.forget else np.repeat(x, 3, axis=1)

    def backward(self, dy, *, input_grad=True, out=None):
        return dy.sum(axis=1, keepdims=True)


def test_what_the_last_layer_would_broadcast_is_found():
    layer = Widen()
    layers = [dl.Dense(3), dl.ReLU(), dl.Dense(1), layer, dl.ReLU()]
    model = dl.Sequential(layers).build((5,), rng=0)
    model.predict(X)
    layer.forget = True
    with pytest.raises(
        dl.ShapeError, match=r"Widen\(\) in layer 3 of Sequential: forward returned"
    ):
        model.predict(X, batch_size=3)
