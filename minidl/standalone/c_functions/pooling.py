"""Pooling in C, and the way back: pixels repeated."""

from __future__ import annotations

from collections.abc import Sequence
from string import Template

from minidl.standalone.c_functions.base import CFunction, Number, rows_and_channels
from minidl.standalone.program import Step
from minidl.typing import Shape

POOL = Template("""\
/* The $what of each window of an image x (h, w, c); y is (oh, ow, c). Windows may begin outside,
   `top` above and `left` on the left of the image; only pixels inside count. */
static inline void @$name(const float *x, float *y, int h, int w, int c, int oh, int ow,
        int kh, int kw, int sh, int sw, int top, int left)
{
    int oi, oj, i, j, q;
    for (oi = 0; oi < oh; ++oi)
        for (oj = 0; oj < ow; ++oj, y += c) {
            const int first_row = oi * sh - top, first_column = oj * sw - left;
            const int i0 = first_row < 0 ? 0 : first_row;
            const int j0 = first_column < 0 ? 0 : first_column;
            const int i1 = first_row + kh < h ? first_row + kh : h;
            const int j1 = first_column + kw < w ? first_column + kw : w;
            for (q = 0; q < c; ++q) {
                float value = $start;
                for (i = i0; i < i1; ++i)
                    for (j = j0; j < j1; ++j) {
                        const float pixel = x[(i * w + j) * c + q];
                        $next
                    }
                y[q] = $result;
            }
        }
}
""")
LARGER = "if (pixel > value || pixel != pixel) /* NaN stays NaN */"

MAX_POOL = POOL.substitute(
    what="largest pixel",
    name="max_pool2d",
    start="x[(i0 * w + j0) * c + q]",
    next=f"{LARGER}\n                            value = pixel;",
    result="value",
)
AVERAGE_POOL = POOL.substitute(
    what="mean",
    name="average_pool2d",
    start="0.0f",
    next="value += pixel;",
    result="value / (float)((i1 - i0) * (j1 - j0))",
)

GLOBAL_MAX = """\
/* The largest number of each channel; x is (pixels, c) */
static inline void @global_max_pool(const float *x, float *y, int pixels, int c)
{
    int i, q;
    for (q = 0; q < c; ++q) {
        y[q] = x[q];
        for (i = 1; i < pixels; ++i)
            if (x[i * c + q] > y[q] || x[i * c + q] != x[i * c + q]) /* NaN stays NaN */
                y[q] = x[i * c + q];
    }
}
"""

GLOBAL_AVERAGE = """\
/* The mean of each channel; x is (pixels, c). Sums of 256 pixels are added: a sum of many pixels,
   one after the other, loses digits. */
static inline void @global_average_pool(const float *x, float *y, int pixels, int c)
{
    int i, j, q;
    for (q = 0; q < c; ++q) {
        y[q] = 0.0f;
        for (i = 0; i < pixels; i += 256) {
            float sum = 0.0f;
            for (j = i; j < pixels && j < i + 256; ++j)
                sum += x[j * c + q];
            y[q] += sum;
        }
        y[q] /= (float)pixels;
    }
}
"""

REPEAT = """\
/* Repeat every pixel of x (h, w, c) `sh` times down and `sw` times across. */
static inline void @repeat(const float *x, float *y, int h, int w, int c, int sh, int sw)
{
    int i, j, q;
    for (i = 0; i < h * sh; ++i)
        for (j = 0; j < w * sw; ++j)
            for (q = 0; q < c; ++q)
                *y++ = x[(i / sh * w + j / sw) * c + q];
}
"""


def _window_sizes(step: Step, shape: Shape) -> Sequence[Number]:
    at = step.numbers
    return [*shape, *at["count"], *at["size"], *at["stride"], *at["before"]]


def _step_sizes(step: Step, shape: Shape) -> Sequence[Number]:
    at, (t, c) = step.numbers, shape
    return [1, t, c, 1, at["count"], 1, at["size"], 1, at["stride"], 0, at["before"]]


def _repeat_sizes(step: Step, shape: Shape) -> Sequence[Number]:
    return [*shape, *step.numbers["size"]]


FUNCTIONS = {
    "max_pool1d": CFunction("max_pool2d", MAX_POOL, _step_sizes),
    "max_pool2d": CFunction("max_pool2d", MAX_POOL, _window_sizes),
    "average_pool2d": CFunction("average_pool2d", AVERAGE_POOL, _window_sizes),
    "global_max_pool": CFunction("global_max_pool", GLOBAL_MAX, rows_and_channels),
    "global_average_pool": CFunction("global_average_pool", GLOBAL_AVERAGE, rows_and_channels),
    "repeat": CFunction("repeat", REPEAT, _repeat_sizes),
}
