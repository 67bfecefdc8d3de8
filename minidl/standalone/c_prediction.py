"""The C function that makes a prediction: the steps of a program as calls."""

from __future__ import annotations

import math
from collections.abc import Iterator
from string import Template

from minidl.standalone.c_functions import C_FUNCTIONS
from minidl.standalone.c_numbers import number
from minidl.standalone.memory import places_of
from minidl.standalone.program import Program, Step

IN_PLACE = {name for name, function in C_FUNCTIONS.items() if function.in_place}

PREDICTION = Template("""\
/* Write the ${upper}_OUTPUTS outputs for the ${upper}_INPUTS inputs at x to y. `work` has room for
   ${upper}_WORKSPACE numbers; x, y and work must not overlap. */
static inline void @predict_in(const float *x, float *y, float *work)
{
    (void)work;
$calls
}

/* The same with the workspace, $bytes bytes, on the stack. */
static inline void @predict(const float *x, float *y)
{
    float work[${upper}_WORKSPACE];
    @predict_in(x, y, work);
}
""")


class Prediction:
    """The calls that compute a program, and the memory that they need.

    Attributes:
        functions: The functions called, by their C names.
        workspace: How many numbers the values in between need.
    """

    def __init__(self, program: Program) -> None:
        self._program = program
        self._places = places_of(program, IN_PLACE)
        called = [C_FUNCTIONS[step.function] for step in program.steps]
        called += [] if self._computes else [C_FUNCTIONS["join"]]  # which copies
        self.functions = {function.name: function for function in called if function.text}
        self.workspace = self._places.size

    def text(self, upper: str) -> str:
        """The definition of @predict, with @ for the prefix; `upper` is that of the macros."""
        steps = enumerate(self._program.steps)
        calls = [call for index, step in steps for call in self._calls(index, step)]
        if not self._computes:
            size = self._program.size(0)
            calls = [f"@join(x, y, 1, {size}, {size}, 0);"]
        lines = "\n".join(f"    {call}" for call in calls)
        return PREDICTION.substitute(upper=upper, calls=lines, bytes=4 * self.workspace)

    @property
    def _computes(self) -> bool:
        """Whether there is anything to compute: the output does not lie in the input."""
        return self._places.owners[self._program.result] != 0

    def _place(self, value: int) -> str:
        owner = self._places.owners[value]
        if owner == 0:
            return "x"
        if owner == self._places.owners[self._program.result]:
            return "y"
        return f"work + {self._places.offsets[owner]}"

    def _calls(self, index: int, step: Step) -> Iterator[str]:
        shapes = [self._program.shape(value) for value in step.inputs]
        inputs, output = [self._place(value) for value in step.inputs], self._place(index + 1)
        comment = f"/* {step.layer}: {' x '.join(map(str, step.shape))} */"
        function = C_FUNCTIONS[step.function]
        if step.function == "join":
            first = 0
            for place, (*rows, c) in zip(inputs, shapes, strict=True):
                numbers = f"{math.prod(rows)}, {c}, {step.shape[-1]}, {first}"
                yield f"@join({place}, {output}, {numbers}); {comment}"
                first += c
        elif function.text:
            arrays = [array_name(index, name) for name in step.arrays]
            sizes = map(number, function.sizes(step, shapes[0]))
            arguments = ", ".join([*inputs, output, *arrays, *sizes])
            yield f"@{function.name}({arguments}); {comment}"


def array_name(index: int, name: str) -> str:
    """The name of a step's array, with @ for the prefix."""
    return f"@{name}_{index + 1}"
