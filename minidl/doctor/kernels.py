"""Which of OpenBLAS's kernels this processor can run, and how fast each of them is."""

from __future__ import annotations

import sys
import time
from dataclasses import replace

from minidl.doctor.facts import Machine
from minidl.doctor.trials import Trial, run_trial

AVX2 = {"avx2", "fma"}
AVX512 = AVX2 | {"avx512f", "avx512cd", "avx512bw", "avx512dq", "avx512vl"}
# Values of OPENBLAS_CORETYPE and what they need: OpenBLAS does not check that itself, and a missing
# instruction ends the process.
NEEDS = {
    "HASWELL": AVX2,
    "ZEN": AVX2,
    "SKYLAKEX": AVX512,
    "COOPERLAKE": AVX512 | {"avx512_bf16"},
    "SAPPHIRERAPIDS": AVX512 | {"avx512_bf16", "amx_tile", "amx_bf16"},
}
ROUNDS = 3
ENOUGH = 4.0  # seconds after which no further round begins


def why_not_judged(machine: Machine) -> str:
    """Return why the kernels of this machine cannot be compared, or an empty string."""
    blas = machine.blas
    if blas is None:
        return f"threadpoolctl does not see NumPy's BLAS (built with {machine.built_with})"
    if blas.name != "OpenBLAS":
        return f"NumPy uses {blas.name}, and only OpenBLAS lets its kernels be chosen this way"
    if machine.architecture.lower() not in ("x86_64", "amd64"):
        return f"this is {machine.architecture}, and the choices are known for x86-64 only"
    if not machine.cpu_flags:
        return "the system does not say which instructions the processor has"
    if not sys.executable:
        return "there is no Python interpreter to start child processes with"
    return ""


def coretypes_to_try(machine: Machine) -> list[str]:
    """Return the values of OPENBLAS_CORETYPE whose instructions this processor has."""
    if why_not_judged(machine):
        return []
    return [name for name, needs in NEEDS.items() if needs <= set(machine.cpu_flags)]


def measure_kernels(machine: Machine) -> list[Trial]:
    """Measure the present kernels and all others that this processor can run.

    The choices take turns, several rounds of them, and the best of each counts: a machine that
    others use too is fast now and slow later. A value that loads the same kernels as an earlier one
    is not measured again.

    Returns:
        A trial for each choice, first that of the environment as it is; empty without a choice.
    """
    names = coretypes_to_try(machine)
    if not names or machine.blas is None:
        return []
    threads, start = machine.blas.threads, time.monotonic()
    trials = [run_trial(None, threads)]
    if trials[0].problem:  # the others would fare no better
        return trials
    for name in names:
        trial = run_trial(name, threads)
        known = trial.kernels in [other.kernels for other in trials if not other.problem]
        repeated = known and not trial.problem
        trials.append(Trial(name, trial.kernels, threads) if repeated else trial)
    for _ in range(ROUNDS - 1):
        if time.monotonic() - start < ENOUGH:
            trials = [_measured_again(trial) for trial in trials]
    return trials


def _measured_again(trial: Trial) -> Trial:
    if trial.sgemm_gflops is None or trial.sgemm_gflops_one_thread is None:
        return trial
    again = run_trial(trial.coretype, trial.threads)  # if it fails, what was measured still holds
    one = again.sgemm_gflops_one_thread or 0.0
    return replace(
        trial,
        sgemm_gflops=max(trial.sgemm_gflops, again.sgemm_gflops or 0.0),
        sgemm_gflops_one_thread=max(trial.sgemm_gflops_one_thread, one),
    )
