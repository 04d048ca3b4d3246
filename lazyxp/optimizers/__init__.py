"""How a graph gets better before it runs: rules and passes.

What third parties need to write their own: `Pass`, `Rule`, the pattern functions and `rules_pass`.
"""

from lazyxp.optimizers.graph import Graph
from lazyxp.optimizers.pipeline import Pass, register_pass, rules_pass
from lazyxp.optimizers.rewrite import Match, RewriteError, Rule, Scalar, Var, any_call, call, x, y, z

__all__ = (
    "Graph",
    "Match",
    "Pass",
    "RewriteError",
    "Rule",
    "Scalar",
    "Var",
    "any_call",
    "call",
    "register_pass",
    "rules_pass",
    "x",
    "y",
    "z",
)
