"""The house's rules, held by reading the source."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import minidl

PACKAGE = Path(minidl.__file__).parent
ROOMS = [  # a room imports only rooms above it
    "typing",
    "errors",
    "arguments",
    "randomness",
    "sparse",
    "finiteness",
    "threads",
    "initializers",
    "regularization",
    "parameters",
    "buffers",
    "products",
    "reading",
    "layers",
    "thread_policy",
    "containers",
    "losses",
    "fusion",
    "chunks",
    "objective",
    "optimizers",
    "metrics",
    "datasets",
    "augmentation",
    "io",
    "training",
    "solvers",
    "saliency",
    "plotting",
    "diagram",
    "summary",
    "explaining",
    "onnx",
    "converters",
    "standalone",
    "sklearn",
    "testing",
    "doctor",
    "command_line",
    "__main__",
]
FACADES = {  # methods that import their room inside the function
    ("layers/base.py", "diagram"),
    ("layers/base.py", "io"),
    ("layers/base.py", "summary"),
    ("training/history.py", "plotting"),
    ("training/learning_rate_range.py", "plotting"),
}
MODULES = sorted(p for p in PACKAGE.rglob("*.py") if p != PACKAGE / "__init__.py")


def room_of(path):
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


def imported_rooms(path):
    """Rooms that a module imports, with whether the import is for type checkers alone."""
    tree = ast.parse(path.read_text())
    for_types = {
        id(node)
        for block in ast.walk(tree)
        if isinstance(block, ast.If) and getattr(block.test, "id", "") == "TYPE_CHECKING"
        for node in ast.walk(block)
    }
    for node in ast.walk(tree):
        if id(node) in for_types:
            continue
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("minidl"):
            parts = (node.module or "").split(".")
            yield from [parts[1]] if len(parts) > 1 else [alias.name for alias in node.names]
        elif isinstance(node, ast.Import):
            for alias in node.names:
                if alias.name.startswith("minidl."):
                    yield alias.name.split(".")[1]


def test_every_module_is_in_a_known_room():
    assert {room_of(path) for path in MODULES} == set(ROOMS)


@pytest.mark.parametrize("path", MODULES, ids=lambda p: p.relative_to(PACKAGE).as_posix())
def test_imports_go_upwards_only(path):
    room, name = room_of(path), path.relative_to(PACKAGE).as_posix()
    for imported in imported_rooms(path):
        if (name, imported) not in FACADES:
            assert ROOMS.index(imported) <= ROOMS.index(room), f"{name} imports {imported}"


ONE_A_FILE = ["layers", "containers", "losses", "optimizers", "metrics"]
ONE_A_FILE += ["regularization", "augmentation", "explaining"]


@pytest.mark.parametrize("room", ONE_A_FILE)
def test_files_stay_short(room):
    base = {"base.py", "calls.py", "planning.py", "building.py"}  # what the others stand on
    for path in (PACKAGE / room).rglob("*.py"):
        if path.name not in base:
            assert len(path.read_text().splitlines()) <= 150, path.name


def test_library_code_has_no_assert():
    for path in MODULES:
        asserts = [n for n in ast.walk(ast.parse(path.read_text())) if isinstance(n, ast.Assert)]
        assert not asserts, path


def test_import_brings_no_heavy_package():
    code = (
        "import sys, minidl; heavy = {'scipy', 'matplotlib', 'pooch', 'tqdm', 'safetensors'}; "
        "print(sorted(heavy & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_import_leaves_global_state_alone():
    code = (
        "import numpy as np; np.random.seed(1); a = (np.geterr(), np.random.get_state()[1].sum()); "
        "import minidl; print(a == (np.geterr(), np.random.get_state()[1].sum()))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "True"
