"""Mutation run: change the mathematics place by place, and see that a test fails each time.

    python tests/mutation.py                    the whole run: some two hours on two cores
    python tests/mutation.py --share 1/12       the first of twelve parts, the same ones each time
    python tests/mutation.py --only losses      files that have this in their path
    python tests/mutation.py --sample 40        forty mutants, drawn at random by --seed
    python tests/mutation.py --list             print the mutants and run nothing

Every mutant (see mutants.py) is written into a copy of the repository in a temporary folder, never
into the working tree. Its file's own tests run first, among them the layer's rows of the contract
suite; all others run only if these pass. A mutant that survives both shows a hole in the tests; or
it changes nothing that matters, and then it stands in mutation_equivalents.toml with the reason.
The exit code is 1 if one survives without a reason, or if an entry of that table is out of date.

The whole run takes too long for every change: `.ci/run` tries one part in twelve, which a hash of
each mutant chooses, and so misses most new holes. Run all mutants of a file that you change (with
`--only`), and all of all files before a release; docs/results has the figures.

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
import zlib
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from mutants import MATHEMATICS, Mutant, functions_of, mutants_of

ROOT = Path(__file__).resolve().parent.parent
EQUIVALENTS = "tests/mutation_equivalents.toml"
FIRST_TESTS = {  # the files to change, and the tests to run first
    "minidl/products.py": ("tests/test_products.py",),
    "minidl/threads.py": ("tests/test_threads.py",),
    "minidl/reading.py": ("tests/test_reading.py",),
    "minidl/finiteness.py": ("tests/test_finiteness.py",),
    "minidl/parameters.py": ("tests/test_parameters.py",),
    "minidl/thread_policy.py": ("tests/test_thread_policy.py",),
    "minidl/layers/planning.py": ("tests/layers/test_planning.py",),
    "minidl/layers/input_fixes.py": ("tests/layers/test_input_fixes.py",),
    "minidl/layers/checks.py": ("tests/layers/test_building.py", "tests/test_sparse.py"),
    "minidl/training/sources.py": ("tests/training",),
    "minidl/training/epoch_values.py": (
        *("tests/losses/test_steps.py", "tests/containers/test_masks.py"),
        "tests/training/test_trainer.py",
    ),
    "minidl/training/improvement.py": ("tests/training/test_improvement.py",),
    "minidl/training/learning_rate_range.py": ("tests/training/test_learning_rate_range.py",),
    "minidl/training/moving_average.py": ("tests/training/test_moving_average.py",),
    "minidl/training/reduce_on_plateau.py": (
        *("tests/training/test_reduce_on_plateau.py", "tests/training/test_improvement.py"),
    ),
    "minidl/training/checkpoint.py": ("tests/training/test_checkpoint.py",),
    "minidl/training/csv_log.py": ("tests/training/test_records.py",),
    "minidl/training/diagnosis.py": (
        "tests/training/test_diagnosis.py",
        "tests/test_solvers.py",
    ),
    "minidl/training/early_stopping.py": ("tests/training/test_callbacks.py",),
    "minidl/training/history.py": ("tests/training/test_trainer.py",),
    "minidl/training/hooks.py": (
        "tests/training/test_hooks.py",
        "tests/training/test_callbacks.py",
    ),
    "minidl/training/learning_rate_log.py": ("tests/training/test_records.py",),
    "minidl/training/repeatable.py": ("tests/training/test_diagnosis.py",),
    "minidl/training/rerun.py": ("tests/training/test_diagnosis.py",),
    "minidl/training/stop_on_nan.py": ("tests/training/test_stop_on_nan.py",),
    "minidl/training/time_limit.py": ("tests/training/test_records.py",),
    "minidl/training/validation.py": (
        *("tests/training/test_validation.py", "tests/training/test_trainer.py"),
        "tests/training/test_same_bits.py",
    ),
    "minidl/training/warning_signs.py": ("tests/training/test_warning_signs.py",),
    "minidl/io/whole_files.py": ("tests/io/test_whole_files.py",),
    "minidl/plotting/live_plot.py": ("tests/plotting/test_live_plot.py",),
    "minidl/training/epoch.py": ("tests/training/test_trainer.py", "tests/training/test_resume.py"),
    "minidl/training/evaluation.py": ("tests/training/test_blas_threads.py",),
    "minidl/training/trainer.py": ("tests/training",),
    "minidl/saliency.py": ("tests/test_saliency.py",),
    "minidl/sparse.py": ("tests/test_sparse.py",),
    "minidl/initializers/*.py": ("tests/test_initializers.py",),
    "minidl/regularization/*.py": ("tests/regularization",),
    "minidl/regularization/base.py": ("tests/regularization",),
    "minidl/solvers/*.py": ("tests/test_solvers.py",),
    "minidl/layers/*.py": ("tests/layers/test_contract.py",),
    "minidl/containers/*.py": ("tests/layers/test_contract.py",),
    "minidl/datasets/batches.py": (
        *("tests/datasets/test_batches.py", "tests/datasets/test_transforms.py"),
        "tests/datasets/test_sample_batches.py",
    ),
    "minidl/datasets/blocks.py": (
        "tests/datasets/test_sample_batches.py",
        "tests/datasets/test_csv_batches.py",
    ),
    "minidl/datasets/csv_batches.py": ("tests/datasets/test_csv_batches.py",),
    "minidl/datasets/csv_file.py": ("tests/datasets/test_csv_batches.py",),
    "minidl/datasets/csv_lines.py": ("tests/datasets/test_csv_batches.py",),
    "minidl/datasets/csv_source.py": ("tests/datasets/test_csv_batches.py",),
    "minidl/datasets/idx_set.py": (
        "tests/datasets/test_idx_set.py",
        "tests/datasets/test_emnist.py",
    ),
    "minidl/datasets/sample_batches.py": ("tests/datasets/test_sample_batches.py",),
    "minidl/datasets/stratified_split.py": ("tests/datasets/test_stratified_split.py",),
    "minidl/datasets/transforms.py": ("tests/datasets/test_transforms.py",),
    "minidl/losses/*.py": ("tests/losses/test_base.py",),
    "minidl/optimizers/*.py": ("tests/optimizers",),
    "minidl/fusion.py": ("tests/test_objective.py",),
    "minidl/chunks.py": ("tests/test_objective.py", "tests/test_sparse.py"),
    "minidl/objective.py": (
        *("tests/test_objective.py", "tests/test_sparse.py", "tests/regularization"),
    ),
    "minidl/losses/base.py": (
        *("tests/losses/test_base.py", "tests/losses/test_steps.py"),
        *("tests/losses/test_weights.py", "tests/losses/test_class_weights.py"),
    ),
    "minidl/losses/checks.py": ("tests/losses/test_base.py", "tests/losses/test_steps.py"),
    "minidl/losses/sample_weight.py": (
        *("tests/losses/test_base.py", "tests/losses/test_weights.py"),
        "tests/losses/test_class_weights.py",
    ),
    "minidl/optimizers/base.py": ("tests/optimizers",),
    "minidl/optimizers/schedules/*.py": ("tests/optimizers/test_schedules.py",),
    "minidl/optimizers/schedules/base.py": ("tests/optimizers/test_schedules.py",),
    "minidl/buffers.py": ("tests/test_buffers.py",),
    "minidl/metrics/*.py": ("tests/metrics",),
    "minidl/augmentation/*.py": ("tests/augmentation",),
}
MORE_TESTS = {  # to run first as well, for the modules of these names
    "containers/test_bidirectional.py": "bidirectional",
    "containers/test_chain.py": "chain nesting",
    "containers/test_masks.py": (
        "chain lost_masks masks nesting parallel residual sequential trace"
    ),
    "containers/test_parallel.py": "parallel",
    "containers/test_residual.py": "residual",
    "containers/test_sequential.py": "chain nesting sequential trace",
    "layers/test_activations.py": (
        "elu gelu leaky_relu log_softmax prelu relu selu sigmoid silu softplus tanh"
    ),
    "layers/test_batch_norm.py": "batch_norm normalization",
    "layers/test_building.py": "dense dropout flatten",
    "layers/test_convolution.py": (
        "conv1d conv2d conv2d_transpose convolution correlation image_windows step_windows "
        "window_options windows"
    ),
    "layers/test_dense.py": "dense",
    "layers/test_embedding.py": "embedding indices",
    "layers/test_flatten.py": "image_order",
    "layers/test_masking.py": "masking",
    "layers/test_multi_head_self_attention.py": "attention multi_head_self_attention",
    "layers/test_noise.py": "dropout gaussian_noise reshape spatial_dropout2d",
    "layers/test_normalization.py": "group_norm layer_norm normalization rms_norm",
    "layers/test_open_time_axis.py": "dense flatten",
    "layers/test_pooling.py": (
        "average_pool2d global_average_pool1d global_average_pool2d global_max_pool2d max_pool1d "
        "max_pool2d max_pooling pooling up_sampling2d window_options windows"
    ),
    "layers/test_positional_encoding.py": "positional_encoding",
    "layers/test_recurrent.py": "gru lstm recurrent scratch simple_rnn",
    "layers/test_softmax.py": "softmax",
    "layers/test_standardize.py": "moments standardize",
    "losses/test_binary_cross_entropy.py": "binary_cross_entropy",
    "losses/test_class_weights.py": "class_weights",
    "losses/test_cross_entropy.py": "cross_entropy softmax_loss",
    "losses/test_hinge.py": "fusion hinge",
    "losses/test_huber.py": "huber",
    "losses/test_kl_divergence.py": "fusion kl_divergence",
    "losses/test_labels.py": "labels",
    "losses/test_mean_absolute_error.py": "mean_absolute_error",
    "losses/test_mean_squared_error.py": "mean_squared_error",
    "losses/test_poisson.py": "fusion poisson",
    "losses/test_quantile.py": "quantile",
    "losses/test_steps.py": "binary_cross_entropy cross_entropy labels softmax_loss",
    "optimizers/test_adadelta.py": "adadelta",
    "optimizers/test_adagrad.py": "adagrad",
    "optimizers/test_adam.py": "adam",
    "optimizers/test_clipping.py": "clipping",
    "optimizers/test_lion.py": "lion",
    "optimizers/test_nadam.py": "nadam",
    "optimizers/test_rmsprop.py": "rmsprop",
    "optimizers/test_sgd.py": "sgd",
}
USED_BY = {  # modules without a layer: layers whose rows of the contract suite run first
    "attention": "multi_head_self_attention",
    "chain": "residual sequential",
    "convolution": "conv1d conv2d_transpose",
    "correlation": "conv2d",
    "image_order": "flatten reshape",
    "image_windows": "conv2d",
    "indices": "embedding",
    "masks": "sequential",
    "moments": "standardize",
    "max_pooling": "max_pool1d max_pool2d",
    "nesting": "sequential",
    "normalization": "batch_norm layer_norm",
    "pooling": "average_pool2d max_pool1d max_pool2d",
    "recurrent": "gru lstm",
    "scratch": "lstm",
    "step_windows": "conv1d",
    "trace": "sequential",
    "window_options": "conv1d conv2d",
    "windows": "conv1d conv2d",
}
NO_MATHEMATICS = {
    *("__init__.py", "base.py", "building.py", "calls.py", "checks.py", "copying.py"),
    *("input_fixes.py", "planning.py"),
}


@dataclass(frozen=True)
class Stage:
    """Tests to run in one go.

    Attributes:
        tests: Their paths.
        rows: The modules of the layers whose rows of tests/cases.py are wanted; all if empty.
    """

    tests: tuple[str, ...]
    rows: str = ""


OTHERS = Stage(  # run if those before have passed
    (
        *("tests/test_objective.py", "tests/containers", "tests/losses", "tests/optimizers"),
        *("tests/training", "tests/layers", "tests/test_testing.py", "tests/test_buffers.py"),
        *("tests/regularization", "tests/metrics", "tests/augmentation", "tests/datasets"),
        *("tests/test_solvers.py", "tests/test_sparse.py", "tests/test_reading.py"),
    ),
)
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
        self.limits: dict[Stage, float] = {}

    def files(self, only: str) -> dict[str, Stage]:
        """The files to change, with the tests to run first for each."""
        return {
            str(path): _first_stage(path.stem, tests)
            for pattern, tests in FIRST_TESTS.items()
            for path in sorted(p.relative_to(self.pristine) for p in self.pristine.glob(pattern))
            if (path.name not in NO_MATHEMATICS or str(path) == pattern) and only in str(path)
        }

    def limit(self, stage: Stage) -> float:
        """How long a stage may take with a mutant; measured where it is not known yet."""
        if stage not in self.limits:
            self.limits.update([measure(self, stage)])
        return self.limits[stage]

    def copy(self) -> Path:
        """This worker's own copy, made at the first call."""
        folder = self.pristine.with_name(f"worker-{os.getpid()}")
        if not folder.exists():
            shutil.copytree(self.pristine, folder)  # with the bytecode of the first run
        return folder


def _first_stage(module: str, tests: tuple[str, ...]) -> Stage:
    more = [f"tests/{path}" for path, names in MORE_TESTS.items() if module in names.split()]
    return Stage((*more, *tests), USED_BY.get(module, module))


def run_tests(folder: Path, stage: Stage, limit: float, *, keep_bytecode: bool) -> Run:
    """Run tests in a copy, in a process of their own."""
    start, log = time.monotonic(), folder / f"{os.getpid()}.log"
    pid = os.fork()
    if not pid:
        _become_pytest(folder, stage, log, keep_bytecode)
    try:
        code = _wait(pid, start + limit)
    finally:  # also ends what the tests have started, and after an interrupt the tests
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(pid, signal.SIGKILL)
    run = Run(code, time.monotonic() - start, log.read_text(errors="replace"))
    if code in (NO_TESTS, NOT_THE_COPY):
        raise MutationError(f"{stage}: nothing was tested (exit code {code}).\n{run.output}")
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


def _become_pytest(folder: Path, stage: Stage, log: Path, keep_bytecode: bool) -> None:
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
        os.environ["MINIDL_CASES"] = stage.rows
        originals = {"", str(ROOT), str(ROOT / "tests")}
        sys.path[:] = [str(folder), *(entry for entry in sys.path if entry not in originals)]
        sys.dont_write_bytecode = not keep_bytecode  # it could not tell two mutants apart
        hypothesis.settings.register_profile(
            "mutation",
            derandomize=True,
            database=None,
            phases=[hypothesis.Phase.explicit, hypothesis.Phase.generate],  # no shrinking
        )
        os.environ["MINIDL_HYPOTHESIS"] = "mutation"  # which tests/conftest.py loads
        options = ["-x", "-q", "--tb=short", "-p", "no:cacheprovider", f"--rootdir={folder}"]
        code = pytest.main([*options, *stage.tests], plugins=[TheCopy()])
        sys.stdout.flush()
    finally:
        os._exit(code)


def try_mutant(
    workshop: Workshop, known: set[tuple[str, str, str]], work: tuple[Mutant, Stage]
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
        for stage in [first] if mutant.key in known else [first, OTHERS]:
            run = run_tests(folder, stage, workshop.limit(stage), keep_bytecode=False)
            seconds += run.seconds
            if run.code is None:
                return mutant, TIMED_OUT, "", seconds
            if run.code:
                return mutant, CAUGHT, run.failed_test, seconds
    finally:
        shutil.copy2(pristine, file)
    return mutant, EQUIVALENT if mutant.key in known else SURVIVED, "", seconds


def measure(workshop: Workshop, stage: Stage) -> tuple[Stage, float]:
    """See that tests pass without a mutant; a time limit for them with one."""
    run = run_tests(workshop.pristine, stage, 900.0, keep_bytecode=True)
    if run.code != 0:
        raise MutationError(f"Tests fail without any mutant:\n{run.output}")
    return stage, max(15.0, 6 * run.seconds)


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
            (mutant, stage)
            for path, stage in files.items()
            for mutant in mutants_of(path, (workshop.pristine / path).read_bytes())
        ]
        sources = ((workshop.pristine / path).read_bytes() for path in files)
        gone = MATHEMATICS.difference(*map(functions_of, sources))
        if gone and not options.only:
            raise MutationError(f"tests/mutants.py names functions that there are not: {gone}")
        reasons = read_equivalents(workshop.pristine / EQUIVALENTS)
        stale = [k for k in reasons if k[0] in files and k not in {m.key for m, _ in work}]
        work = [(mutant, stage) for mutant, stage in work if in_share(mutant, options.share)]
        if options.sample is not None and options.sample < len(work):
            work = random.Random(options.seed).sample(work, options.sample)
        if options.list:
            print(*(mutant for mutant, _ in work), sep="\n")
            return 0
        prepare()
        results = []
        with multiprocessing.get_context("fork").Pool(options.jobs) as pool:
            stages = {stage for _, stage in work}
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


def in_share(mutant: Mutant, share: tuple[int, int]) -> bool:
    """Whether a mutant belongs to part k of n; it does for good, whatever else is changed."""
    k, n = share
    return zlib.crc32(repr(mutant.key).encode()) % n == k - 1


def parse_share(text: str) -> tuple[int, int]:
    k, n = map(int, text.split("/"))
    if not 1 <= k <= n:
        raise ValueError
    return k, n


def _end(*_: object) -> None:
    """Told to end: an exception, so that what was started is ended too."""
    sys.exit(1)


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--only", default="", metavar="PART", help="files with this in their path")
    parser.add_argument("--jobs", type=int, default=2, help="processes at a time (2)")
    parser.add_argument(
        "--share", type=parse_share, default=(1, 1), metavar="K/N", help="part K of N (1/1: all)"
    )
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
