"""Fit holds BLAS to as many threads as help, and gives them free again."""

from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext

import numpy as np
import pytest
import scipy.sparse as sp
import threadpoolctl

import minidl as dl
from minidl import thread_policy
from minidl.training import evaluation
from minidl.training import trainer as module

X = np.zeros((12_288, 32), np.float32)


def make(*more, callbacks=()):
    """Chunks of 8,192 rows; 2,048 rows times 32 * 32 multiplications are worth one thread."""
    model = dl.Sequential([dl.Dense(32), *more]).build((32,), rng=0)
    return dl.Trainer(model, dl.MeanSquaredError(), dl.SGD(0.1), callbacks=callbacks)


@pytest.fixture(autouse=True)
def round_number(monkeypatch):
    monkeypatch.setattr(thread_policy, "PRODUCT_A_BLAS_THREAD", 2048 * 32 * 32)


class Coupled(dl.ReLU):
    couples_rows = True


@pytest.mark.parametrize(
    ("more", "workers", "chunk_rows", "batch_size", "expected"),
    [
        ((), 1, 8192, 32, 1),
        ((), 1, 8192, 4095, 1),
        ((), 1, 8192, 4096, 2),
        ((), 1, 8192, 8192, 4),
        ((), 1, 8192, 12_288, 4),  # in chunks
        ((), 1, 2048, 12_288, 1),
        ((), 2, 8192, 4096, 2),  # one chunk: workers have nothing to do
        ((), 2, 8192, 8192, 4),
        ((), 2, 8192, 8193, 1),  # workers have the cores
        ((Coupled,), 1, 2048, 12_288, 6),  # cannot be cut
        ((Coupled,), 2, 2048, 12_288, 6),
    ],
)
def test_the_number(monkeypatch, more, workers, chunk_rows, batch_size, expected):
    held = []

    def at_most_blas_threads(most):
        held.append(most)
        return nullcontext()

    monkeypatch.setattr(module, "at_most_blas_threads", at_most_blas_threads)
    trainer = make(*(layer() for layer in more))
    trainer.objective.workers, trainer.objective.chunk_rows = workers, chunk_rows
    trainer.fit(X, X, epochs=1, batch_size=batch_size)
    assert held == [expected]


@pytest.mark.parametrize(
    ("kind", "workers", "batch_size", "expected"),
    [
        (sp.csr_array, 1, 4096, 256),  # 4096 * 4096 * 32 multiplications; one chunk
        (sp.csr_array, 2, 4096, 256),
        (sp.csr_array, 1, 8200, 512),  # chunks of 8,192 rows
        (sp.csr_array, 2, 8200, 1),
        (np.asarray, 1, 8200, 8),  # of 128 rows
    ],
)
def test_the_number_for_chunks_of_sparse_rows(monkeypatch, kind, workers, batch_size, expected):
    held = []
    monkeypatch.setattr(
        module, "at_most_blas_threads", lambda most: held.append(most) or nullcontext()
    )
    model = dl.Sequential([dl.Dense(32)]).build((4096,), rng=0)
    trainer = dl.Trainer(model, dl.MeanSquaredError(), dl.SGD(0.1))
    trainer.objective.workers = workers
    x, y = kind(np.zeros((8200, 4096), np.float32)), np.zeros((8200, 32))
    trainer.fit(x, y, epochs=1, batch_size=batch_size)
    assert held == [expected]


class Notes(dl.Callback):
    """Notes how many threads NumPy's BLAS has after each batch."""

    def __init__(self, error=None):
        self.seen, self.error = set(), error

    def on_batch_end(self, trainer, loss):
        self.seen |= blas_threads()
        if self.error is not None:
            raise self.error


def blas_threads():
    return {p["num_threads"] for p in threadpoolctl.threadpool_info() if p["user_api"] == "blas"}


@pytest.mark.parametrize(("batch_size", "expected"), [(100, 1), (4096, 2)])
@pytest.mark.parametrize("error", [None, KeyboardInterrupt(), ZeroDivisionError("by zero")])
def test_fit_holds_blas_to_that_number_and_gives_it_free(batch_size, expected, error):
    x, notes = X[:4096], Notes(error)
    trainer = make(callbacks=[notes])
    with threadpoolctl.threadpool_limits(2, user_api="blas"):
        if isinstance(error, ZeroDivisionError):
            with pytest.raises(ZeroDivisionError, match="by zero"):
                trainer.fit(x, x, epochs=1, batch_size=batch_size)
        else:
            trainer.fit(x, x, epochs=1, batch_size=batch_size)
        # SciPy's own BLAS may be among them, with one; where NumPy uses Accelerate there are none
        assert max(notes.seen, default=expected) == expected
        assert blas_threads() <= {2}


def test_two_fits_at_once_give_the_threads_free_in_the_end():
    def fit(epochs):
        make().fit(X[:600], X[:600], epochs=epochs)

    with threadpoolctl.threadpool_limits(2, user_api="blas"):
        with ThreadPoolExecutor(2) as pool:
            list(pool.map(fit, range(1, 5)))
        assert blas_threads() <= {2}


class AnySource:
    """A user's own source, that has or has not a number of rows a batch."""

    def __init__(self, **attributes):
        vars(self).update(attributes)

    def __iter__(self):
        return iter([(X[:4096], X[:4096])])


@pytest.mark.parametrize(
    ("source", "workers", "expected"),
    [
        (dl.batches(X, X, batch_size=32), 1, 1),
        (dl.batches(X, X, batch_size=4096), 1, 2),
        (dl.prefetch(dl.batches(X, X, batch_size=4096)), 1, 2),
        (dl.batches([(X[0], X[0])] * 10, batch_size=4096), 1, 2),
        (dl.batches(X, X, batch_size=8193), 1, 4),  # in chunks of 8,192
        (dl.batches(X, X, batch_size=8193), 2, 1),  # workers have the cores
        (AnySource(batch_size=4096), 1, 2),
        (AnySource(), 1, 7),
        (AnySource(batch_size="all"), 1, 7),
        (dl.prefetch(AnySource()), 1, 7),
    ],
)
def test_the_number_for_sources_of_batches(monkeypatch, source, workers, expected):
    held = []
    monkeypatch.setattr(
        module, "at_most_blas_threads", lambda most: held.append(most) or nullcontext()
    )
    monkeypatch.setattr(evaluation, "usable_cores", lambda: 7)
    trainer = make()
    trainer.objective.workers, trainer.objective.chunk_rows = workers, 8192
    trainer.fit(source, epochs=1)
    trainer.evaluate(source)
    assert held == [expected, expected]
