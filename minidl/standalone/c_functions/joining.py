"""Values that come together in C: sums, joined channels, copies."""

from __future__ import annotations

import math
from collections.abc import Sequence

from minidl.standalone.c_functions.base import CFunction, Number
from minidl.standalone.program import Step
from minidl.typing import Shape

ADD = """\
/* y = a + b */
static inline void @add(const float *a, const float *b, float *y, int n)
{
    int i;
    for (i = 0; i < n; ++i)
        y[i] = a[i] + b[i];
}
"""

JOIN = """\
/* Write rows x (rows, c) into the columns of y (rows, total) from `first` on. */
static inline void @join(const float *x, float *y, int rows, int c, int total, int first)
{
    int n, j;
    for (n = 0; n < rows; ++n)
        for (j = 0; j < c; ++j)
            y[n * total + first + j] = x[n * c + j];
}
"""


def _size(step: Step, shape: Shape) -> Sequence[Number]:
    return [math.prod(shape)]


def _no_sizes(step: Step, shape: Shape) -> Sequence[Number]:
    return []


FUNCTIONS = {
    "add": CFunction("add", ADD, _size, in_place=True),
    "join": CFunction("join", JOIN, _no_sizes),  # a call for each input: see c_file.py
    "reshape": CFunction("reshape", "", _no_sizes),  # the same numbers: no call
}
