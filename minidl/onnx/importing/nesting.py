"""From a graph of layers to containers: a chain, and where branches meet Residual or Parallel."""

from __future__ import annotations

from minidl.containers import Parallel, Residual, Sequential
from minidl.errors import DataError
from minidl.layers import Dropout, Layer
from minidl.onnx.importing.signals import Step

DEEPEST = 20  # containers in containers


def layers_of(last: Step) -> list[Layer]:
    """The layers from the input to a step, in order."""
    steps = _in_order(last)
    origins: dict[Step, Step] = {}  # the last step that all ways to a step have in common
    depths: dict[Step, int] = {}
    for step in steps:
        origin = step.inputs[0] if step.inputs else step
        for other in step.inputs[1:]:
            while origin is not other:
                if depths[origin] < depths[other]:
                    origin, other = other, origin
                origin = origins[origin]
        origins[step] = origin
        depths[step] = depths[origin] + 1 if step.inputs else 0
    return _Nesting(origins).chain(steps[0], last, 0) or [nothing()]


def _in_order(last: Step) -> list[Step]:
    """All steps that one is made from, each behind its inputs."""
    order: dict[Step, None] = {}
    waiting = [last]
    while waiting:
        step = waiting[-1]
        missing = [each for each in step.inputs if each not in order]
        waiting.extend(missing)
        if not missing:
            order.setdefault(waiting.pop())
    return list(order)


class _Nesting:
    def __init__(self, origins: dict[Step, Step]) -> None:
        self.origins = origins
        self.used: set[Step] = set()

    def chain(self, first: Step, last: Step, depth: int) -> list[Layer]:
        """The layers behind one step up to another."""
        layers: list[Layer] = []
        while last is not first:
            if last in self.used:
                raise DataError(
                    f"the output of the {last.node} goes into several branches that do not meet "
                    "again; minidl's models are chains of layers, Residual and Parallel"
                )
            self.used.add(last)
            if last.layer is not None:
                layer, before = last.layer, last.inputs[0]
                layer._kept = dict(last.values) or None
            else:
                layer, before = self.branches(last, depth + 1), self.origins[last]
            layers.append(layer)
            last = before
        return layers[::-1]

    def branches(self, meeting: Step, depth: int) -> Layer:
        """The container whose branches meet at a step."""
        if depth > DEEPEST:
            raise DataError(f"its branches are nested more than {DEEPEST} deep")
        origin = self.origins[meeting]
        chains = [self.chain(origin, each, depth) for each in meeting.inputs]
        longest, *others = sorted(chains, key=len, reverse=True)
        if meeting.merge == "add" and len(chains) == 2 and longest:
            shortcut = others[0]
            return Residual(one(longest), one(shortcut) if shortcut else None)
        branches = [one(chain or [nothing()]) for chain in chains]
        return Parallel(branches, meeting.merge)  # type: ignore[arg-type]


def one(layers: list[Layer]) -> Layer:
    """Layers as one."""
    return layers[0] if len(layers) == 1 else Sequential(layers)


def nothing() -> Layer:
    """A layer that hands its input through."""
    return Dropout(0.0)
