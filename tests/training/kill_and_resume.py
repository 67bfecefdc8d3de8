"""Kill a training process at random moments, resume it, and compare bits with an undisturbed run.

    python tests/training/kill_and_resume.py --kills 50

The run writes a checkpoint after every step, so that many kills come in the middle of a write.
Prints how many kills there were, how many of them left a half-written file behind, and whether
parameters, state and history came out as they should.
"""

import argparse
import hashlib
import json
import random
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

import minidl as dl

ROWS, EPOCHS = 400, 3
LONGEST = 0.15  # seconds from a process's first step to its end
STARTED = "goes on"


class Tells(dl.Callback):
    """Says on the standard output that training is on its way, or has come to its end."""

    def __init__(self, says):
        self.says = says

    def on_batch_end(self, trainer, loss):
        if self.says:
            print(STARTED, flush=True)
        self.says = False

    def on_fit_end(self, trainer):
        self.on_batch_end(trainer, 0.0)


def train(folder, *, tell=False):
    """Begin the run of a folder or go on with it; write what it has come to."""
    parts = {
        "metrics": [dl.accuracy],
        "callbacks": [
            Tells(tell),
            dl.MovingAverage(0.99),
            dl.Checkpoint(folder, every_steps=1),
            dl.EarlyStopping(patience=EPOCHS),
        ],
    }
    try:
        trainer = dl.Trainer.from_checkpoint(folder, **parts)
    except FileNotFoundError:
        layers = [dl.Dense(128), dl.BatchNorm(), dl.ReLU(), dl.Dropout(0.2), dl.Dense(10)]
        model = dl.Sequential([*layers, dl.Softmax()]).build((784,), rng=0)
        trainer = dl.Trainer(model, dl.CrossEntropy(), dl.Adam(0.001), **parts, rng=0)
    x, y = dl.synthetic_digits(ROWS, rng=0)
    noise = dl.augmentation.RandomNoise(0.05, rng=1)
    source = dl.prefetch(dl.batches(x[80:], y[80:], batch_size=32, rng=2, transform=noise))
    history = trainer.fit(source, validation_data=(x[:80], y[:80]), epochs=EPOCHS)
    model = trainer.model
    values = [model.params, model.state, *(history[name] for name in history if name != "seconds")]
    digests = [hashlib.sha256(np.ascontiguousarray(a)).hexdigest() for a in values]
    Path(folder, "result.json").write_text(json.dumps([digests, trainer.epoch, trainer.step]))


def started(folder):
    """A process that trains, once it has made its first step."""
    command = [sys.executable, "-W", "error", str(Path(__file__).resolve()), "--train", folder]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    if process.stdout.readline().strip() != STARTED:
        raise RuntimeError(f"training did not start in {folder}")
    return process


def finished(folder):
    """What a run comes to that nobody disturbs any more."""
    train(folder)
    return json.loads(Path(folder, "result.json").read_text())


def survive(kills, seed):
    """Kill runs so often, and return how many were killed at a write, and wrong results.

    A run that comes to its end in between is compared, and another one begun.
    """
    draw, half_written, wrong = random.Random(seed), 0, 0
    with tempfile.TemporaryDirectory() as whole:
        expected = finished(whole)
    while kills:
        with tempfile.TemporaryDirectory() as folder:
            while kills and not Path(folder, "result.json").exists():
                process = started(folder)
                time.sleep(draw.uniform(0, LONGEST))
                if draw.random() < 0.5:  # then in the middle of the next write
                    while process.poll() is None and not half_files(folder, process.pid):
                        time.sleep(1e-4)
                kills -= process.poll() is None
                process.kill()
                process.communicate()
                half_written += half_files(folder, process.pid)
            wrong += finished(folder) != expected
            wrong += half_files(folder, "*") > 0  # what killed processes have left must not pile up
    return half_written, wrong


def half_files(folder, pid):
    """How many files a process has begun and not finished."""
    return len(list(Path(folder).glob(f".*.{pid}")))


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--kills", type=int, default=50, help="how many (default 50)")
    parser.add_argument("--seed", type=int, default=0, help="of the moments (default 0)")
    parser.add_argument("--train", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.train:
        train(arguments.train, tell=True)
        return
    half_written, wrong = survive(arguments.kills, arguments.seed)
    print(
        f"{arguments.kills} kills, {half_written} of them in the middle of a write; "
        f"{wrong} runs came out wrong"
    )
    sys.exit(wrong > 0)


if __name__ == "__main__":
    main()
