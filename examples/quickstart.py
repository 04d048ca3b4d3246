"""Record an expression, look at it, compute it.

Run it with ``python examples/quickstart.py``.
"""

import numpy as np

import lazyxp as xp

temperature = xp.asarray(np.random.default_rng(0).normal(15.0, 8.0, size=(365, 24)))  # a year, hour by hour

# Nothing is computed here: each call records one node of a graph.
daily = xp.mean(temperature, axis=1)
warm = xp.sum(xp.astype(daily > 15.0, xp.int64))
swing = xp.max(temperature, axis=1) - xp.min(temperature, axis=1)

print(daily)
print("the graph of all three:", xp.to_networkx(daily, warm, swing))

# One pass over the graph: what the three share is computed once.
mean_of_day, days, swings = xp.compute(daily, warm, swing)
print(f"{days} days were warmer than 15 degrees, the first was {mean_of_day[0]:.1f}")
print(f"the largest swing within a day was {swings.max():.1f} degrees")

# A value that is asked for is computed, and remembered.
print("the warmest hour:", float(xp.max(temperature)))
