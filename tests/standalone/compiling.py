"""Headers compiled and run: several in one program, because compilers take long to start."""

import shutil
import subprocess

import numpy as np
import pytest

STRICT = ["-Wall", "-Wextra", "-Werror", "-pedantic"]

needs_compiler = pytest.mark.skipif(
    shutil.which("gcc") is None or shutil.which("g++") is None,
    reason="needs gcc and g++, which CI installs",
)

MAIN = """\
#include <stdio.h>
#include <stdlib.h>

#define NUMBERS(N) ((float *)malloc((N) * sizeof(float))) /* by which a sanitizer knows its end */

#define RUN(NAME, UPPER) \\
    { \\
        FILE *in = fopen(#NAME ".in", "rb"), *out = fopen(#NAME ".out", "wb"); \\
        float *x = NUMBERS(UPPER##_INPUTS), *y = NUMBERS(UPPER##_OUTPUTS); \\
        float *work = NUMBERS(UPPER##_WORKSPACE); \\
        if (in == NULL || out == NULL || x == NULL || y == NULL || work == NULL) \\
            return 2; \\
        while (fread(x, sizeof(float), UPPER##_INPUTS, in) == UPPER##_INPUTS) { \\
            NAME##_predict_in(x, y, work); \\
            fwrite(y, sizeof(float), UPPER##_OUTPUTS, out); \\
        } \\
        fclose(in); \\
        fclose(out); \\
        free(x); \\
        free(y); \\
        free(work); \\
        printf("%d\\n", NAME##_self_test()); \\
    }
"""


def compile_and_run(folder, inputs, *options, compiler="gcc", language="-std=c99"):
    """Compile the headers `name.h` of a folder into one program and run it on their inputs.

    Returns the outputs by name, and the results of the self-tests.
    """
    includes = "".join(f'#include "{name}.h"\n' for name in inputs)
    calls = "".join(f"    RUN({name}, {name.upper()})\n" for name in inputs)
    source = folder / ("main.c" if compiler == "gcc" else "main.cpp")
    source.write_text(f"{MAIN}{includes}\nint main(void)\n{{\n{calls}    return 0;\n}}\n")
    for name, x in inputs.items():
        (folder / f"{name}.in").write_bytes(np.ascontiguousarray(x, np.float32).tobytes())
    run(folder, compiler, language, *STRICT, *options, "-o", "main", source.name, "-lm")
    failures = [int(line) for line in run(folder, "./main").split()]
    outputs = {
        name: np.fromfile(folder / f"{name}.out", np.float32).reshape(len(x), -1)
        for name, x in inputs.items()
    }
    return outputs, dict(zip(inputs, failures, strict=True))


def run(folder, *command):
    """Run a command in a folder; what it prints, or a failed test with what it complains of."""
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    if done.returncode:
        pytest.fail(f"{' '.join(command)}:\n{done.stderr[:3000]}")
    return done.stdout
