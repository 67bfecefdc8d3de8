"""Mutation run: change the mathematics place by place, and see that a test fails each time.

    python tests/mutation.py                    the whole run: about four minutes on two cores
    python tests/mutation.py --only losses      files that have this in their path
    python tests/mutation.py --sample 40        forty mutants, drawn at random by --seed
    python tests/mutation.py --list             print the mutants and run nothing

Every mutant (see mutants.py) is written into a copy of the repository in a temporary folder, never
into the working tree. Its file's own tests run first, all others only if these pass. A mutant that
survives both shows a hole in the tests; or it changes nothing that matters, and then it stands in
mutation_equivalents.toml with the reason. The exit code is 1 if one survives without a reason, or
if an entry of that table is out of date.

NumPy and pytest are imported once and every run is a fork, so this needs Linux or macOS.
"""

import argparse
import contextlib
import functools
import importlib
import multiprocessing
import os
import random
import resource
import shutil
import signal
import sys
import tempfile
import time
import tomllib
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from mutants import Mutant, mutants_of

ROOT = Path(__file__).resolve().parent.parent
EQUIVALENTS = "tests/mutation_equivalents.toml"
FIRST_TESTS = {  # the files to change, and the tests to run first; {} is the file's own name
    "minidl/products.py": ("tests/test_products.py",),
    "minidl/threads.py": ("tests/test_threads.py",),
    "minidl/reading.py": ("tests/test_reading.py",),
    "minidl/finiteness.py": ("tests/test_finiteness.py",),
    "minidl/parameters.py": ("tests/test_parameters.py",),
    "minidl/thread_policy.py": ("tests/test_thread_policy.py",),
    "minidl/layers/planning.py": ("tests/layers/test_planning.py",),
    "minidl/layers/checks.py": ("tests/layers",),
    "minidl/training/sources.py": ("tests/training",),
    "minidl/training/trainer.py": ("tests/training",),
    "minidl/layers/*.py": ("tests/layers", "-k", "building or sequential or {}"),
    "minidl/containers/*.py": ("tests/containers", "tests/layers", "-k", "{}"),
    "minidl/losses/*.py": ("tests/losses",),
    "minidl/optimizers/*.py": ("tests/optimizers",),
    "minidl/fusion.py": ("tests/test_objective.py",),
    "minidl/objective.py": ("tests/test_objective.py",),
    "minidl/losses/base.py": ("tests/losses",),
    "minidl/optimizers/base.py": ("tests/optimizers",),
    "minidl/buffers.py": ("tests/test_buffers.py",),
}
NO_MATHEMATICS = {
    *("__init__.py", "base.py", "building.py", "calls.py", "checks.py", "copying.py"),
    "planning.py",
}
OTHER_TESTS = [  # then these
    (
        *("tests/test_objective.py", "tests/containers", "tests/losses", "tests/optimizers"),
        *("tests/training", "tests/layers", "tests/test_testing.py", "tests/test_buffers.py"),
    ),
]
COPIED = ("minidl", "tests", "examples", "docs", "benchmarks", "*.toml", "*.yml", "*.md", "*.cff")
IMPORTED_ONCE = (
    "numpy.testing",
    "scipy.special",
    "hypothesis.strategies",
    "threadpoolctl",
    "tqdm.auto",
    "pytest",
)
MEMORY = 8 << 30  # a mutant may ask for any amount
NO_TESTS, NOT_THE_COPY = 5, 99  # exit codes: pytest's, and our own
EQUIVALENT, CAUGHT, TIMED_OUT, SURVIVED = "equivalent", "caught", "timed out", "survived"


class MutationError(Exception):
    """The run itself went wrong, so that its result would mean nothing."""


@dataclass(frozen=True)
class Run:
    """What came of running some tests once."""

    code: int | None  # pytest's exit code; None if the time was up
    seconds: float
    output: str

    @property
    def failed_test(self) -> str:
        """The first test that failed, or what else pytest said at the end."""
        lines = [line for line in self.output.splitlines() if line.startswith(("FAILED", "ERROR"))]
        return (lines or self.output.splitlines() or ["no output"])[-1]


class Workshop:
    """The copies of the repository, one for each worker, and how long tests may take there."""

    def __init__(self, root: Path, folder: Path) -> None:
        self.pristine = folder / "pristine"
        for pattern in COPIED:
            for source in root.glob(pattern):
                target = self.pristine / source.name
                if source.is_dir():
                    skip = shutil.ignore_patterns("__pycache__", "output", ".*")
                    shutil.copytree(source, target, ignore=skip)
                else:
                    shutil.copy2(source, target)
        self.limits: dict[tuple[str, ...], float] = {}

    def files(self, only: str) -> dict[str, tuple[str, ...]]:
        """The files to change, with the tests to run first for each."""
        return {
            str(path): tuple(test.format(path.stem) for test in tests)
            for pattern, tests in FIRST_TESTS.items()
            for path in sorted(p.relative_to(self.pristine) for p in self.pristine.glob(pattern))
            if (path.name not in NO_MATHEMATICS or str(path) == pattern) and only in str(path)
        }

    def copy(self) -> Path:
        """This worker's own copy, made at the first call."""
        folder = self.pristine.with_name(f"worker-{os.getpid()}")
        if not folder.exists():
            shutil.copytree(self.pristine, folder)  # with the bytecode of the first run
        return folder


def run_tests(folder: Path, tests: tuple[str, ...], limit: float, *, keep_bytecode: bool) -> Run:
    """Run tests in a copy, in a process of their own."""
    start, log = time.monotonic(), folder / f"{os.getpid()}.log"
    pid = os.fork()
    if not pid:
        _become_pytest(folder, tests, log, keep_bytecode)
    try:
        code = _wait(pid, start + limit)
    finally:  # also ends what the tests have started, and after an interrupt the tests
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(pid, signal.SIGKILL)
    run = Run(code, time.monotonic() - start, log.read_text(errors="replace"))
    if code in (NO_TESTS, NOT_THE_COPY):
        raise MutationError(f"{tests}: nothing was tested (exit code {code}).\n{run.output}")
    return run


def _wait(pid: int, deadline: float) -> int | None:
    while True:
        done, status = os.waitpid(pid, os.WNOHANG)
        if done:
            return os.waitstatus_to_exitcode(status)
        if time.monotonic() > deadline:
            os.killpg(pid, signal.SIGKILL)
            os.waitpid(pid, 0)
            return None
        time.sleep(0.005)


def _become_pytest(folder: Path, tests: tuple[str, ...], log: Path, keep_bytecode: bool) -> None:
    """In the forked process: run pytest on the copy and end."""
    import hypothesis
    import pytest

    class TheCopy:
        def pytest_collection_finish(self) -> None:
            import minidl

            if Path(minidl.__file__).parent != folder / "minidl":
                print(f"minidl was imported from {minidl.__file__}")
                os._exit(NOT_THE_COPY)

    code = 1
    try:
        os.setpgid(0, 0)
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
        output = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
        os.dup2(output, 1)
        os.dup2(output, 2)
        os.chdir(folder)
        os.environ["PYTHONPATH"] = str(folder)  # for tests that start Python
        originals = {"", str(ROOT), str(ROOT / "tests")}
        sys.path[:] = [str(folder), *(entry for entry in sys.path if entry not in originals)]
        sys.dont_write_bytecode = not keep_bytecode  # it could not tell two mutants apart
        hypothesis.settings.register_profile("mutation", derandomize=True, database=None)
        hypothesis.settings.load_profile("mutation")
        options = ["-x", "-q", "--tb=short", "-p", "no:cacheprovider", f"--rootdir={folder}"]
        code = pytest.main([*options, *tests], plugins=[TheCopy()])
        sys.stdout.flush()
    finally:
        os._exit(code)


def try_mutant(
    workshop: Workshop, known: set[tuple[str, str, str]], work: tuple[Mutant, tuple[str, ...]]
) -> tuple[Mutant, str, str, float]:
    """Run tests against a mutant until one fails; how it ended, what caught it, and seconds."""
    mutant, first = work
    folder = workshop.copy()
    file, seconds = folder / mutant.path, 0.0
    pristine = workshop.pristine / mutant.path
    file.write_bytes(mutant.source)
    later = pristine.stat().st_mtime + 10  # so that the bytecode at hand is not taken for it
    os.utime(file, (later, later))
    try:
        for tests in [first] if mutant.key in known else [first, *OTHER_TESTS]:
            run = run_tests(folder, tests, workshop.limits[tests], keep_bytecode=False)
            seconds += run.seconds
            if run.code is None:
                return mutant, TIMED_OUT, "", seconds
            if run.code:
                return mutant, CAUGHT, run.failed_test, seconds
    finally:
        shutil.copy2(pristine, file)
    return mutant, EQUIVALENT if mutant.key in known else SURVIVED, "", seconds


def measure(workshop: Workshop, tests: tuple[str, ...]) -> tuple[tuple[str, ...], float]:
    """See that tests pass without a mutant; a time limit for them with one."""
    run = run_tests(workshop.pristine, tests, 900.0, keep_bytecode=True)
    if run.code != 0:
        raise MutationError(f"Tests fail without any mutant:\n{run.output}")
    return tests, max(15.0, 6 * run.seconds)


def read_equivalents(path: Path) -> dict[tuple[str, str, str], str]:
    """The reason for each mutant that changes nothing that matters."""
    table = tomllib.loads(path.read_text()) if path.exists() else {}
    return {
        (entry["path"], entry["original"], entry["mutated"]): entry["reason"]
        for entry in table.get("equivalent", [])
    }


def prepare() -> None:
    """Settings and imports that all runs share; minidl itself must not be among them."""
    os.environ.update(
        PYTEST_DISABLE_PLUGIN_AUTOLOAD="1",
        PYTHONDONTWRITEBYTECODE="1",
        **dict.fromkeys(("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"), "1"),
    )
    os.environ.pop("MINIDL_DATA_DIR", None)
    for name in IMPORTED_ONCE:
        importlib.import_module(name)


def print_summary(results: list[tuple[Mutant, str]]) -> None:
    counts: dict[str, Counter[str]] = {}
    for mutant, ending in results:
        counts.setdefault(mutant.path, Counter())[ending] += 1
    total = sum(counts.values(), Counter())
    width = max(map(len, counts), default=5)
    print(f"\n{'':{width}}  mutants  caught  timed out  equivalent  survivors")
    for name, count in [*sorted(counts.items()), ("total", total)]:
        print(
            f"{name:{width}}  {count.total():7}  {count[CAUGHT]:6}  {count[TIMED_OUT]:9}"
            f"  {count[EQUIVALENT]:10}  {count[SURVIVED]:9}"
        )


def main() -> int:
    options = parse_arguments()
    start = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="minidl-mutation-") as name:
        workshop = Workshop(ROOT, Path(name).resolve())
        files = workshop.files(options.only)
        work = [
            (mutant, tests)
            for path, tests in files.items()
            for mutant in mutants_of(path, (workshop.pristine / path).read_bytes())
        ]
        reasons = read_equivalents(workshop.pristine / EQUIVALENTS)
        stale = [k for k in reasons if k[0] in files and k not in {m.key for m, _ in work}]
        if options.sample is not None and options.sample < len(work):
            work = random.Random(options.seed).sample(work, options.sample)
        if options.list:
            print(*(mutant for mutant, _ in work), sep="\n")
            return 0
        prepare()
        results = []
        with multiprocessing.get_context("fork").Pool(options.jobs) as pool:
            stages = {*(tests for _, tests in work), *OTHER_TESTS}
            workshop.limits = dict(
                pool.imap_unordered(functools.partial(measure, workshop), stages)
            )
            print(f"{len(work)} mutants; without one, all tests pass", flush=True)
            tried = pool.imap_unordered(functools.partial(try_mutant, workshop, set(reasons)), work)
            for number, (mutant, ending, by, seconds) in enumerate(tried, 1):
                results.append((mutant, ending))
                if ending == SURVIVED or options.verbose:
                    print(f"{ending} ({seconds:.1f} s): {mutant}  {by}", flush=True)
                if number % 50 == 0:
                    print(f"{number} of {len(work)}, {time.monotonic() - start:.0f} s", flush=True)
    print_summary(results)
    wrong = [m for m, ending in results if m.key in reasons and ending != EQUIVALENT]
    for mutant in wrong:
        print(f"{EQUIVALENTS} calls this one equivalent, but a test catches it: {mutant}")
    for path, original, mutated in stale:
        print(f"{EQUIVALENTS} has a mutant that does not exist: {path}: {original} -> {mutated}")
    print(f"{time.monotonic() - start:.0f} s")
    return int(bool(wrong or stale or any(ending == SURVIVED for _, ending in results)))


def _end(*_: object) -> None:
    """Told to end: an exception, so that what was started is ended too."""
    sys.exit(1)


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--only", default="", metavar="PART", help="files with this in their path")
    parser.add_argument("--jobs", type=int, default=2, help="processes at a time (2)")
    parser.add_argument("--sample", type=int, metavar="N", help="N mutants drawn at random")
    parser.add_argument("--seed", type=int, default=0, help="of the sample (0)")
    parser.add_argument("--list", action="store_true", help="print the mutants, run nothing")
    parser.add_argument("--verbose", action="store_true", help="print what caught each mutant")
    return parser.parse_args()


if __name__ == "__main__":
    try:
        signal.signal(signal.SIGTERM, _end)
        sys.exit(main())
    except MutationError as error:
        print(error)
        sys.exit(2)
