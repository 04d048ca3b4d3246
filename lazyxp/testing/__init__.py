"""What tests and docs ask of the package itself, and the acceptance suite of executors."""

# The modules whose assertions pytest is to explain.
ASSERTING = ("lazyxp.testing.backend", "lazyxp.testing.executor", "lazyxp.testing.inputs")
