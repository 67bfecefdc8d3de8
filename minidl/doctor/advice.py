"""What to set, from what was found and measured."""

from __future__ import annotations

from dataclasses import dataclass

from minidl.doctor.facts import Machine
from minidl.doctor.kernels import why_not_judged
from minidl.doctor.pools import count
from minidl.doctor.trials import Trial

LEAST_GAIN = 1.1  # less could be chance, and is not worth a setting
CONTRADICTION = 1.25  # a gain that should not have shown with one number of threads alone


@dataclass(frozen=True)
class Advice:
    """What to do about the kernels.

    Attributes:
        text: One line for a person.
        coretype: The value to give to OPENBLAS_CORETYPE; None if there is nothing to set.
        gain: How many times faster matrix products are with it.
    """

    text: str
    coretype: str | None = None
    gain: float | None = None


def kernel_advice(machine: Machine, trials: list[Trial]) -> Advice:
    """Compare the present kernels with the others.

    A gain counts only if it shows with all threads and with one: chance seldom strikes both.
    """
    why = why_not_judged(machine)
    if why:
        return Advice(f"Kernels cannot be compared: {why}.")
    if not trials:
        return Advice("Nothing to set: this processor runs no other kernels of OpenBLAS's.")
    measured = [trial for trial in trials if trial.sgemm_gflops is not None]
    loaded = machine.blas.kernels if machine.blas else None
    present = next((trial for trial in measured if trial.kernels == loaded), None)
    if present is None:
        problem = trials[0].problem or f"no child process loaded the {loaded} kernels"
        return Advice(f"Kernels were not compared: {problem}.")
    if len(trials) > 1 and {trial.kernels for trial in trials} == {loaded}:
        return Advice(f"Nothing to set: this OpenBLAS has the {loaded} kernels alone.")
    best = max(measured, key=lambda trial: min(gains(trial, present)))
    gain = min(gains(best, present))
    if gain >= LEAST_GAIN:
        figures = _figures(best, present, gain)
        faster = f"{gain:.2f} times faster matrix products ({figures})"
        return Advice(f"OPENBLAS_CORETYPE={best.setting}: {faster}.", best.setting, gain)
    best = max(measured, key=lambda trial: max(gains(trial, present)))
    if max(gains(best, present)) >= CONTRADICTION:
        all_threads, one = gains(best, present)
        return Advice(
            f"Not clear: {best.kernels} is {one:.2f} times as fast as {loaded} on 1 thread, "
            f"{all_threads:.2f} times on {best.threads}. Try again when the machine is quiet."
        )
    return Advice(f"Nothing to set: no kernels are clearly faster than {loaded}, now in use.")


def gains(trial: Trial, present: Trial) -> tuple[float, float]:
    """Return how many times faster a trial is than the present: with all threads, with one."""
    return (
        (trial.sgemm_gflops or 0.0) / (present.sgemm_gflops or 1.0),
        (trial.sgemm_gflops_one_thread or 0.0) / (present.sgemm_gflops_one_thread or 1.0),
    )


def _figures(best: Trial, present: Trial, gain: float) -> str:
    if gain == gains(best, present)[0]:
        fast, slow, threads = best.sgemm_gflops, present.sgemm_gflops, best.threads
    else:
        fast, slow = best.sgemm_gflops_one_thread, present.sgemm_gflops_one_thread
        threads = 1
    return f"{fast:.0f} against {slow:.0f} GFLOP/s on {count(threads, 'thread')}"
