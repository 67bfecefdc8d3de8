"""The errors that minidl raises.

Every message says who complains, what was expected, what came, and how to mend it. Each kind is
also the built-in exception that Python programmers expect, so `except ValueError` works.
"""


class MinidlError(Exception):
    """Base of all errors that minidl raises on purpose."""


class ShapeError(MinidlError, ValueError):
    """An array or a layer has another shape than its place needs."""


class DTypeError(MinidlError, TypeError):
    """An array has a data type that its place does not take."""


class StateError(MinidlError, RuntimeError):
    """A call came at the wrong time: before `build`, or `backward` without `forward`."""


class DataError(MinidlError, ValueError):
    """Data is wrong in content: labels out of range, NaN in inputs, a damaged file."""


class DatasetNotFoundError(DataError):
    """A data set is not on this machine and was not, or could not be, downloaded."""


class ArgumentError(MinidlError, ValueError):
    """An argument is outside the values that it may take."""


class ArgumentTypeError(MinidlError, TypeError):
    """An argument is of the wrong kind, such as a class where an instance belongs."""


class ContractError(MinidlError, RuntimeError):
    """A layer, loss or penalty broke its contract, such as a forward that writes into its input."""


class DivergenceError(MinidlError, ArithmeticError):
    """Training left the finite numbers although the data is finite."""


class TrainingWarning(UserWarning):
    """Training goes on, but may lead nowhere, or may not be kept or repeated as was meant."""
