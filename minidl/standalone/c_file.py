"""A program as one C99 header."""

from __future__ import annotations

from string import Template

import numpy as np

from minidl.standalone.c_numbers import array, number
from minidl.standalone.c_prediction import Prediction, array_name
from minidl.standalone.program import Program
from minidl.standalone.trials import TEST_VECTORS, Trial
from minidl.typing import Array

HEAD = Template("""\
/* $name: a neural network in C99, written by minidl.
 *
$summary
 *
 *     #include "$name.h"
 *     float x[${upper}_INPUTS] = {0}, y[${upper}_OUTPUTS];
 *     @predict(x, y);
 *
 * Link with -lm. Everything is static and nothing is allocated; calls may run at the same time.
 * @self_test() tells whether the outputs are right on this machine.
 */
#ifndef ${upper}_H
#define ${upper}_H

#include <math.h>
$integers
#define ${upper}_INPUTS $inputs
#define ${upper}_OUTPUTS $outputs
#define ${upper}_WORKSPACE $workspace
#define ${upper}_TOLERANCE $tolerance
""")

SELF_TEST = Template("""
/* Return how many outputs for $rows test vectors are wrong by more than ${upper}_TOLERANCE. Its
   arrays are static, as they may be larger than the stack: call it from one thread. */
static inline int @self_test(void)
{
$arrays
    static float y[${upper}_OUTPUTS], work[${upper}_WORKSPACE];
    int i, j, failures = 0;
    for (i = 0; i < $rows; ++i) {
        @predict_in(inputs + i * ${upper}_INPUTS, y, work);
        for (j = 0; j < ${upper}_OUTPUTS; ++j)
            if (!(fabsf(y[j] - expected[i * ${upper}_OUTPUTS + j]) <= ${upper}_TOLERANCE))
                ++failures; /* NaN, too */
    }
    return failures;
}

#endif /* ${upper}_H */
""")


def c_text(
    name: str,
    program: Program,
    summary: list[str],
    trial: Trial,
    expected: Array,
    tolerance: float,
) -> str:
    """The whole file.

    Args:
        name: What all its names begin with.
        program: What it computes.
        summary: What its first comment says of this network.
        trial: The self-test uses its first rows.
        expected: What the self-test expects for them.
        tolerance: How far outputs may be from that.
    """
    prediction, upper = Prediction(program), name.upper()
    head = HEAD.substitute(
        name=name,
        upper=upper,
        summary="\n".join(f" * {line}" for line in summary),
        integers="#include <stdint.h>\n" if uses_int8(program) else "",
        inputs=program.size(0),
        outputs=program.size(program.result),
        workspace=max(prediction.workspace, 1),  # C has no arrays of no elements
        tolerance=number(tolerance),
    )
    weights = [array(key, values) for key, values in weights_of(program).items()]
    functions = [function.text for function in prediction.functions.values()]
    n = min(TEST_VECTORS, len(trial.x))
    vectors = {"inputs": trial.x[:n], "expected": expected[:n].astype(np.float32)}
    arrays = "\n".join(array(key, values, "    ") for key, values in vectors.items())
    self_test = SELF_TEST.substitute(upper=upper, rows=n, arrays=arrays)
    parts = [head, *weights, "", *functions, prediction.text(upper), self_test]
    return "\n".join(parts).replace("@", f"{name}_")


def weights_of(program: Program) -> dict[str, Array]:
    """The arrays of a program by their names in the file, with @ for the prefix."""
    return {
        array_name(index, name): values
        for index, step in enumerate(program.steps)
        for name, values in step.arrays.items()
    }


def uses_int8(program: Program) -> bool:
    """Whether any weights are whole numbers of 8 bits."""
    return any(values.dtype == np.int8 for values in weights_of(program).values())
