"""Where the axes of an ONNX tensor lie in minidl's array of the same numbers.

minidl keeps samples in C order, channels last. An axis of the ONNX tensor is a tuple of atoms
(length, stride): steps of `stride` numbers through minidl's sample. For an image (H, W, C) that
ONNX sees as (N, C, H, W) the axes are

    ((N, 0),)  ((C, 1),)  ((H, W C),)  ((W, C),)

To transpose is to permute them; to flatten puts all atoms behind the first on one axis, in ONNX's
order; to reshape distributes them anew. Nothing is computed before a layer needs its input in an
order of its own, and mostly minidl's array has it already.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from enum import Enum
from typing import Any

import numpy as np

from minidl.errors import DataError
from minidl.typing import Array, Shape


class Open(Enum):
    """Lengths that a file leaves open."""

    BATCH = "N"
    STEPS = "T"


Length = int | Open
Atom = tuple[Length, int]
Axis = tuple[Atom, ...]
BATCH: Axis = ((Open.BATCH, 0),)


def axes_of(shape: Shape) -> list[Axis]:
    """The axes of a sample in C order; None, an open number of steps, may stand first."""
    lengths = [Open.STEPS if length is None else length for length in shape]
    strides = [math.prod(shape[i + 1 :]) for i in range(len(shape))]
    return [() if n == 1 else ((n, stride),) for n, stride in zip(lengths, strides, strict=True)]


def length_of(axis: Axis) -> Length:
    """The length of an axis."""
    lengths = [length for length, _ in axis]
    if len(lengths) == 1:
        return lengths[0]
    if any(isinstance(length, Open) for length in lengths):
        raise DataError("minidl cannot count an axis that joins the batch, or open steps, to more")
    return math.prod(lengths)  # type: ignore[arg-type]


def holds_batch(axis: Axis) -> bool:
    """Whether an axis is the batch, or one that joins it to others."""
    return any(length is Open.BATCH for length, _ in axis)


def joined(atoms: Iterable[Atom]) -> list[Atom]:
    """Atoms with neighbours made one where they follow each other in memory."""
    result: list[Atom] = []
    for length, stride in atoms:
        if result and not isinstance(length, Open) and not isinstance(result[-1][0], Open):
            before, wide = result[-1]
            if wide == length * stride:
                result[-1] = (before * length, stride)  # type: ignore[operator]
                continue
        result.append((length, stride))
    return result


def is_run(atoms: Sequence[Atom], step: int = 1) -> bool:
    """Whether atoms, outermost first, run through memory in steps of `step` without a gap."""
    for length, stride in reversed(atoms):
        if stride != step:
            return False
        step = 0 if isinstance(length, Open) else step * length  # nothing lies around open steps
    return True


def positions(axis: Axis, width: int) -> Array:
    """Where each of so many elements of an axis lies among minidl's."""
    if length_of(axis) != width:
        raise DataError(f"its weights are for {width} features, its input has {length_of(axis)}")
    where = np.zeros(1, np.int64)
    for length, stride in axis:
        where = (where[:, None] + stride * np.arange(length)).ravel()  # type: ignore[arg-type]
    return where


def regrouped(axes: Sequence[Axis], target: Sequence[Any]) -> list[Axis]:
    """Reshape: distribute all atoms to axes of new lengths, of which one may be -1."""
    atoms = joined(atom for axis in axes for atom in axis)
    free = target.index(-1) if -1 in target else len(target)
    front = [_taken(atoms, length, outer=True) for length in target[:free]]
    back = [_taken(atoms, length, outer=False) for length in reversed(target[free + 1 :])]
    if free == len(target) and atoms:
        raise DataError("its new shape has fewer elements than its input")
    return [*front, *([tuple(atoms)] if free < len(target) else []), *reversed(back)]


def _taken(atoms: list[Atom], wanted: Length, outer: bool) -> Axis:
    """Remove an axis of a given length from one end of a list of atoms; split one if need be."""
    taken: list[Atom] = []
    end = 0 if outer else -1
    if isinstance(wanted, Open):
        if not atoms or atoms[end][0] is not wanted:
            raise DataError(f"minidl cannot move the open axis {wanted.value} to where it puts it")
        return (atoms.pop(end),)
    while wanted != 1:
        if not atoms or wanted < 1:
            raise DataError("its new shape has other elements than its input")
        length, stride = atoms.pop(end)
        if isinstance(length, Open):
            raise DataError("its new shape fixes an open length, which minidl cannot")
        share = math.gcd(length, wanted)
        if share == 1:
            raise DataError("it mixes axes in a way that minidl's Reshape cannot")
        rest = length // share
        if outer:
            taken.append((share, stride * rest))
            if rest > 1:
                atoms.insert(0, (rest, stride))
        else:
            taken.insert(0, (share, stride))
            if rest > 1:
                atoms.append((rest, stride * share))
        wanted //= share
        if rest > 1 and wanted > 1:
            raise DataError("it mixes axes in a way that minidl's Reshape cannot")
    return tuple(joined(taken))
