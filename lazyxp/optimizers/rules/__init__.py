"""The rules, one file a family."""

from lazyxp.optimizers.rules.movement import MOVEMENT

CLEANING = (*MOVEMENT,)
