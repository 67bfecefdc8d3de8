"""Damaged and hostile files, thrown at everything in minidl that reads one.

    python tests/hostile/fuzz.py                      every reader, 300 files each
    python tests/hostile/fuzz.py csv --files 10000    one of them, longer
    python tests/hostile/fuzz.py csv --seconds 600 --guided    led by coverage; needs atheris

A reader may raise minidl's own errors and nothing else. While it reads, it may open no other file,
start no program, run and import no code, and allocate no more than four times the file's size (and
two megabytes, for files are read in blocks). What breaks this is written to `--keep`, and the exit
code is 1.
"""

from __future__ import annotations

import argparse
import contextlib
import gzip
import json
import os
import random
import struct
import sys
import tempfile
import time
import tracemalloc
import warnings
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

import minidl as dl
from minidl.io.whole_files import previous_of

LARGEST = 50_000  # bytes of a mutated file
SPARE = 2**21  # bytes that a reader may allocate beside: files are read in blocks of a megabyte
CODE = ("exec", "compile", "import", "marshal.", "pickle.", "ctypes.", "code.__new__")
OUTSIDE = ("subprocess.", "os.system", "os.exec", "os.posix_spawn", "os.fork", "socket.", "shutil.")
OUTSIDE += ("os.remove", "os.rename", "os.mkdir", "os.rmdir", "os.link", "os.symlink", "os.chmod")
WORDS = [b"NaN", b"1e999", b"-1", b"0", b"99999999999", b"null", b"{}", b"[]", b'""', b"\xff" * 8]
WORDS += [b"\0" * 8, b"../", b"/etc/passwd", b"__class__", b"Dense", b'"layers"', b"\n", b",", b'"']


def mutated(data: bytes, others: list[bytes], rng: random.Random) -> bytes:
    """Change a file at a few places, as damage or a hostile hand would."""
    content = bytearray(data)
    for _ in range(rng.choice([1, 1, 1, 2, 4, 16])):
        at = rng.randrange(len(content) + 1)
        until = min(len(content), at + rng.choice([1, 2, 4, 8, 64]))
        match rng.randrange(9):
            case 0:
                content[at:until] = bytes(b ^ (1 << rng.randrange(8)) for b in content[at:until])
            case 1:
                content[at:until] = rng.randbytes(until - at)
            case 2:
                del content[at:until]
            case 3:
                content[at:at] = content[at:until] * rng.choice([1, 2, 100])
            case 4:
                content[at:at] = rng.choice(WORDS)
            case 5:
                content[at:until] = rng.choice(WORDS)
            case 6:
                number = rng.choice([0, 1, 255, 2**31 - 1, 2**32 - 1, 2**63, 2**64 - 1])
                packed = struct.pack(rng.choice("<>") + "Q", number)[: rng.choice([4, 8])]
                content[at : at + len(packed)] = packed
            case 7:
                content = content[:at]
            case 8:
                other = rng.choice(others)
                piece = rng.randrange(len(other) + 1)
                content[at:until] = other[piece : piece + rng.choice([8, 64, 1024])]
    return bytes(content[:LARGEST])


@dataclass(frozen=True)
class Reader:
    """Something that reads a file, and files for a beginning."""

    name: str  # of the file
    read: Callable[[Path], object]
    seeds: Callable[[], list[bytes]]
    mutate: Callable[[bytes, list[bytes], random.Random], bytes] = mutated


class Watch:
    """What happens while a reader runs that should not; an audit hook cannot be taken back."""

    def __init__(self) -> None:
        self.allowed: Path | None = None  # while it is watching
        self.seen: list[str] = []
        sys.addaudithook(self._hook)

    def _hook(self, event: str, arguments: tuple[object, ...]) -> None:
        if self.allowed is None:
            return
        if event == "open":
            path = arguments[0]
            files = {self.allowed, previous_of(self.allowed)}
            other = not isinstance(path, int) and Path(os.fsdecode(path)) not in files  # type: ignore[arg-type]
            if other or "w" in str(arguments[1]):
                self.seen.append(f"opened {path!r} as {arguments[1]!r}")
        elif event.startswith(CODE + OUTSIDE) and b"def foo(): pass" not in arguments:  # inspect's
            self.seen.append(f"{event} {arguments!r}"[:200])


@dataclass
class Outcomes:
    """How often what happened."""

    files: int = 0
    read: int = 0
    refused: int = 0
    largest: float = 0.0  # memory beyond SPARE, as a multiple of the file's size
    faults: list[str] = field(default_factory=list)


def trial(reader: Reader, data: bytes, path: Path, watch: Watch, outcomes: Outcomes) -> str:
    """Read one file, and return what was wrong with how it was read."""
    path.write_bytes(data)
    outcomes.files += 1
    fault = ""
    tracemalloc.start()
    watch.allowed, watch.seen = path, []
    try:
        reader.read(path)
        outcomes.read += 1
    except (dl.MinidlError, dl.TrainingWarning):  # a warning is raised, too: see main
        outcomes.refused += 1
    except Exception as error:  # of any kind: that is what is looked for
        fault = f"{type(error).__name__}: {error}"
    finally:
        watch.allowed = None
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
    outcomes.largest = max(outcomes.largest, (peak - SPARE) / max(len(data), 1))
    if peak > SPARE + 4 * len(data):
        fault = fault or f"took {peak:,} bytes for a file of {len(data):,}"
    return fault or "; ".join(watch.seen)


def rewritten(data: bytes, others: list[bytes], rng: random.Random) -> bytes:
    """Change a safetensors file, mostly what its texts say, and its checksum accordingly."""
    if rng.randrange(8) == 0:
        return mutated(data, others, rng)
    start = 8 + int.from_bytes(data[:8], "little")
    try:
        header = json.loads(data[8:start])
        texts = header["__metadata__"]
        name = rng.choice(sorted(texts))
        if rng.randrange(4) == 0:
            header = changed(header, rng)
        elif texts[name][:1] in ("{", "["):
            texts[name] = json.dumps(changed(json.loads(texts[name]), rng))
        else:
            texts[name] = str(changed(texts[name], rng))
        text, rest = json.dumps(header).encode(), data[start:]
    except Exception:  # it is too damaged to be rewritten
        return mutated(data, others, rng)
    if rng.randrange(4) == 0 and rest:
        rest = mutated(rest, others, rng)
    return resealed(len(text).to_bytes(8, "little") + text + rest)


def changed(value: Any, rng: random.Random) -> Any:
    """JSON with a change somewhere in it."""
    if isinstance(value, dict) and value and rng.randrange(8):
        name = rng.choice(sorted(value))
        match rng.randrange(8):
            case 0:
                return {k: v for k, v in value.items() if k != name}
            case 1:
                return {
                    **value,
                    rng.choice(sorted(value)) + rng.choice(["", "_", "x"]): value[name],
                }
            case _:
                return {**value, name: changed(value[name], rng)}
    if isinstance(value, list) and value and rng.randrange(8):
        at = rng.randrange(len(value))
        match rng.randrange(8):
            case 0:
                return value[:at] + value[at + 1 :]
            case 1:
                return value + value[at:] * rng.choice([1, 50])
            case _:
                return [*value[:at], changed(value[at], rng), *value[at + 1 :]]
    number = rng.choice([0, 1, -1, 2, 7, 10**6, 10**12, 2**63, 10**400])
    names = ["Dense", "Sequential", "Dropout", "L2", "Zeros", "SGD", "PCG64", "eval", "[" * 20_000]
    deep: Any = number
    for _ in range(rng.choice([1, 5, 200])):
        deep = [deep]
    fraction = rng.choice([0.5, -0.5, 1e300, float("nan"), float("inf")])
    return rng.choice([number, fraction, rng.choice(names), None, True, "", [], {}, deep, "1e999"])


def resealed(data: bytes) -> bytes:
    """A safetensors file whose checksum belongs to what is in it, if that can be taken."""
    from minidl.io import tensor_file

    checksum = None
    handle, name = tempfile.mkstemp()
    os.close(handle)
    path = Path(name)
    try:
        path.write_bytes(data)
        with contextlib.suppress(Exception), tensor_file.reading(path) as file:
            checksum = file._checksum()
    finally:
        path.unlink()
    if checksum is None:
        return data  # no reader will take it further
    start = 8 + int.from_bytes(data[:8], "little")
    header = json.loads(data[8:start])
    header.setdefault("__metadata__", {})["sha256"] = checksum
    text = json.dumps(header).encode()
    return len(text).to_bytes(8, "little") + text + data[start:]


def in_file(write: Callable[[Path], object], name: str) -> bytes:
    """What is in a file that a function writes."""
    with tempfile.TemporaryDirectory() as folder:
        write(Path(folder) / name)
        return (Path(folder) / name).read_bytes()


def models() -> list[dl.Layer]:
    """Small models with many kinds of arguments."""
    dense = [dl.Dense(3, weight_penalty=dl.L2(0.1)), dl.BatchNorm(), dl.ReLU(), dl.Dropout(0.5)]
    block = dl.Residual(dl.Sequential([dl.Dense(3), dl.Tanh()]))
    images = [dl.Standardize(), dl.Conv2D(2, 3), dl.MaxPool2D(2), dl.Flatten()]
    both = dl.Parallel([dl.Dense(2), dl.Dense(3, weight_initializer=dl.Uniform(-1, 1))])
    words = [dl.Embedding(5, 3, padding_index=0), dl.Bidirectional(dl.GRU(2)), dl.Dense(2)]
    found = [
        dl.Sequential([*dense, block, dl.Dense(2), dl.Softmax()]).build((4,), rng=0),
        dl.Sequential([*images, both]).build((6, 6, 1), rng=0),
        dl.Sequential(words).build((None,), rng=0),
    ]
    images[0].adapt(np.arange(72.0).reshape(2, 6, 6, 1))
    return found


def model_files() -> list[bytes]:
    return [in_file(model.save, "model") for model in models()]


def checkpoints() -> list[bytes]:
    x, y = np.ones((8, 4), np.float32), np.zeros(8, int)
    saved = []
    for optimizer in (dl.SGD(dl.CosineDecay(0.1, 100), momentum=0.9), dl.Adam(1e-3)):
        trainer = dl.Trainer(models()[0], dl.CrossEntropy(), optimizer, callbacks=callbacks())
        trainer.fit(x, y, epochs=2, batch_size=3)
        saved.append(in_file(trainer.save_checkpoint, "run.ckpt"))
    return saved


def callbacks() -> list[dl.Callback]:
    return [dl.MovingAverage(), dl.EarlyStopping("loss")]


def checkpoint(path: Path) -> None:
    dl.Trainer.from_checkpoint(path, callbacks=callbacks())


def onnx_files() -> list[bytes]:
    return [
        in_file(lambda path, m=model: dl.export_onnx(m, path), "m.onnx") for model in models()[:2]
    ]


def onnx_model(path: Path) -> None:
    dl.import_onnx(path)


def idx_files() -> list[bytes]:
    plain = struct.pack(">HBB3I", 0, 8, 3, 3, 4, 5) + bytes(range(60))
    floats = struct.pack(">HBB1I", 0, 13, 1, 4) + np.arange(4, dtype=">f4").tobytes()
    return [plain, floats, gzip.compress(plain, mtime=0)]


def csv_files() -> list[bytes]:
    plain = b"a,b,label\n" + b"".join(b"%d,%.1f,%d\n" % (i, i / 2, i % 3) for i in range(20))
    return [
        plain,
        b'"a",b,label\r\n"1",2e-3,0\r\n -1 ,"2.5",1\r\n',
        b"\xef\xbb\xbfa,b,label\n1,2,0\n",
    ]


def csv_rows(path: Path) -> None:
    for _ in dl.csv_batches(path, target="label", batch_size=4, shuffle=False):
        pass


def configs() -> list[bytes]:
    example = Path(__file__).resolve().parents[2] / "examples" / "two_layer_mnist.toml"
    more = b"""
[model]
layers = [{type = "Residual", body = {type = "Dense", units = 4}}, "Flatten", "Softmax"]
input_shape = [4]
dtype = "float64"
[optimizer]
type = "Adam"
learning_rate = {type = "CosineDecay", initial = 0.1, steps = 100}
[data]
source = "synthetic_digits"
[training]
epochs = 2
metrics = ["accuracy"]
[output]
model = "b.safetensors"
"""
    return [example.read_bytes(), more]


def config(path: Path) -> None:
    from minidl.command_line.config.run import Run

    Run(path)


READERS = {
    "model": Reader("model.safetensors", dl.load, model_files, rewritten),
    "checkpoint": Reader("run.ckpt", checkpoint, checkpoints, rewritten),
    "idx": Reader("images-idx3-ubyte", dl.read_idx, idx_files),
    "csv": Reader("rows.csv", csv_rows, csv_files),
    "toml": Reader("run.toml", config, configs),
    "onnx": Reader("model.onnx", onnx_model, onnx_files),
}


def hunt(name: str, options: argparse.Namespace, watch: Watch, outcomes: Outcomes) -> None:
    """Try mutated files until there were enough of them, or the time is up."""
    reader = READERS[name]
    rng, seeds = random.Random(options.seed), reader.seeds()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder).resolve() / reader.name
        for seed in seeds:  # which also imports what the reader needs
            path.write_bytes(seed)
            reader.read(path)
        until = time.monotonic() + (options.seconds or 0.0)

        def one(data: bytes) -> None:
            fault = trial(reader, data, path, watch, outcomes)
            if fault:
                outcomes.faults.append(fault)
                print(f"{name}: {fault}", file=sys.stderr)
                if options.keep:
                    Path(options.keep).mkdir(parents=True, exist_ok=True)
                    place = Path(options.keep) / f"{name}-{len(outcomes.faults)}"
                    place.write_bytes(path.read_bytes())

        def goes_on() -> bool:
            more = time.monotonic() < until if options.seconds else outcomes.files < options.files
            if options.guided and not more:
                print(report(name, outcomes), flush=True)
                os._exit(int(bool(outcomes.faults)))  # libFuzzer has no other end
            return more

        if options.guided:
            guided(one, reader, seeds, goes_on)
        while goes_on():
            one(reader.mutate(rng.choice(seeds), seeds, rng))


def guided(
    one: Callable[[bytes], None], reader: Reader, seeds: list[bytes], goes_on: Callable[[], bool]
) -> None:
    """Let atheris choose the files, by which code they reach; `goes_on` ends the process."""
    import atheris

    atheris.instrument_all()
    folder = tempfile.mkdtemp()
    for number, seed in enumerate(seeds):
        (Path(folder) / str(number)).write_bytes(seed)

    def next_one(data: bytes) -> None:
        if goes_on():
            one(data)

    def mutator(data: bytes, most: int, seed: int) -> bytes:
        rng = random.Random(seed)
        return reader.mutate(data, seeds, rng)[:most] if seed % 2 else atheris.Mutate(data, most)

    limits = [f"-max_len={LARGEST}", "-verbosity=0", f"-artifact_prefix={folder}/"]
    words = [sys.argv[0], *limits, folder]
    atheris.Setup(words, next_one, custom_mutator=mutator)
    atheris.Fuzz()


def report(name: str, outcomes: Outcomes) -> str:
    """A line about what was found."""
    return (
        f"{name}: {outcomes.files:,} files, {outcomes.read:,} read, {outcomes.refused:,} refused, "
        f"{len(outcomes.faults)} faults, at most {max(outcomes.largest, 0):.1f} times their size"
    )


def main() -> int:
    """Fuzz the readers that the command line names."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("readers", nargs="*", metavar="READER", help=f"of {', '.join(READERS)}")
    parser.add_argument("--files", type=int, default=300, help="to try of each (300)")
    parser.add_argument("--seconds", type=float, help="for each, instead of a number of files")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--guided", action="store_true", help="by coverage; one reader, --seconds")
    parser.add_argument("--keep", metavar="FOLDER", help="where files go that made a fault")
    options = parser.parse_args()
    names = options.readers or list(READERS)
    if unknown := set(names) - set(READERS):
        parser.error(f"no such reader: {', '.join(sorted(unknown))}")
    if options.guided and len(names) != 1:
        parser.error("--guided takes one reader")
    warnings.simplefilter("error")  # a reader has nothing to say but errors
    watch, faults = Watch(), 0
    for name in names:
        outcomes = Outcomes()
        hunt(name, options, watch, outcomes)
        faults += len(outcomes.faults)
        print(report(name, outcomes), flush=True)
    return int(faults > 0)


if __name__ == "__main__":
    sys.exit(main())
