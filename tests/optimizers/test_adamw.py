import inspect

import numpy as np

import minidl as dl


def test_it_is_adam_with_weight_decay():
    grads = np.random.default_rng(0).normal(size=(20, 3))
    options = {"beta1": 0.5, "beta2": 0.75, "epsilon": 0.1, "amsgrad": True, "clip_norm": 0.5}
    one, two = np.ones(3), np.ones(3)
    mine, adam = dl.AdamW(0.1, **options), dl.Adam(0.1, weight_decay=0.01, **options)
    for g in grads:
        mine.update(one, g)
        adam.update(two, g)
    np.testing.assert_array_equal(one, two)


def test_defaults_are_adams_but_for_the_decay():
    adam = inspect.signature(dl.Adam).parameters
    adamw = inspect.signature(dl.AdamW).parameters
    assert list(adam) == list(adamw)
    assert {name for name in adam if adam[name] != adamw[name]} == {"weight_decay"}
    assert (dl.AdamW().weight_decay, dl.Adam().weight_decay) == (0.01, 0.0)
    assert repr(dl.AdamW()) == "AdamW()"


def test_flags_and_numbers_reach_adam():
    adamw = dl.AdamW(0.5, beta1=0.1, beta2=0.2, epsilon=0.3, amsgrad=True, clip_value=4.0)
    assert repr(adamw) == (
        "AdamW(learning_rate=0.5, beta1=0.1, beta2=0.2, epsilon=0.3, amsgrad=True, clip_value=4.0)"
    )
