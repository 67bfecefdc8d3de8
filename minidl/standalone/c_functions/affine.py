"""Dense layers, convolutions and normalization by fixed numbers, in C.

Sums run over the inputs in the outer loop and over the outputs in the inner one: weights are read
in the order in which they lie, and a compiler can add several outputs at a time. The input is
copied to v because y might overlap x as far as a compiler knows: that doubles the speed of a
convolution.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from string import Template

from minidl.standalone.c_functions.base import CFunction, Number, rows_and_channels
from minidl.standalone.program import Step
from minidl.typing import Shape

DENSE = Template("""\
/* y = x W + b for each row: x (rows, d), W (d, m), y (rows, m) */
static inline void @$function(const float *x, float *y, const $type *w, const float *b,
        ${scale}int rows, int d, int m)
{
    int n, i, o;
    for (n = 0; n < rows; ++n, x += d, y += m) {
        for (o = 0; o < m; ++o)
            y[o] = $start;
        for (i = 0; i < d; ++i) {
            const float v = x[i];
            for (o = 0; o < m; ++o)
                y[o] += v * ${cast}w[i * m + o];
        }$end
    }
}
""")

CONVOLUTION = Template("""\
/* A kernel (kh, kw, c / groups, m) slides over an image x (h, w, c); y is (oh, ow, m). The image
   is thought to have zeros around it, `top` above and `left` on the left. */
static inline void @$function(const float *x, float *y, const $type *k, const float *b,
        ${scale}int h, int w, int c, int oh, int ow, int m, int kh, int kw, int sh, int sw,
        int top, int left, int dh, int dw, int groups)
{
    const int cg = c / groups, mg = m / groups;
    int oi, oj, i, j, g, q, o;
    for (oi = 0; oi < oh; ++oi)
        for (oj = 0; oj < ow; ++oj, y += m) {
            for (o = 0; o < m; ++o)
                y[o] = $start;
            for (i = 0; i < kh; ++i)
                for (j = 0; j < kw; ++j) {
                    const int row = oi * sh + i * dh - top, column = oj * sw + j * dw - left;
                    const $type *kernel = k + (i * kw + j) * cg * m;
                    const float *pixel;
                    if (row < 0 || row >= h || column < 0 || column >= w)
                        continue;
                    pixel = x + (row * w + column) * c;
                    for (g = 0; g < groups; ++g)
                        for (q = 0; q < cg; ++q) {
                            const float v = pixel[g * cg + q];
                            for (o = g * mg; o < (g + 1) * mg; ++o)
                                y[o] += v * ${cast}kernel[q * m + o];
                        }
                }$end
        }
}
""")

NORMALIZE = """\
/* y = (x - mean) * scale + shift, channel by channel */
static inline void @normalize(const float *x, float *y, const float *mean, const float *scale,
        const float *shift, int rows, int c)
{
    int n, j;
    for (n = 0; n < rows; ++n, x += c, y += c)
        for (j = 0; j < c; ++j)
            y[j] = (x[j] - mean[j]) * scale[j] + shift[j];
}
"""


def _float32(name: str, text: Template) -> str:
    return text.substitute(function=name, type="float", scale="", start="b[o]", cast="", end="")


def _int8(name: str, text: Template, indent: int) -> str:
    """Sums of whole-numbered weights, times each output's scale at the end."""
    loop = ("for (o = 0; o < m; ++o)", "    y[o] = y[o] * scale[o] + b[o];")
    return text.substitute(
        function=name,
        type="int8_t",
        scale="const float *scale, ",
        start="0.0f",
        cast="(float)",
        end="".join(f"\n{' ' * indent}{line}" for line in loop),
    )


def _dense_sizes(step: Step, shape: Shape) -> Sequence[Number]:
    return [math.prod(shape[:-1]), shape[-1], step.shape[-1]]


def _conv2d_sizes(step: Step, shape: Shape) -> Sequence[Number]:
    at, kernel = step.numbers, step.arrays["weight"].shape
    (top, _), (left, _) = at["padding"]
    windows = [*kernel[:2], *at["stride"], top, left, *at["dilation"], at["groups"]]
    return [*shape, *step.shape, *windows]


def _conv1d_sizes(step: Step, shape: Shape) -> Sequence[Number]:
    at, steps = step.numbers, step.arrays["weight"].shape[0]
    windows = [1, steps, 1, at["stride"], 0, at["padding"][0], 1, at["dilation"], at["groups"]]
    return [1, *shape, 1, *step.shape, *windows]


DENSE_FLOAT32, DENSE_INT8 = _float32("dense", DENSE), _int8("dense_int8", DENSE, 8)
CONV2D_FLOAT32 = _float32("conv2d", CONVOLUTION)
CONV2D_INT8 = _int8("conv2d_int8", CONVOLUTION, 12)
FUNCTIONS = {
    "dense": CFunction("dense", DENSE_FLOAT32, _dense_sizes),
    "dense_int8": CFunction("dense_int8", DENSE_INT8, _dense_sizes),
    "conv2d": CFunction("conv2d", CONV2D_FLOAT32, _conv2d_sizes),
    "conv2d_int8": CFunction("conv2d_int8", CONV2D_INT8, _conv2d_sizes),
    "conv1d": CFunction("conv2d", CONV2D_FLOAT32, _conv1d_sizes),
    "conv1d_int8": CFunction("conv2d_int8", CONV2D_INT8, _conv1d_sizes),
    "normalize": CFunction("normalize", NORMALIZE, rows_and_channels, in_place=True),
}
