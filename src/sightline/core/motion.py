"""How an object moves between two sightings, in bins: the words in which policies and true tracks are described."""

from __future__ import annotations

from typing import NamedTuple

COMPASS = ("E", "NE", "N", "NW", "W", "SW", "S", "SE")  # counter-clockwise, up the screen is N
STILL = "STAT"
SPEEDS = ("stationary", "slow", "moderate", "fast")
SCALES = ("receding", "stable", "approaching")
SHAPES = ("linear", "curved", "oscillating", "stationary")
PHASES = ("accelerating", "constant", "decelerating", "reversing")


class Motion(NamedTuple):
    """One object's motion.

    Args:
        direction: one of the eight points of `COMPASS`, or `STAT`.
        speed: one of `SPEEDS`, in diagonals of the object per second.
        scale: one of `SCALES`: does it grow?
        shape: one of `SHAPES`; empty if not said.
        phase: one of `PHASES`; empty if not said.
    """

    direction: str
    speed: str
    scale: str
    shape: str = ""
    phase: str = ""

    @property
    def known(self) -> bool:
        """Whether every bin is one of the vocabulary; shape and phase may be left out.

        Example:
            >>> Motion("E", "fast", "stable").known, Motion("EAST", "fast", "stable").known
            (True, False)
        """
        core = self.direction in (*COMPASS, STILL) and self.speed in SPEEDS and self.scale in SCALES
        return core and self.shape in ("", *SHAPES) and self.phase in ("", *PHASES)

    @property
    def settled(self) -> Motion:
        """The same with the two bins for rest made to agree: no direction without speed, no speed without direction.

        Example:
            >>> Motion("E", "stationary", "stable").settled.direction
            'STAT'
        """
        if self.direction == STILL or self.speed == SPEEDS[0]:
            return self._replace(direction=STILL, speed=SPEEDS[0])
        return self


AT_REST = Motion(STILL, SPEEDS[0], "stable", "stationary", "constant")
