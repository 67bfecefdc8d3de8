"""Softmax and layer normalization in C: what looks at all channels of a row together."""

from __future__ import annotations

from collections.abc import Sequence

from minidl.standalone.c_functions.base import CFunction, Number, rows_and_channels
from minidl.standalone.program import Step
from minidl.typing import Shape

SOFTMAX = """\
/* y = e^x / the sum of e^x over a row; the largest x is subtracted, so that nothing overflows */
static inline void @softmax(const float *x, float *y, int rows, int c)
{
    int n, j;
    for (n = 0; n < rows; ++n, x += c, y += c) {
        float largest = x[0], total = 0.0f;
        for (j = 1; j < c; ++j)
            if (x[j] > largest)
                largest = x[j];
        for (j = 0; j < c; ++j) {
            y[j] = expf(x[j] - largest);
            total += y[j];
        }
        for (j = 0; j < c; ++j)
            y[j] /= total;
    }
}
"""

LOG_SOFTMAX = """\
/* y = x - ln of the sum of e^x over a row */
static inline void @log_softmax(const float *x, float *y, int rows, int c)
{
    int n, j;
    for (n = 0; n < rows; ++n, x += c, y += c) {
        float largest = x[0], total = 0.0f;
        for (j = 1; j < c; ++j)
            if (x[j] > largest)
                largest = x[j];
        for (j = 0; j < c; ++j)
            total += expf(x[j] - largest);
        for (j = 0; j < c; ++j)
            y[j] = x[j] - largest - logf(total);
    }
}
"""

LAYER_NORM = """\
/* y = gamma (x - mean) / sqrt(variance + epsilon) + beta, row by row */
static inline void @layer_norm(const float *x, float *y, const float *gamma, const float *beta,
        int rows, int c, float epsilon)
{
    int n, j;
    for (n = 0; n < rows; ++n, x += c, y += c) {
        float mean = 0.0f, variance = 0.0f;
        for (j = 0; j < c; ++j)
            mean += x[j] / (float)c;
        for (j = 0; j < c; ++j)
            variance += (x[j] - mean) * (x[j] - mean) / (float)c;
        for (j = 0; j < c; ++j)
            y[j] = gamma[j] * (x[j] - mean) / sqrtf(variance + epsilon) + beta[j];
    }
}
"""

RMS_NORM = """\
/* y = gamma x / sqrt(mean of x^2 + epsilon), row by row */
static inline void @rms_norm(const float *x, float *y, const float *gamma, int rows, int c,
        float epsilon)
{
    int n, j;
    for (n = 0; n < rows; ++n, x += c, y += c) {
        float squares = 0.0f;
        for (j = 0; j < c; ++j)
            squares += x[j] * x[j] / (float)c;
        for (j = 0; j < c; ++j)
            y[j] = gamma[j] * x[j] / sqrtf(squares + epsilon);
    }
}
"""


def _with_epsilon(step: Step, shape: Shape) -> Sequence[Number]:
    return [*rows_and_channels(step, shape), step.numbers["epsilon"]]


FUNCTIONS = {
    "softmax": CFunction("softmax", SOFTMAX, rows_and_channels, in_place=True),
    "log_softmax": CFunction("log_softmax", LOG_SOFTMAX, rows_and_channels, in_place=True),
    "layer_norm": CFunction("layer_norm", LAYER_NORM, _with_epsilon, in_place=True),
    "rms_norm": CFunction("rms_norm", RMS_NORM, _with_epsilon, in_place=True),
}
