"""SciPy's solvers: a whole data set at once, and no learning rate to choose."""

from minidl.solvers.minimization import MinimizeResult, minimize

__all__ = ["MinimizeResult", "minimize"]
