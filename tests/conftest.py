"""Settings for all tests."""

import os

import numpy as np  # noqa: F401 (its BLAS has to be there to be limited)
import threadpoolctl
from hypothesis import settings

# The tests' matrices are small: a second BLAS thread would cost more than it brings, and waiting
# for it can take minutes on a machine that is busy with something else.
threadpoolctl.threadpool_limits(1)

# The same examples in every run, so that what passes today does not fail another day. To look for
# more, MINIDL_HYPOTHESIS=random, and in fuzzing tests MINIDL_FUZZ_EXAMPLES=10000.
settings.register_profile("fixed", derandomize=True, deadline=None)
settings.register_profile("random", deadline=None)
settings.load_profile(os.environ.get("MINIDL_HYPOTHESIS", "fixed"))
