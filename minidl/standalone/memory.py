"""Where the values of a program lie in C: in the input, in the output, or in the workspace."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from minidl.standalone.program import Program


@dataclass(frozen=True)
class Places:
    """Where each value lies.

    Attributes:
        owners: For each value the one whose memory it lies in: itself, or another where nothing
            is computed (reshape) or where a step may overwrite what nobody needs any more.
        offsets: For each owner in the workspace, its first number.
        size: How many numbers the workspace has.
    """

    owners: list[int]
    offsets: dict[int, int]
    size: int


def places_of(program: Program, in_place: Collection[str]) -> Places:
    """Lay values out so that memory is used again when a value is no longer needed."""
    last = list(range(len(program.steps) + 1))  # the step after which a value is not needed
    for index, step in enumerate(program.steps, 1):
        for value in step.inputs:
            last[value] = index
    owners = [0]
    for index, step in enumerate(program.steps, 1):
        owner, source = index, step.inputs[0]
        shared = [value for value, other in enumerate(owners) if other == owners[source]]
        ends_here = owners[source] != 0 and max(last[value] for value in shared) == index
        if step.function == "reshape" or (step.function in in_place and ends_here):
            owner = owners[source]
        owners.append(owner)
    ends = {owner: max(last[v] for v, o in enumerate(owners) if o == owner) for owner in owners}
    return Places(owners, *_offsets(program, owners, ends))


def _offsets(
    program: Program, owners: list[int], ends: dict[int, int]
) -> tuple[dict[int, int], int]:
    offsets: dict[int, int] = {}
    for owner in sorted(set(owners) - {0, owners[program.result]}):
        used = sorted(
            (start, start + program.size(other))
            for other, start in offsets.items()
            if ends[other] >= owner
        )
        place = 0
        for start, stop in used:
            if place + program.size(owner) <= start:
                break
            place = max(place, stop)
        offsets[owner] = place
    return offsets, max((start + program.size(o) for o, start in offsets.items()), default=0)
