"""The functions that C files are put together from, by the names of `formulas`."""

from minidl.standalone.c_functions import activations, affine, joining, pooling, rows
from minidl.standalone.c_functions.base import CFunction

C_FUNCTIONS: dict[str, CFunction] = {
    **affine.FUNCTIONS,
    **activations.FUNCTIONS,
    **rows.FUNCTIONS,
    **pooling.FUNCTIONS,
    **joining.FUNCTIONS,
}
