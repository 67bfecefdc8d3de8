"""Activations in C, element by element."""

from __future__ import annotations

import math
from collections.abc import Sequence
from string import Template

from minidl.standalone.c_functions.base import CFunction, Number, rows_and_channels
from minidl.standalone.program import Step
from minidl.typing import Shape

ELEMENTWISE = Template("""\
/* $comment */
static inline void @$name(const float *x, float *y, int n$option)
{
    int i;
    for (i = 0; i < n; ++i)
        y[i] = $formula;
}
""")

FORMULAS = {  # not fmaxf, which would hide NaN
    "relu": ("y = max(x, 0)", "x[i] < 0.0f ? 0.0f : x[i]"),
    "leaky_relu": ("y = x where x > 0, slope * x elsewhere", "x[i] < 0.0f ? slope * x[i] : x[i]"),
    "elu": (
        "y = x where x > 0, alpha (e^x - 1) elsewhere",
        "x[i] < 0.0f ? alpha * expm1f(x[i]) : x[i]",
    ),
    "selu": (
        "y = 1.0507 x where x > 0, 1.7581 (e^x - 1) elsewhere",
        "x[i] < 0.0f ? 1.75809934f * expm1f(x[i]) : 1.05070099f * x[i]",
    ),
    "sigmoid": ("y = 1 / (1 + e^-x)", "1.0f / (1.0f + expf(-x[i]))"),
    "tanh": ("y = tanh x", "tanhf(x[i])"),
    "silu": ("y = x / (1 + e^-x)", "x[i] / (1.0f + expf(-x[i]))"),
    "softplus": (
        "y = ln(1 + e^x), in a form that cannot overflow",
        "(x[i] < 0.0f ? 0.0f : x[i]) + log1pf(expf(-fabsf(x[i])))",
    ),
    "gelu": (
        "y = x P(x) with the normal distribution function P",
        "x[i] * 0.5f * erfcf(x[i] * -0.707106781f)",
    ),
    "gelu_tanh": (
        "y = x / (1 + e^-u), u = 1.596 (x + 0.044715 x^3)",
        "x[i] / (1.0f + expf(-1.59576912f * (x[i] + 0.044715f * x[i] * x[i] * x[i])))",
    ),
}

PRELU = """\
/* y = x where x > 0, slope * x elsewhere, with a slope for each channel */
static inline void @prelu(const float *x, float *y, const float *slope, int rows, int c)
{
    int n, j;
    for (n = 0; n < rows; ++n, x += c, y += c)
        for (j = 0; j < c; ++j)
            y[j] = x[j] < 0.0f ? slope[j] * x[j] : x[j];
}
"""


def _elementwise(name: str, comment: str, formula: str) -> CFunction:
    options = [f", float {word}" for word in ("slope", "alpha") if word in formula]
    text = ELEMENTWISE.substitute(
        comment=comment, name=name, option="".join(options), formula=formula
    )

    def sizes(step: Step, shape: Shape) -> Sequence[Number]:
        return [math.prod(shape), *step.numbers.values()]

    return CFunction(name, text, sizes, in_place=True)


FUNCTIONS = {name: _elementwise(name, *texts) for name, texts in FORMULAS.items()}
FUNCTIONS["prelu"] = CFunction("prelu", PRELU, rows_and_channels, in_place=True)
