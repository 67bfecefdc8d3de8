import platform
import subprocess

import numpy as np

from minidl.doctor.processor import cpu_flags, cpu_name

X86 = """processor : 0
cpu family : 26
model : 2
model name : AMD EPYC
flags : fpu avx avx2 fma avx512f sse4_2

processor : 1
model name : another
"""


def cpuinfo(root, text):
    (root / "proc").mkdir()
    (root / "proc/cpuinfo").write_text(text)
    return root


def test_linux_on_x86(tmp_path):
    root = cpuinfo(tmp_path, X86)
    assert cpu_name(root) == "AMD EPYC (family 26, model 2)"
    assert cpu_flags(root) == ("avx", "avx2", "fma", "avx512f")


def test_linux_on_arm(tmp_path, monkeypatch):
    root = cpuinfo(tmp_path, "processor : 0\nFeatures : fp asimd sve crc32\nCPU part : 0xd40\n")
    monkeypatch.setattr(platform, "processor", lambda: "")
    monkeypatch.setattr(platform, "machine", lambda: "aarch64")
    assert cpu_name(root) == "aarch64"
    assert cpu_flags(root) == ("asimd", "sve")


def test_macos(tmp_path, monkeypatch):
    monkeypatch.setattr(platform, "system", lambda: "Darwin")
    done = subprocess.CompletedProcess([], 0, stdout="Apple M2\n")
    monkeypatch.setattr(subprocess, "run", lambda *a, **k: done)
    assert cpu_name(tmp_path) == "Apple M2"


def test_macos_without_child_processes(tmp_path, monkeypatch):
    def forbidden(*args, **kwargs):
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(platform, "system", lambda: "Darwin")
    monkeypatch.setattr(platform, "processor", lambda: "arm")
    monkeypatch.setattr(subprocess, "run", forbidden)
    assert cpu_name(tmp_path) == "arm"


def test_nothing_is_known(tmp_path, monkeypatch):
    for name in ("processor", "machine", "system"):
        monkeypatch.setattr(platform, name, lambda: "")
    monkeypatch.setattr(np, "show_config", lambda mode: None)
    assert cpu_name(tmp_path) == "unknown"
    assert cpu_flags(tmp_path) == ()


def test_flags_from_numpy_where_the_system_does_not_tell(tmp_path, monkeypatch):
    simd = {"baseline": ["X86_V2"], "found": ["X86_V3"], "not found": ["X86_V4"]}
    monkeypatch.setattr(np, "show_config", lambda mode: {"SIMD Extensions": simd})
    assert cpu_flags(tmp_path) == ("avx", "avx2", "fma")


def test_both_sources_agree_here(tmp_path):
    named = {"avx2", "fma", "avx512f", "avx512cd", "avx512bw", "avx512dq", "avx512vl"}
    assert set(cpu_flags()) & named == set(cpu_flags(tmp_path)) & named
