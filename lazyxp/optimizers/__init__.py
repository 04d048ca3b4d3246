"""How a graph gets better before it runs: one file a pass."""
