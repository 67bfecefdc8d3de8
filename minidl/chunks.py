"""Large batches: evaluated in chunks that fit the cache, by one thread or by several."""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

from minidl.containers.chain import Chain
from minidl.fusion import chain_of
from minidl.layers.base import Layer
from minidl.reading import in_stretches
from minidl.sparse import is_sparse
from minidl.typing import Array

if TYPE_CHECKING:
    from concurrent.futures import ThreadPoolExecutor


class Chunks:
    """Cuts batches into chunks; each worker has a thread and a replica of the model.

    Boundaries depend on the number of rows alone, and results come and are added in the chunks'
    order, so that any number of workers gives the same bits.

    Args:
        model: A built layer.
        fused: Whether the loss takes care of its last activation.
        ahead: Whether a second thread should bring rows into the cache for a single worker.
    """

    def __init__(self, model: Layer, fused: bool, ahead: bool) -> None:
        self._model, self._fused, self._ahead = model, fused, ahead
        self._replicas: list[Chain] = []
        self._options: list[Any] = []
        self._pool: ThreadPoolExecutor | None = None

    def each(
        self, run: Callable[[int, slice, Array], float], x: Array, size: int, workers: int
    ) -> Iterator[float]:
        """Call `run(index, rows, x[rows])` for chunk after chunk, `workers` at a time.

        Args:
            run: What to call.
            x: Input (N, ...).
            size: Rows of a chunk; the last one has what is left.
            workers: Number of threads.

        Yields:
            The results, in the chunks' order.
        """
        if workers == 1:
            ahead = self._ahead and not is_sparse(x)
            for index, (rows, part) in enumerate(in_stretches(x, size, ahead)):
                yield run(index, rows, part)
            return

        def job(index: int) -> float:
            rows = slice(index * size, (index + 1) * size)
            return run(index, rows, x[rows])

        from concurrent import futures  # 8 ms that few programs need

        if self._pool is None:
            self._pool = futures.ThreadPoolExecutor(workers)
        jobs = range(-(-x.shape[0] // size))
        for start in jobs[::workers]:  # a replica's gradients are read in between
            begun = [self._pool.submit(job, index) for index in jobs[start : start + workers]]
            try:
                results = [future.result() for future in begun]
            finally:
                futures.wait(begun)  # after an error too: nobody may be left at a replica
            yield from results

    def differentiate(
        self, step: Callable[[Chain, slice, Array], float], x: Array, size: int, workers: int
    ) -> float:
        """Add up what training passes over the chunks return, and their gradients in the model's.

        Args:
            step: Called with a replica's chain, the rows of a chunk and the chunk; returns its
                share of the loss, and leaves its share of the gradient in the replica.
            x: Input (N, ...).
            size: Rows of a chunk.
            workers: Number of threads.
        """
        self._refresh_replicas(workers)
        self._model._chunked_passes += 1
        number = self._model._chunked_passes

        def run(index: int, rows: slice, part: Array) -> float:
            chain = self._replicas[index % workers]
            for layer in chain.model.walk():
                layer._rng, layer._draw_key = None, (number, index)
            return step(chain, rows, part)

        value, grads = 0.0, self._model.grads
        for index, share in enumerate(self.each(run, x, size, workers)):
            value += share
            chunk_grads = self._replicas[index % workers].model.grads
            if index == 0:
                grads[...] = chunk_grads
            else:
                grads += chunk_grads
        return value

    def _refresh_replicas(self, workers: int) -> None:
        """Make the workers' replicas, anew where an option of a layer has been changed."""
        options = [v for layer in self._model.walk() for v in layer.author_attributes().values()]
        same = len(options) == len(self._options) and all(map(operator.is_, options, self._options))
        if not same:
            self._replicas, self._options = [], options
        while len(self._replicas) < workers:
            self._replicas.append(chain_of(self._model.replica(), self._fused))

    def __getstate__(self) -> dict[str, Any]:
        return vars(self) | {"_replicas": [], "_options": [], "_pool": None}
