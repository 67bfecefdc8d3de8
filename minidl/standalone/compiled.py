"""A header's self-test, compiled and run."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from pathlib import Path

from minidl.errors import ArgumentError, ContractError

USUAL, SECONDS = "cc", 120.0  # seconds for the compiler, and for the test

MAIN = """
#include <stdio.h>
int main(void)
{
    const int wrong = @_self_test();
    if (wrong)
        fprintf(stderr, "%d outputs are wrong by more than the tolerance", wrong);
    return wrong != 0;
}
"""


def run_self_test(header: str, name: str, compiler: str | None) -> bool:
    """Compile a header by itself and run its self-test; False where there is no compiler.

    Raises:
        ArgumentError: If there is no such compiler, and it is not the usual one.
        ContractError: If it does not compile, or the self-test finds wrong outputs.
    """
    if compiler is None:
        return False
    found = shutil.which(compiler) if isinstance(compiler, str) else None
    if found is None:
        if compiler == USUAL:
            return False
        raise ArgumentError(
            f"export_c: found no compiler {compiler!r}. Give the name or path of a command without "
            'options, such as "gcc", or None for no compilation.'
        )
    with tempfile.TemporaryDirectory() as folder:
        source, program = Path(folder, "test.c"), Path(folder, "test")
        source.write_text(f"{header}{MAIN.replace('@', name)}")
        command = [found, "-std=c99", "-o", str(program), str(source), "-lm"]
        for step, what in (
            (command, "the compiler failed"),
            ([str(program)], "the self-test failed"),
        ):
            complaint = _complaint(step)
            if complaint is not None:
                raise ContractError(
                    f"export_c: {what}: {complaint}. Nothing was written. With compiler=None the "
                    "outputs are compared in NumPy alone."
                )
    return True


def _complaint(command: list[str]) -> str | None:
    """Run a command; None if it succeeds, otherwise what it says."""
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, errors="replace", timeout=SECONDS, check=False
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        return str(error)
    return (done.stderr.strip()[:500] or f"status {done.returncode}") if done.returncode else None
