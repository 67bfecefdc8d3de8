from benchmarks.environments import interpreter, missing
from benchmarks.footprint import installed_size, is_tool


def test_installed_size_counts_packages_without_tools(tmp_path):
    packages = tmp_path / "torch" / "lib" / "python3.11" / "site-packages"
    for name, size in (
        ("torch/a.py", 10),
        ("numpy/b.so", 5),
        ("pip/c", 100),
        ("pip-25.dist-info/d", 1),
    ):
        path = packages / name
        path.parent.mkdir(parents=True)
        path.write_bytes(bytes(size))
    python = interpreter(tmp_path, "torch")
    python.parent.mkdir()
    python.touch()
    found = installed_size(tmp_path)
    assert found["torch"] == {"bytes": 15}
    assert found["jax"] == {"problem": missing(tmp_path, "jax")}


def test_tools():
    assert is_tool("pip-25.1.dist-info")
    assert not is_tool("pipeline")
