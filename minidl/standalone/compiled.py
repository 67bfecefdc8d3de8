"""A header's self-test, compiled and run."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from pathlib import Path

from minidl.errors import ContractError

SECONDS = 120.0  # for the compiler, and for the test


def run_self_test(header: str, name: str, compiler: str | None) -> bool:
    """Compile a header by itself and run its self-test; False where there is no compiler.

    Raises:
        ContractError: If it does not compile, or the self-test finds wrong outputs.
    """
    found = compiler and shutil.which(compiler)
    if not found:
        return False
    with tempfile.TemporaryDirectory() as folder:
        source, program = Path(folder, "test.c"), Path(folder, "test")
        source.write_text(f"{header}\nint main(void) {{ return {name}_self_test() != 0; }}\n")
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
