"""The rules, one file a family."""

from lazyxp.optimizers.rules.arithmetic import ARITHMETIC
from lazyxp.optimizers.rules.casts import CASTS
from lazyxp.optimizers.rules.constants import CONSTANTS
from lazyxp.optimizers.rules.joining import JOINING
from lazyxp.optimizers.rules.logic import LOGIC
from lazyxp.optimizers.rules.movement import MOVEMENT
from lazyxp.optimizers.rules.powers import POWERS
from lazyxp.optimizers.rules.transforms import TRANSFORMS

CLEANING = (*CONSTANTS, *CASTS, *MOVEMENT, *JOINING, *ARITHMETIC, *POWERS, *LOGIC, *TRANSFORMS)
