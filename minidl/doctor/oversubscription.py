"""More threads than cores, pools that fight, settings that contradict each other."""

from __future__ import annotations

from minidl.doctor.facts import Machine
from minidl.doctor.pools import Pool, count
from minidl.doctor.rates import Rates

THREAD_VARIABLE = {
    "BLIS": "BLIS_NUM_THREADS",
    "MKL": "MKL_NUM_THREADS",
    "OpenBLAS": "OPENBLAS_NUM_THREADS",
}


def warnings_about(machine: Machine) -> list[str]:
    """Return what should be changed, a sentence or two each."""
    blas = machine.blas
    if blas is None:
        return []
    return [*_too_many_threads(machine, blas), *_contradictions(machine, blas)]


def notes_about(machine: Machine, rates: Rates) -> list[str]:
    """Return what is good to know."""
    return [*_two_pools(machine), *_slow_threads(machine, rates)]


def _two_pools(machine: Machine) -> list[str]:
    busy = {pool.owner: pool.threads for pool in machine.pools if pool.threads > 1}
    if "NumPy" not in busy or "SciPy" not in busy:
        return []
    return [
        f"NumPy and SciPy each bring a BLAS of their own, here with {busy['NumPy']} + "
        f"{busy['SciPy']} threads. Called in turn they get in each other's way, which can make a "
        "training step many times slower. minidl calls no BLAS of SciPy's in a training step; "
        "where your own code does, limit one of them with threadpoolctl."
    ]


def _slow_threads(machine: Machine, rates: Rates) -> list[str]:
    blas, one = machine.blas, rates.sgemm_gflops_one_thread
    if blas is None or one is None or rates.sgemm_gflops >= one:
        return []
    return [
        f"Matrix products are slower on {blas.threads} threads than on 1: something else uses the "
        f"cores now, and figures are lower than they could be. If that stays so, "
        f"{thread_variable(blas)}=1 is faster."
    ]


def _too_many_threads(machine: Machine, blas: Pool) -> list[str]:
    quota = machine.cpu_quota or machine.cores
    fitting = max(1, min(machine.cores, int(quota)))
    advice = f"Set {thread_variable(blas)}={fitting}."
    threads = f"{blas.name} uses {count(blas.threads, 'thread')}"
    if blas.threads > machine.cores:
        cores = count(machine.cores, "core")
        return [f"{threads}, but this process may use {cores}: they wait for each other. {advice}"]
    if blas.threads > max(quota, 1):
        return [
            f"{threads}, but the container grants CPU time of {quota:g} cores: threads are stopped "
            f"while others wait for them. {advice}"
        ]
    return []


def _contradictions(machine: Machine, blas: Pool) -> list[str]:
    found = []
    names = [THREAD_VARIABLE.get(blas.name, ""), "OMP_NUM_THREADS"]
    values = {name: machine.environment[name] for name in names if name in machine.environment}
    if len(set(values.values())) > 1:
        said = " and ".join(f"{name}={value}" for name, value in values.items())
        threads = count(blas.threads, "thread")
        found.append(f"{said} disagree; {blas.name} uses {threads}. Keep one of the two.")
    wanted = machine.environment.get("OPENBLAS_CORETYPE")
    loaded = blas.kernels or ""
    if wanted and loaded and blas.name == "OpenBLAS" and wanted.lower() != loaded.lower():
        found.append(
            f"OPENBLAS_CORETYPE={wanted} is set, but the {loaded} kernels are loaded: this "
            "OpenBLAS has none of that name, or the variable was set after NumPy was imported."
        )
    return found


def thread_variable(blas: Pool) -> str:
    """Return the environment variable that sets a BLAS library's threads."""
    if blas.threading == "openmp":
        return "OMP_NUM_THREADS"
    return THREAD_VARIABLE.get(blas.name, "OMP_NUM_THREADS")
