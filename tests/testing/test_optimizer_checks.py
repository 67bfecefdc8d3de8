"""check_optimizer finds each usual mistake and says what it is; right rules pass."""

import numpy as np
import pytest
from optimizer_cases import OPTIMIZER_CASES

import minidl as dl
from minidl.testing import CheckError


class SignMomentum(dl.Optimizer):
    """Steps of one length in the direction of a mean of gradients."""

    def __init__(self, learning_rate, *, decay=0.9):
        super().__init__(learning_rate)
        self.decay = decay

    @property
    def slots(self):
        return ("mean",)

    def step(self, grads, learning_rate, out):
        m = self.state["mean"]
        m *= self.decay
        np.multiply(grads, 1 - self.decay, out=out)
        m += out
        np.multiply(np.sign(m), learning_rate, out=out)


def variant(step, **methods):
    return type("Variant", (SignMomentum,), {"step": step, **methods})(0.1)


def test_a_right_rule_passes_and_is_not_touched():
    optimizer = SignMomentum(0.1)
    dl.check_optimizer(optimizer)
    assert (optimizer.steps, optimizer.state) == (0, {})


@pytest.mark.parametrize("case", OPTIMIZER_CASES, ids=str)
def test_minidls_optimizers_pass(case):
    optimizer = case.make()
    dl.check_optimizer(optimizer)
    assert optimizer.steps == 0


def uphill(self, grads, learning_rate, out):
    np.multiply(grads, -learning_rate, out=out)


def without_rate(self, grads, learning_rate, out):
    np.multiply(grads, 0.01, out=out)


def writes_into_grads(self, grads, learning_rate, out):
    grads *= learning_rate
    out[...] = grads


def adds_to_out(self, grads, learning_rate, out):
    if not self.steps:
        out.fill(0)
    out += learning_rate * grads


def adds_to_spare(self, grads, learning_rate, out):
    spare = self.spare(out)
    if not self.steps:
        spare.fill(0)
    spare += grads
    np.multiply(spare, learning_rate, out=out)


def takes_its_own_rate(self, grads, learning_rate, out):
    np.multiply(grads, self.learning_rate, out=out)


def forgets_entries(self, grads, learning_rate, out):
    out[1:] = learning_rate * grads[1:]


def divides_in_the_first_step(self, grads, learning_rate, out):
    with np.errstate(divide="ignore"):
        np.multiply(grads, learning_rate / np.float64(1 - 0.9**self.steps), out=out)


def counts_steps(self, grads, learning_rate, out):
    self.t = getattr(self, "t", 0) + 1
    np.multiply(grads, learning_rate / self.t, out=out)


def counts_steps_twice(self, grads, learning_rate, out):
    self.steps += 1
    np.multiply(grads, learning_rate, out=out)


def keeps_grads_themselves(self, grads, learning_rate, out):
    np.multiply(grads + self.state["mean"], learning_rate, out=out)
    self.state["mean"] = grads


def draws(self, grads, learning_rate, out):
    np.multiply(grads, learning_rate * (1 + np.random.default_rng().random()), out=out)


def keeps_an_attribute(self, grads, learning_rate, out):
    self.last = grads.copy()
    np.multiply(grads, learning_rate, out=out)


def makes_float64(self, grads, learning_rate, out):
    self.state["mean"] = 0.9 * self.state["mean"] + 0.1 * grads.astype(np.float64)
    np.multiply(grads, learning_rate, out=out)


def divides_by_zero(self, grads, learning_rate, out):
    with np.errstate(invalid="ignore"):
        np.divide(grads, np.abs(grads), out=out)
    out *= learning_rate


def adds_too_little(self, grads, learning_rate, out):
    with np.errstate(invalid="ignore"):
        np.divide(grads, np.abs(grads) + 1e-60, out=out)
    out *= learning_rate


def writes_nothing(self, grads, learning_rate, out):
    return grads * learning_rate


MISTAKES = {
    "lead from .* not down. `out` is subtracted": uphill,
    "the step is the same for any learning_rate": without_rate,
    "step wrote into grads": writes_into_grads,
    "depends on what was in `out`": adds_to_out,
    r"depends on what was in .* in self\.spare": adds_to_spare,
    "keeps something in the new attribute 'last'": keeps_an_attribute,
    "keeps something in the new attribute 't'": counts_steps,
    r"step changes self\.steps": counts_steps_twice,
    r"self\.learning_rate may be a schedule": takes_its_own_rate,
    "entries of `out` that it does not write": forgets_entries,
    "step 0 makes parameters -?inf": divides_in_the_first_step,
    r"put grads, .* itself into state\['mean'\]": keeps_grads_themselves,
    "the same step made twice gives two results": draws,
    "a gradient of 0 makes parameters nan in float32": adds_too_little,
    r"step made state\['mean'\] float64 \(7,\) of float32 \(7,\)": makes_float64,
    "a gradient of 0 makes parameters nan in float64": divides_by_zero,
}


@pytest.mark.parametrize("message", MISTAKES)
def test_mistakes_are_named(message):
    with pytest.raises(CheckError, match=message):
        dl.check_optimizer(variant(MISTAKES[message]))


def test_what_update_says_comes_through():
    with pytest.raises(dl.ContractError, match="step leaves `out` as it was"):
        dl.check_optimizer(variant(writes_nothing))


def test_an_argument_that_is_not_kept_is_found():
    class Forgetful(SignMomentum):
        def __init__(self, learning_rate, *, share=0.9):
            super().__init__(learning_rate, decay=share)

    with pytest.raises(CheckError, match=r"self\.share = share"):
        dl.check_optimizer(Forgetful(0.1))


@pytest.mark.parametrize("name", ["weight_decay", "clip_norm", "clip_value"])
def test_an_argument_that_is_not_handed_on_is_found(name):
    class Deaf(dl.SGD):
        def __init__(self, learning_rate, *, weight_decay=0.0, clip_norm=None, clip_value=None):
            given = {"weight_decay": weight_decay, "clip_norm": clip_norm, "clip_value": clip_value}
            super().__init__(learning_rate, **{k: v for k, v in given.items() if k != name})

    with pytest.raises(CheckError, match=f"takes {name} and does not hand it on"):
        dl.check_optimizer(Deaf(0.1))


def test_a_constructor_without_its_base_is_found():
    class Bare(SignMomentum):
        def __init__(self, learning_rate):
            self.learning_rate = learning_rate

    with pytest.raises(CheckError, match=r"must call super\(\)\.__init__"):
        dl.check_optimizer(Bare(0.1))


def test_slots_without_a_comma_are_found():
    with pytest.raises(CheckError, match=r"must list names: \('mean',\) with a comma"):
        dl.check_optimizer(variant(SignMomentum.step, slots="mean"))


def test_an_array_among_the_options_is_no_mistake():
    class Scaled(dl.SGD):
        def __init__(self, learning_rate, scale):
            super().__init__(learning_rate)
            self.scale = scale

    dl.check_optimizer(Scaled(0.1, np.ones(7)))


def test_arguments_are_checked():
    with pytest.raises(dl.ArgumentTypeError, match=r"write SGD\(...\)"):
        dl.check_optimizer(dl.SGD)
    used = dl.SGD(0.1)
    used.update(np.ones(3), np.ones(3))
    with pytest.raises(dl.StateError, match="has made steps"):
        dl.check_optimizer(used)
