"""Optimizers and schedules beside PyTorch's, step by step, in float64."""

import copy

import numpy as np
import pytest
import torch
from optimizer_cases import rosenbrock
from torch import optim
from torch.optim import lr_scheduler

import minidl as dl

STEPS = 50

RULES = {  # ours, and PyTorch's with its options
    "SGD": (dl.SGD(0.001), optim.SGD, {"lr": 0.001}),
    "Adam, AMSGrad": (
        dl.Adam(0.05, beta2=0.9, amsgrad=True),
        optim.Adam,
        {"lr": 0.05, "betas": (0.9, 0.9), "amsgrad": True},
    ),
    "AdamW": (dl.AdamW(), optim.AdamW, {}),
    "AdamW, options": (
        dl.AdamW(0.05, beta1=0.5, beta2=0.75, epsilon=0.1, amsgrad=True, weight_decay=0.5),
        optim.AdamW,
        {"lr": 0.05, "betas": (0.5, 0.75), "eps": 0.1, "amsgrad": True, "weight_decay": 0.5},
    ),
    "RMSprop": (dl.RMSprop(), optim.RMSprop, {}),
    "RMSprop, options": (
        dl.RMSprop(0.003, rho=0.9, momentum=0.8, epsilon=0.1),
        optim.RMSprop,
        {"lr": 0.003, "alpha": 0.9, "momentum": 0.8, "eps": 0.1},
    ),
    "Adagrad": (dl.Adagrad(), optim.Adagrad, {}),
    "Adagrad, options": (
        dl.Adagrad(0.5, initial_accumulator=2.0, epsilon=0.1),
        optim.Adagrad,
        {"lr": 0.5, "initial_accumulator_value": 2.0, "eps": 0.1},
    ),
    "Adagrad, lr_decay": (
        dl.Adagrad(lambda step: 0.5 / (1 + 0.1 * step)),
        optim.Adagrad,
        {"lr": 0.5, "lr_decay": 0.1},
    ),
    "Adadelta": (dl.Adadelta(), optim.Adadelta, {}),
    "Adadelta, options": (
        dl.Adadelta(0.5, rho=0.75, epsilon=1e-5),
        optim.Adadelta,
        {"lr": 0.5, "rho": 0.75, "eps": 1e-5},
    ),
    "NAdam": (dl.NAdam(), optim.NAdam, {}),
    "NAdam, options": (
        dl.NAdam(0.01, beta1=0.8, beta2=0.95, momentum_decay=0.5, epsilon=0.1, weight_decay=0.5),
        optim.NAdam,
        {
            "lr": 0.01,
            "betas": (0.8, 0.95),
            "momentum_decay": 0.5,
            "eps": 0.1,
            "weight_decay": 0.5,
            "decoupled_weight_decay": True,
        },
    ),
}


def test_every_rule_that_pytorch_has_is_here():
    kinds = {v for v in vars(dl).values() if isinstance(v, type) and issubclass(v, dl.Optimizer)}
    theirs = {kind for kind in kinds if hasattr(optim, kind.__name__)}
    assert kinds - theirs == {dl.Lion}
    assert {type(mine) for mine, *_ in RULES.values()} == theirs - {dl.Optimizer}


@pytest.fixture(autouse=True)
def double_precision():
    """PyTorch keeps single numbers, such as NAdam's product of momenta, in the default dtype."""
    before = torch.get_default_dtype()
    torch.set_default_dtype(torch.float64)
    yield
    torch.set_default_dtype(before)


def worst_difference(mine, theirs, after_backward=lambda: None, scheduler=None):
    """Largest difference of any coordinate in any of the steps down Rosenbrock's valley."""
    x, (parameter,), worst = np.array([-1.2, 1.0, 0.5]), theirs.param_groups[0]["params"], 0.0
    for _ in range(STEPS):
        mine.update(x, np.array(rosenbrock(x.tolist())))
        parameter.grad = torch.tensor(rosenbrock(parameter.tolist()))
        after_backward()
        theirs.step()
        if scheduler:
            scheduler.step()
        worst = max(worst, np.abs(x - parameter.detach().numpy()).max())
    assert abs(x[0] + 1.2) > 1e-3  # it has moved
    return worst


def valley_point():
    return torch.tensor([-1.2, 1.0, 0.5], requires_grad=True)


@pytest.mark.parametrize(("mine", "theirs", "options"), RULES.values(), ids=RULES)
def test_trajectory(mine, theirs, options):
    mine = copy.deepcopy(mine)  # those of the table stay new
    assert worst_difference(mine, theirs([valley_point()], **options)) < 1e-10


@pytest.mark.parametrize("norm", [2.0, 1e9])
def test_clipping_by_norm(norm):
    # PyTorch multiplies by c / (||g|| + 1e-6): its gradient is made longer by what that takes off
    point = valley_point()

    def clip():
        length = torch.nn.utils.clip_grad_norm_([point], norm)
        if length > norm:
            point.grad *= 1 + 1e-6 / length

    other = optim.SGD([point], lr=0.001, momentum=0.5)
    mine = dl.SGD(0.001, momentum=0.5, clip_norm=norm)
    assert worst_difference(mine, other, clip) < 1e-10


def test_clipping_by_value():
    point = valley_point()
    other = optim.SGD([point], lr=0.001, momentum=0.5)
    mine = dl.SGD(0.001, momentum=0.5, clip_value=3.0)

    def clip():
        torch.nn.utils.clip_grad_value_([point], 3.0)

    assert worst_difference(mine, other, clip) < 1e-10


def warm_up_then_cosine(optimizer):
    rise = lr_scheduler.LinearLR(optimizer, start_factor=1 / 11, total_iters=10)
    return lr_scheduler.SequentialLR(
        optimizer, [rise, lr_scheduler.CosineAnnealingLR(optimizer, 60)], [10]
    )


SCHEDULES = {  # ours, PyTorch's base rate and schedule, and how many rates both have
    "StepDecay": (
        dl.StepDecay(0.3, step_size=7, factor=0.4),
        0.3,
        lambda o: lr_scheduler.StepLR(o, 7, gamma=0.4),
        100,
    ),
    "ExponentialDecay": (
        dl.ExponentialDecay(0.3, steps=1, factor=0.97),
        0.3,
        lambda o: lr_scheduler.ExponentialLR(o, 0.97),
        100,
    ),
    "PolynomialDecay": (
        dl.PolynomialDecay(0.3, steps=60, power=1.7),
        0.3,
        lambda o: lr_scheduler.PolynomialLR(o, 60, power=1.7),
        100,
    ),
    "CosineDecay": (  # PyTorch's goes up again behind its end
        dl.CosineDecay(0.3, steps=60, final=0.01),
        0.3,
        lambda o: lr_scheduler.CosineAnnealingLR(o, 60, eta_min=0.01),
        61,
    ),
    "CosineRestarts": (
        dl.CosineRestarts(0.3, period=7, final=0.01),
        0.3,
        lambda o: lr_scheduler.CosineAnnealingWarmRestarts(o, 7, eta_min=0.01),
        100,
    ),
    "CosineRestarts, longer ones": (
        dl.CosineRestarts(0.3, period=3, multiplier=3),
        0.3,
        lambda o: lr_scheduler.CosineAnnealingWarmRestarts(o, 3, T_mult=3),
        200,
    ),
    "WarmUp": (dl.WarmUp(dl.CosineDecay(0.3, steps=60), steps=10), 0.3, warm_up_then_cosine, 71),
    "OneCycle": (
        dl.OneCycle(0.3, steps=61),
        0.3,
        lambda o: lr_scheduler.OneCycleLR(o, 0.3, total_steps=61, cycle_momentum=False),
        61,
    ),
    "OneCycle, options": (
        dl.OneCycle(0.3, steps=100, warm_up=0.45, start_divisor=5.0, end_divisor=50.0),
        0.3,
        lambda o: lr_scheduler.OneCycleLR(
            o,
            0.3,
            total_steps=100,
            pct_start=0.45,
            div_factor=5.0,
            final_div_factor=50.0,
            cycle_momentum=False,
        ),
        100,
    ),
}


@pytest.mark.parametrize(("mine", "rate", "make", "steps"), SCHEDULES.values(), ids=SCHEDULES)
def test_schedule(mine, rate, make, steps):
    # step k of ours is what PyTorch has after k calls of scheduler.step()
    optimizer = optim.SGD([valley_point()], lr=rate)
    scheduler, theirs = make(optimizer), []
    for step in range(steps):
        theirs.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        if step < steps - 1:
            scheduler.step()
    ours = [mine(step) for step in range(steps)]
    np.testing.assert_allclose(ours, theirs, rtol=1e-10, atol=1e-12)
    assert len({round(rate, 9) for rate in ours}) > 6


def test_a_trajectory_with_a_schedule():
    other = optim.Adam([valley_point()], lr=0.05)
    mine = dl.Adam(dl.CosineDecay(0.05, steps=STEPS))
    scheduler = lr_scheduler.CosineAnnealingLR(other, STEPS)
    assert worst_difference(mine, other, scheduler=scheduler) < 1e-10


@pytest.mark.parametrize("cooldown", [0, 2])
@pytest.mark.parametrize("mode", ["min", "max"])
def test_reduce_on_plateau(mode, cooldown):
    # PyTorch waits one epoch longer than its patience; its threshold is relative by default
    losses = np.abs(np.random.default_rng(0).normal(size=60)).cumsum()[::-1] // 3 / 10
    values = (losses if mode == "min" else -losses) + np.tile([0, 0.3, -0.3], 20) * (mode == "max")

    class Scripted(dl.Callback):
        def on_epoch_end(self, trainer):
            trainer.history._columns["loss"][-1] = values[trainer.epoch - 1]

    class Rates(dl.Callback):
        def __init__(self):
            self.seen = []

        def on_epoch_end(self, trainer):
            self.seen.append(trainer.optimizer.current_learning_rate())

    rates, optimizer = Rates(), dl.SGD(0.1)
    reduce = dl.ReduceOnPlateau(
        "loss",
        factor=0.5,
        patience=3,
        min_delta=0.05,
        cooldown=cooldown,
        minimum=0.001,
        mode=mode,
    )
    model = dl.Dense(1).build((1,), rng=0)
    callbacks = [Scripted(), reduce, rates]
    trainer = dl.Trainer(model, dl.MeanSquaredError(), optimizer, callbacks=callbacks)
    trainer.fit(np.ones((2, 1), np.float32), np.ones((2, 1), np.float32), epochs=60)
    other = optim.SGD([valley_point()], lr=0.1)
    scheduler = lr_scheduler.ReduceLROnPlateau(
        other,
        mode,
        factor=0.5,
        patience=2,
        threshold=0.05,
        threshold_mode="abs",
        cooldown=cooldown,
        min_lr=0.001,
        eps=0.0,
    )
    theirs = []
    for value in values:
        scheduler.step(value)
        theirs.append(other.param_groups[0]["lr"])
    np.testing.assert_allclose(rates.seen, theirs, rtol=1e-12)
    assert len(set(theirs)) > 3


def test_moving_average():
    # PyTorch's has no warm-up: with a decay of 0.1 ours has none either (2 / 11 comes second)
    params = np.random.default_rng(0).normal(size=(STEPS, 4))
    module = torch.nn.Linear(4, 1, bias=False)
    theirs = optim.swa_utils.AveragedModel(
        module, multi_avg_fn=optim.swa_utils.get_ema_multi_avg_fn(0.1)
    )
    mine = dl.MovingAverage(0.1)
    for row in params:
        with torch.no_grad():
            module.weight.copy_(torch.tensor(row))
        theirs.update_parameters(module)
        mine.update(row)
        average = theirs.module.weight.detach().numpy()[0]
        np.testing.assert_allclose(mine.values, average, rtol=0, atol=1e-14)
