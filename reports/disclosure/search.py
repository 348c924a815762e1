"""Owns the hunt, in one program, for small numbers whose interval is too narrow, and for what makes it so. Pure."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import compress

import numpy as np

from reports.disclosure.patterns import WHOLES, Pattern
from reports.disclosure.program import TOLERANCE, Flags, Program, Sum, Sums, Told, Vector

LEAST, MOST = 1, -1  # which end of an interval: that it can be 0, that it can be k - 1
FEW = 6  # so many are asked for one at a time; together, one question must settle as many


@dataclass(slots=True)
class Audit:
    """What was found: how many small numbers were looked at and how many programs that took, the patterns whose
    numbers are withheld, how many intervals are narrow only for a reader who guesses that other hidden numbers are
    small, and what is given away without any number of the candidate."""

    looked_at: int = 0
    programs: int = 0
    withheld: list[Pattern] = field(default_factory=list)
    guesses: int = 0
    standing: list[Sum] = field(default_factory=list)


class Search:
    """Small numbers of one program."""

    def __init__(self, program: Program, targets: Sequence[Sum], k: int, found: Audit) -> None:
        self.program, self.targets, self.k, self.found = program, Sums(targets, program), k, found

    def withhold(self, end: int) -> None:
        """Withhold numbers until every target can be at that end of its interval, for all a reader knows."""
        # What may be left of a longer span says nothing of the most that there can be; the number of the span does.
        asked = [end == LEAST or all(span == about.span for _, span in about.less) for about in self.targets.sums]
        left = self._out_of_reach(self.program.truth, np.array(asked, dtype=bool), end)
        with self.program.capped(compress(self.targets.sums, left), self.k - 1):
            left = self._together(left, end)
        while left.any():
            left = self._one_at_a_time(left, end)

    def _out_of_reach(self, point: Vector, left: Flags, end: int) -> Flags:
        """Those of `left` that a point does not show to be possible at the end of their interval."""
        values = self.targets.at(point)
        return left & (values > TOLERANCE if end == LEAST else values < self.k - 1 - TOLERANCE)

    def _point(self, chosen: Flags, end: int) -> Vector:
        self.found.programs += 1
        return self.program.lowest(end * self.targets.costs(chosen, len(self.program.truth)))

    def _together(self, left: Flags, end: int) -> Flags:
        """One point shows many targets to be possible; those that none has shown yet."""
        while left.sum() > FEW:
            still = self._out_of_reach(self._point(left, end), left, end)
            if still.sum() > left.sum() - FEW:
                return still
            left = still
        return left

    def _one_at_a_time(self, left: Flags, end: int) -> Flags:
        """Those that were given away, to be looked at again: what did it is forgotten."""
        given_away, gone = np.zeros_like(left), list[Told]()
        waiting = left.copy()
        while waiting.any():
            place = int(np.argmax(waiting))
            waiting[place] = False
            alone = np.arange(len(left)) == place
            point = self._point(alone, end)
            if not self._out_of_reach(point, alone, end).any():
                waiting = self._out_of_reach(point, waiting, end)
                continue
            proof = self.program.proof()
            if not any(one in gone for one in proof):
                gone += self._to_forget(proof, self.targets.sums[place])
            given_away[place] = any(one in gone for one in proof)
        for one in gone:
            self.program.forget(one)
        return given_away

    def _to_forget(self, proof: Iterable[Told], target: Sum) -> list[Told]:
        """The smallest number of the proof, a total only where there is no other; else a guess; else nothing helps."""
        numbers = [one for one in proof if one.number is not None]
        if numbers:
            smallest = min(numbers, key=lambda one: (one.number.pattern in WHOLES, one.number))  # type: ignore[union-attr]
            self.found.withheld.append(smallest.number.pattern)  # type: ignore[union-attr]
            return [smallest]
        guesses = [one for one in proof if one.is_guess]
        if guesses:
            self.found.guesses += 1
        else:
            self.found.standing.append(target)
        return guesses[:1]
