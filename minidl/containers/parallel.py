"""Layers side by side."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import reduce
from itertools import pairwise
from typing import Literal

import numpy as np

from minidl.arguments import instances
from minidl.buffers import batch_empty
from minidl.containers.chain import chains_of
from minidl.containers.masks import mask_of_branches
from minidl.errors import ArgumentError, ShapeError
from minidl.layers.base import Layer
from minidl.layers.checks import batch_shape
from minidl.layers.planning import checked_output_shape
from minidl.typing import Array, Shape


class Parallel(Layer):
    r"""Layers that all see the same input, $y = [f_1(x), \dots, f_K(x)]$ or $\sum_k f_k(x)$.

    Backward: $dx = \sum_k \mathrm{backward}_k(dy_k)$, where $dy_k$ is the branch's part of dy, or
    all of it where outputs are added. An Inception block is a Parallel of convolutions of several
    sizes. Where the first layers of branches make masks, behind the Parallel those steps count that
    count in all of them.

    Shapes:
        x `(N, ...)`. "concat" joins the outputs on the last axis; all other lengths must be the
        same. "add" needs outputs of one shape.

    Args:
        branches: The layers $f_k$.
        merge: How outputs become one: "concat" or "add".

    Raises:
        ArgumentError: If there are no branches, or `merge` is something else.
        ShapeError: At `build`, if the outputs cannot be merged.

    Example:
        >>> import numpy as np, minidl as dl
        >>> model = dl.Parallel([dl.Dense(2), dl.Sequential([dl.Dense(3), dl.ReLU()])])
        >>> model.build((4,), rng=0).predict(np.zeros((5, 4))).shape
        (5, 5)

    References:
        C. Szegedy et al., Going deeper with convolutions, CVPR 2015.
    """

    def __init__(
        self, branches: Iterable[Layer], merge: Literal["concat", "add"] = "concat"
    ) -> None:
        self.branches = instances("Parallel", "branch", branches, Layer)
        if not self.branches:
            raise ArgumentError("Parallel: needs at least one branch, got none.")
        if merge not in ("concat", "add"):
            raise ArgumentError(f'Parallel: merge must be "concat" or "add", got {merge!r}.')
        self.merge = merge
        self.children = self.branches
        self.couples_rows = any(branch.couples_rows for branch in self.branches)
        self.accepts_mask = any(branch.accepts_mask for branch in self.branches)
        self.accepts_integers = all(branch.accepts_integers for branch in self.branches)
        self.accepts_sparse = all(branch.accepts_sparse for branch in self.branches)

    def output_shape(self, input_shape: Shape) -> Shape:
        shapes = [checked_output_shape(branch, input_shape) for branch in self.branches]
        same = slice(None) if self.merge == "add" else slice(-1)
        for index, shape in enumerate(shapes):
            if len(shape) != len(shapes[0]) or shape[same] != shapes[0][same]:
                rest = "" if self.merge == "add" else " but for the last length"
                raise ShapeError(
                    f"{self.where}: outputs that are merged by {self.merge!r} must have the same "
                    f"shape{rest}, but branch 0 gives {batch_shape(shapes[0])} and branch {index} "
                    f'{batch_shape(shape)}. For convolutions use padding="same".'
                )
        if self.merge == "add":
            return shapes[0]
        if any(shape[-1:] in ((), (None,)) for shape in shapes):
            raise ShapeError(
                f"{self.where}: joins outputs on their last axis, which must have a known length, "
                f"got {batch_shape(shapes[0])}. For sequences of features build with (None, D)."
            )
        return (*shapes[0][:-1], sum(shape[-1] for shape in shapes))

    def compute_mask(self, x: Array) -> Array | None:
        return mask_of_branches(self.branches, x)

    @property
    def makes_mask(self) -> bool:
        return any(branch.makes_mask for branch in self.branches)

    def forward(
        self,
        x: Array,
        *,
        training: bool = False,
        out: Array | None = None,
        mask: Array | None = None,
    ) -> Array:
        if training:
            self.save_for_backward()
        shape = self.output_shape_of(x)  # if the time axis is open, outputs may differ only now
        chains = chains_of(self)
        passes = [chain.forward if training else chain.infer for chain in chains]
        if self.merge == "add":
            outputs = [run(x, mask=mask) for run in passes]
            return reduce(lambda y, part: np.add(y, part, out=out), outputs)
        if out is None:
            out = batch_empty(x.shape[0], shape, self.dtype)
        for run, part in zip(passes, self._parts(out), strict=True):
            y = run(x, out=part, mask=mask)
            if y is not part:
                part[...] = y
        return out

    def backward(
        self, dy: Array, *, input_grad: bool = True, out: Array | None = None
    ) -> Array | None:
        self.saved()
        parts = [dy] * len(self.branches) if self.merge == "add" else list(self._parts(dy))
        gradients = [
            chain.backward(part, input_grad)
            for chain, part in zip(chains_of(self), parts, strict=True)
        ]
        wanted = [dx for dx in gradients if dx is not None]
        return reduce(lambda dx, each: np.add(dx, each, out=out), wanted) if wanted else None

    def _parts(self, y: Array) -> Iterator[Array]:
        """Each branch's part of a joined output, as a view."""
        ends = np.cumsum([0, *(branch.bound.output_shape[-1] for branch in self.branches)])
        for start, stop in pairwise(ends.tolist()):
            yield y[..., start:stop]
