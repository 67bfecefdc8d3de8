"""Settings for all tests."""

import numpy as np  # noqa: F401 (its BLAS has to be there to be limited)
import threadpoolctl

# The tests' matrices are small: a second BLAS thread would cost more than it brings, and waiting
# for it can take minutes on a machine that is busy with something else.
threadpoolctl.threadpool_limits(1)
