"""Building a model: shapes, names, memory, and what is refused."""

import copy
import inspect

import numpy as np
import pytest

import minidl as dl


class Scale(dl.Layer):
    """y = beta x, the smallest layer with a parameter."""

    def parameter_specs(self, input_shape):
        return [dl.ParameterSpec("beta", (), dl.Ones())]

    def forward(self, x, *, training=False, out=None):
        if training:
            self.save_for_backward(x)
        return np.multiply(x, self.beta, out=out)

    def backward(self, dy, *, input_grad=True, out=None):
        (x,) = self.saved()
        self.gradients["beta"] = np.sum(dy * x)
        return np.multiply(dy, self.beta, out=out)


class Counter(dl.Layer):
    """Counts training passes in its state."""

    def state_specs(self, input_shape):
        return [dl.ParameterSpec("passes", (1,), dl.Zeros())]

    def forward(self, x, *, training=False, out=None):
        if training:
            self.passes += 1
        return x

    def backward(self, dy, *, input_grad=True, out=None):
        return dy


def test_any_layer_is_a_model():
    layer = dl.Dense(3).build((2,), rng=0)
    assert layer.built
    assert layer.input_shape == (2,)
    assert layer.dtype == np.float32
    assert layer.params.shape == (9,)
    assert layer.predict(np.ones((4, 2))).shape == (4, 3)


def test_build_returns_the_model_and_sets_dtype():
    model = dl.Sequential([dl.Dense(2)])
    assert model.build((3,), dtype="float64") is model
    assert model.params.dtype == np.float64


@pytest.mark.parametrize("shape", [784, (0,), (-1,), (2.5,), "784", None])
def test_input_shape_must_be_lengths(shape):
    with pytest.raises(dl.ShapeError, match="expected a tuple of positive lengths"):
        dl.Dense(1).build(shape)


@pytest.mark.parametrize("dtype", [np.int64, np.float16, complex])
def test_dtype_must_be_a_float(dtype):
    with pytest.raises(dl.DTypeError, match="float32 or float64"):
        dl.Dense(1).build((2,), dtype=dtype)


def test_shape_errors_name_the_layer_and_its_place():
    with pytest.raises(
        dl.ShapeError,
        match=r"Dense\(8\) in layer 1 of Sequential: expected input of shape \(N, D\), or "
        r"\(N, T, D\) for sequences, got \(N, 28, 28, 1\). Add Flatten\(\) before it",
    ):
        dl.Sequential([dl.ReLU(), dl.Dense(8)]).build((28, 28, 1))
    nested = dl.Sequential([dl.ReLU(), dl.Sequential([dl.Tanh(), dl.Dense(8)])])
    with pytest.raises(
        dl.ShapeError, match="in layer 1 of Sequential in layer 1 of Sequential: expected"
    ):
        nested.build((28, 28, 1))


def test_a_failed_build_changes_nothing():
    model = dl.Sequential([dl.Dense(4), dl.Dense(3)])
    with pytest.raises(dl.ShapeError, match="Add Flatten"):
        model.build((2, 2, 2))
    assert not any(layer.built for layer in model.walk())
    assert model.build((4,)).built


def test_the_same_layer_twice_is_refused():
    relu = dl.ReLU()
    with pytest.raises(dl.ArgumentError, match=r"stands in the model twice.*deepcopy"):
        dl.Sequential([relu, dl.Dense(2), relu]).build((2,))


def test_hidden_layers_are_refused():
    class Hides(dl.ReLU):
        def __init__(self):
            self.inner = [dl.Dense(3)]

    with pytest.raises(dl.ArgumentError, match=r"'inner' holds Dense\(3\), which is not in"):
        Hides().build((3,))


def test_parameter_names_must_be_free():
    class Swish(Scale):
        def __init__(self, beta):
            self.beta = beta

    with pytest.raises(dl.ArgumentError, match="Call the option initial_beta"):
        Swish(1.0).build((3,))


def test_an_output_shape_that_is_none_is_refused():
    class Odd(dl.ReLU):
        def output_shape(self, input_shape):
            return 3

    with pytest.raises(dl.ShapeError, match=r"Odd\(\) in layer 0 of Sequential: output_shape"):
        dl.Sequential([Odd()]).build((3,))


def test_an_initializer_of_the_wrong_shape_is_refused():
    class Bad(dl.Initializer):
        def __call__(self, rng, shape, fan_in, fan_out):
            return np.zeros(7)

    with pytest.raises(dl.ShapeError, match=r"returned shape \(7,\) for 'weight'"):
        dl.Dense(3, weight_initializer=Bad()).build((2,))


@pytest.mark.parametrize("value", [np.nan, -np.inf, 1j, "a"])
def test_initial_values_that_are_no_finite_numbers_are_refused(value):
    def bad(rng, shape, fan_in, fan_out):
        return np.full(shape, value)

    with pytest.raises(dl.DataError, match=r"Dense.*values for 'bias' that are not finite"):
        dl.Dense(3, bias_initializer=bad).build((2,))


def test_errors_about_initial_values_name_layer_and_parameter():
    layers = [dl.Dense(3), dl.Dense(3, weight_initializer="he_normal")]
    place = r"Dense\(3, .*\) in layer 1 of Sequential: "
    with pytest.raises(dl.ArgumentTypeError, match=place + "the initializer of 'weight'.*Constant"):
        dl.Sequential(layers).build((3,))
    layers = [dl.Dense(3), dl.Dense(3, bias_initializer=dl.Orthogonal())]
    with pytest.raises(dl.ArgumentError, match=place + "initial 'bias': Orthogonal.*two axes"):
        dl.Sequential(layers).build((3,))


def test_adding_dropout_changes_no_initial_value():
    plain = dl.Sequential([dl.Dense(4), dl.ReLU(), dl.Dense(3)]).build((5,), rng=0)
    noisy = dl.Sequential([dl.Dropout(0.1), dl.Dense(4), dl.Dropout(0.5), dl.Dense(3)])
    noisy.build((5,), rng=0)
    np.testing.assert_array_equal(plain.params, noisy.params)


def test_layers_draw_from_different_streams():
    model = dl.Sequential([dl.Dense(5), dl.Dense(5), dl.Dropout(0.5), dl.Dropout(0.5)])
    model.build((5,), rng=0)
    assert (model.layers[0].weight != model.layers[1].weight).any()
    x = np.ones((4, 5), np.float32)
    first = model.layers[2].forward(x, training=True)
    assert (first != model.layers[3].forward(x, training=True)).any()
    assert (first != model.layers[2].forward(x, training=True)).any()


def test_both_dtypes_start_from_the_same_values():
    single = dl.Dense(4).build((3,), rng=0)
    double = dl.Dense(4).build((3,), rng=0, dtype=np.float64)
    np.testing.assert_array_equal(single.params, double.params.astype(np.float32))


def test_a_generator_gives_a_new_model_each_time():
    rng = np.random.default_rng(0)
    first, second = (dl.Dense(4).build((3,), rng=rng) for _ in range(2))
    assert (first.params != second.params).any()


def test_replicas_and_copies_of_random_layers_draw_differently():
    model = dl.Dropout(0.5).build((50,), rng=0)
    x = np.ones((2, 50), np.float32)
    masks = [m.forward(x, training=True) for m in (model, model.replica(), model.replica())]
    assert (masks[0] != masks[1]).any()
    assert (masks[1] != masks[2]).any()


def test_copied_layers_start_a_new_model():
    old = dl.Sequential([dl.Dense(4), dl.ReLU(), dl.Dense(3)]).build((5,), rng=0)
    new = dl.Sequential([*map(copy.deepcopy, old.layers[:-1]), dl.Dense(2)]).build((5,), rng=1)
    np.testing.assert_array_equal(new.layers[0].weight, old.layers[0].weight)
    assert new.layers[2].weight.shape == (4, 2)
    new.params *= 2
    assert (new.layers[0].weight != old.layers[0].weight).any()


def test_copied_layers_must_fit():
    old = dl.Sequential([dl.Dense(4)]).build((5,))
    with pytest.raises(dl.ShapeError, match=r"carries .*from the model it was copied from"):
        dl.Sequential([copy.deepcopy(old.layers[0])]).build((6,))


def test_state_is_copied_preserved_and_restored():
    model = dl.Sequential([Counter(), dl.Dense(1)]).build((2,), rng=0)
    x = np.ones((2, 2), np.float32)
    model.forward(x, training=True)
    assert model.state.tolist() == [1]
    assert copy.deepcopy(model).state.tolist() == [1]
    with model.preserved():
        model.forward(x, training=True)
        model.params *= 0
        assert model.state.tolist() == [2]
    assert model.state.tolist() == [1]
    assert model.params.any()
    assert model.replica().state is not None
    assert np.shares_memory(model.replica().state, model.state)
    model.forward(x)
    assert model.state.tolist() == [1]


def test_a_user_layer_without_constructor_works():
    model = dl.Sequential([Scale(), Scale()]).build((3,), dtype=np.float64)
    model.params = [2.0, 3.0]
    assert model.predict(np.ones((1, 3))).tolist() == [[6.0, 6.0, 6.0]]
    assert repr(model) == "Sequential([Scale(), Scale()])"
    assert dl.check_layer(Scale(), (3,)).worst < 1e-6


def test_a_subclass_may_call_its_parent():
    class Doubled(dl.Dense):
        def forward(self, x, *, training=False, out=None):
            return 2 * super().forward(x, training=training, out=out)

        def backward(self, dy, *, input_grad=True, out=None):
            return super().backward(2 * dy, input_grad=input_grad, out=out)

    assert dl.check_layer(Doubled(3), (4,)).worst < 1e-6
    assert dl.check_layer(dl.Sequential([dl.Dense(2), Doubled(3)]), (4,)).worst < 1e-6


def test_missing_methods_are_named_by_python():
    class Half(dl.Layer):
        def forward(self, x, *, training=False, out=None):
            return x

    with pytest.raises(TypeError, match=r"abstract method '?backward"):
        Half()


def test_a_constructor_must_keep_its_arguments():
    class Forgets(dl.ReLU):
        def __init__(self, slope):
            self.negative_slope = slope

    with pytest.raises(dl.ArgumentError, match=r"self.slope = slope"):
        Forgets(0.1).config()
    assert repr(Forgets(0.1)) == "Forgets('?')"


@pytest.mark.parametrize("units", [0, -1, 2.5, "10", True, None])
def test_units_must_be_a_number(units):
    with pytest.raises(dl.ArgumentError, match="units must be a whole number of at least 1"):
        dl.Dense(units)


@pytest.mark.parametrize("rate", [-0.1, 1, 1.5, float("nan"), "a", None, False])
def test_dropout_rate_must_be_a_probability(rate):
    with pytest.raises(dl.ArgumentError, match=r"rate must be a number in \[0, 1\)"):
        dl.Dropout(rate)


def test_dropout_keeps_the_expected_value():
    layer = dl.Dropout(0.25).build((10_000,), rng=0)
    y = layer.forward(np.ones((1, 10_000), np.float32), training=True)
    assert set(np.unique(y)) == {np.float32(0), np.float32(1 / 0.75)}
    assert abs(y.mean() - 1) < 0.02


def test_extreme_inputs_stay_finite():
    x = np.array([[-1e4, 0.0, 1e4]], np.float32)
    for layer in (dl.Sigmoid(), dl.Tanh(), dl.Softmax(), dl.ReLU()):
        model = layer.build((3,))
        y = model.forward(x, training=True)
        assert np.isfinite(y).all()
        assert np.isfinite(model.backward(np.ones_like(y))).all()


def test_predict_names_nan_and_infinity_in_its_input():
    model = dl.Dense(2).build((4,), rng=0)
    x = np.zeros((5, 4), np.float32)
    x[3, 1], x[4, 1] = np.nan, np.nan
    with pytest.raises(dl.DataError, match="x has NaN in rows 3, 4, column 1"):
        model.predict(x)


@pytest.mark.parametrize(
    ("input_shape", "wrong"),
    [
        ((4,), np.zeros(4, np.float32)),
        ((4,), np.zeros((2, 3), np.float32)),
        ((4,), np.zeros((2, 5, 4), np.float32)),
        ((4,), np.zeros((0, 4), np.float32)),
        ((), np.zeros((), np.float32)),
        ((), np.zeros((2, 3), np.float32)),
    ],
    ids=lambda value: f"{value.shape}" if isinstance(value, np.ndarray) else f"{value}",
)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_predict_refuses_other_shapes_of_any_floating_dtype(input_shape, wrong, dtype):
    with pytest.raises(dl.ShapeError, match=r"ReLU\(\): expected input of shape \(N"):
        dl.ReLU().build(input_shape).predict(wrong.astype(dtype))


def test_state_draws_from_the_seed():
    class Features(dl.Layer):
        def state_specs(self, input_shape):
            return [dl.ParameterSpec("directions", (5,), dl.Normal())]

        def forward(self, x, *, training=False, out=None):
            return x

        def backward(self, dy, *, input_grad=True, out=None):
            return dy

    first, second = (dl.Sequential([Features(), Features()]).build((2,), rng=r) for r in (0, 1))
    assert (first.state != second.state).all()
    assert (first.layers[0].directions != first.layers[1].directions).all()


def test_two_parameters_of_one_name_are_refused():
    class Twice(Scale):
        def parameter_specs(self, input_shape):
            return [*super().parameter_specs(input_shape)] * 2

    with pytest.raises(dl.ArgumentError, match="two parameters have the name 'beta'"):
        Twice().build((3,))


def test_specs_must_be_specs():
    class Forgets(Scale):
        def parameter_specs(self, input_shape):
            pass

    with pytest.raises(dl.ArgumentError, match="parameter_specs must return a list of ParameterSp"):
        Forgets().build((3,))
    with pytest.raises(dl.ArgumentTypeError, match=r"must be an instance such as Zeros\(\)"):
        dl.Sequential([dl.Dense(3, weight_initializer=dl.HeNormal)]).build((2,))
    assert dl.ParameterSpec("w", [6], dl.Zeros()).shape == (6,)


def test_gradients_may_be_updated_together():
    layer = dl.Dense(2).build((3,))
    layer.gradients.update(weight=np.ones((3, 2)), bias=np.ones(2))
    assert (layer.grads == 1).all()


def test_a_layer_taken_out_of_a_copied_container_keeps_its_values():
    model = dl.Sequential([dl.Sequential([dl.Dense(4), dl.ReLU()]), dl.Dense(2)]).build((3,), rng=0)
    block = copy.deepcopy(model.layers[0])
    new = dl.Sequential([block.layers[0], dl.Dense(5)]).build((3,), rng=1)
    np.testing.assert_array_equal(new.layers[0].weight, model.layers[0].layers[0].weight)


def test_a_trained_model_becomes_a_part_of_another():
    backbone = dl.Sequential([dl.Dense(4), dl.ReLU()]).build((3,), rng=0)
    with pytest.raises(dl.StateError, match=r"belongs to a model already.*layer.detached_copy\(\)"):
        dl.Sequential([backbone, dl.Dense(2)]).build((3,))
    assert backbone.where == "Sequential"
    model = dl.Sequential([backbone.detached_copy(), dl.Dense(2)]).build((3,), rng=1)
    np.testing.assert_array_equal(model.layers[0].params, backbone.params)


def test_a_mixin_may_bring_the_formula():
    class Doubles:
        def forward(self, x, *, training=False, out=None):
            if training:
                self.save_for_backward()
            return 2 * x

        def backward(self, dy, *, input_grad=True, out=None):
            self.saved()
            return 2 * dy

    class Mixed(Doubles, dl.ReLU):
        pass

    class Bare(Doubles, dl.Layer):
        pass

    x = np.array([[-1.0, 1.0]], np.float32)
    for kind in (Mixed, Bare):
        model = dl.Sequential([kind()]).build((2,))
        assert model.predict(x).tolist() == model.layers[0].forward(x).tolist() == [[-2, 2]]
        assert dl.check_layer(kind(), (2,)).worst < 1e-6


def test_a_write_into_x_in_training_alone_is_found_after_inference():
    class Careless(dl.ReLU):
        def forward(self, x, *, training=False, out=None):
            if training:
                x *= 0.5
            return super().forward(x, training=training, out=out)

    model = Careless().build((3,))
    x = np.ones((2, 3), np.float32)
    model.predict(x)
    with pytest.raises(dl.ContractError, match="forward wrote into its input x"):
        model.forward(x, training=True)
    assert (x == 1).all()


def test_array_options_do_not_break_messages():
    class Shift(dl.ReLU):
        def __init__(self, mean=None):
            self.mean = mean

    layer = Shift(np.zeros(3))
    assert repr(layer) == "Shift(mean=array(3,))"
    layer.build((3,))


def test_hidden_layers_are_found_in_nested_lists():
    class Blocks(dl.ReLU):
        def __init__(self):
            self.blocks = {"a": [[dl.Dense(3)]]}

    with pytest.raises(dl.ArgumentError, match="'blocks' holds"):
        Blocks().build((3,))


def test_unpickled_layers_know_their_places():
    import pickle

    model = pickle.loads(pickle.dumps(dl.Sequential([dl.Dense(2)]).build((3,))))
    assert model.layers[0].where == "Dense(2) in layer 0 of Sequential"


def test_flatten_lays_image_gradients_out_as_images_and_copies_nothing_else():
    from minidl.buffers import batch_empty

    for shape, copied in (((4, 3, 2), True), ((6,), False), ((2, 3), False)):
        layer = dl.Flatten().build(shape)
        y = layer.forward(np.ones((5, *shape), np.float32), training=True)
        out = batch_empty(5, shape, np.float32)
        dx = layer._backward(y, out=out)
        assert (dx is out) == copied
        assert np.shares_memory(dx, y) != copied


def test_nan_is_found_in_any_part_of_a_long_prediction():
    model = dl.Dense(2).build((4,), rng=0)
    x = np.zeros((50, 4), np.float32)
    x[49, 3] = np.nan
    with pytest.raises(dl.DataError, match="x has NaN in row 49, column 3"):
        model.predict(x, batch_size=8)


def test_gradients_and_state_may_be_assigned_as_vectors():
    model = dl.Sequential([Counter(), dl.Dense(1)]).build((2,))
    model.grads, model.state = [1.0, 2.0, 3.0], [4.0]
    assert model.layers[1].gradients["weight"].tolist() == [[1.0], [2.0]]
    assert model.layers[0].passes.tolist() == [4.0]
    with pytest.raises(dl.ShapeError, match=r"grads: expected shape \(3,\), got \(2,\)"):
        model.grads = [1.0, 2.0]


def test_an_error_inside_a_container_is_noted_once():
    class Breaks(dl.ReLU):
        def backward(self, dy, *, input_grad=True, out=None):
            raise ZeroDivisionError("broken")

    model = dl.Sequential([dl.Sequential([Breaks()])]).build((2,))
    y = model.forward(np.ones((1, 2), np.float32), training=True)
    with pytest.raises(ZeroDivisionError) as raised:
        model.backward(y)
    place = "in Breaks() in layer 0 of Sequential in layer 0 of Sequential"
    assert raised.value.__notes__ == [place]


def test_initial_values_states_and_draws_come_from_different_streams():
    class Draws(dl.Initializer):
        def __call__(self, rng, shape, fan_in, fan_out):
            return rng.random(shape)

    class Noisy(dl.ReLU):
        def parameter_specs(self, input_shape):
            return [dl.ParameterSpec("weight", (9,), Draws())]

        def state_specs(self, input_shape):
            return [dl.ParameterSpec("memory", (9,), Draws())]

    layer = Noisy().build((3,), rng=0, dtype=np.float64)
    drawn = np.concatenate([layer.weight, layer.memory, layer.rng.random(9)])
    assert len(set(drawn)) == 27
    assert not layer.grads.any()


def test_every_layer_has_its_own_initial_state():
    class Starts(Counter):
        def __init__(self, value):
            self.value = value

        def state_specs(self, input_shape):
            return [dl.ParameterSpec("passes", (self.value,), dl.Constant(self.value))]

    model = dl.Sequential([Starts(1), Starts(2), Starts(3)]).build((2,))
    assert model.state.tolist() == [1, 2, 2, 3, 3, 3]


def test_a_shape_that_is_wrong_later_is_found_too():
    class Tires(dl.ReLU):
        def forward(self, x, *, training=False, out=None):
            return x[:, : self.width]

        def backward(self, dy, *, input_grad=True, out=None):
            return dy[:, : self.width]

    tires = Tires()
    model = dl.Sequential([dl.Dense(3), tires]).build((2,))
    x = np.ones((4, 2), np.float32)
    tires.width = 3
    y = model.forward(x, training=True)
    model.backward(y)
    model.forward(x, training=True)
    tires.width = 1
    with pytest.raises(dl.ShapeError, match=r"backward returned shape \(4, 1\)"):
        model.backward(y)
    with pytest.raises(dl.ShapeError, match=r"forward returned shape \(4, 1\)"):
        model.forward(x, training=True)


def test_predict_cuts_batches_also_for_a_layer_that_ignores_out():
    class Negates(dl.ReLU):
        def __init__(self):
            self.rows = []

        def forward(self, x, *, training=False, out=None):
            self.rows.append(len(x))
            return -x

    layer, x = Negates().build((3,)), np.arange(21, dtype=np.float32).reshape(7, 3)
    np.testing.assert_array_equal(layer.predict(x, batch_size=3), -x)
    assert layer.rows == [3, 3, 1]


def test_every_layer_declares_the_same_defaults():
    layers = [v for v in vars(dl).values() if isinstance(v, type) and issubclass(v, dl.Layer)]
    for layer in {dl.Dense, dl.Sequential, *layers}:
        forward, backward = (
            inspect.signature(f).parameters for f in (layer.forward, layer.backward)
        )
        assert (forward["training"].default, forward["out"].default) == (False, None)
        assert (backward["input_grad"].default, backward["out"].default) == (True, None)
