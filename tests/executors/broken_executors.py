"""NumPy's executor with one fault each, and honest ones that lack something: what the acceptance suite has to tell."""

from __future__ import annotations

import numpy as np

from lazyxp.errors import UnsupportedOperation
from lazyxp.executors.numpy import NumPyExecutor


class Faultless(NumPyExecutor):
    """Runs the steps as NumPy does, but for what `spoiled` makes of the result of the op `op`."""

    op = ""

    def execute(self, step, arrays):
        result = super().execute(step, arrays)
        return self.spoiled(result) if step.node.op.name == self.op else result


class WrongDtype(Faultless):
    op = "exp"

    def spoiled(self, result):
        return result.astype(np.float32) if result.dtype == np.float64 else result


class WrongShape(Faultless):
    op = "exp"

    def spoiled(self, result):
        return np.atleast_1d(result)


class SlightlyWrong(Faultless):
    op = "exp"

    def spoiled(self, result):
        return result * (1 + 1e-4)


class Departs(Faultless):
    """Says where it is wrong: at infinities."""

    op = "exp"
    departures = {"exp": "its infinities are NaN"}  # noqa: RUF012

    def spoiled(self, result):
        return np.where(np.isinf(result), result.dtype.type(np.nan), result)


class DepartsTooFar(SlightlyWrong):
    """Says that it departs, but does so for ordinary numbers as well."""

    departures = {"exp": "its polynomial has four terms"}  # noqa: RUF012


class LosesSigns(Faultless):
    op = "negative"

    def spoiled(self, result):
        return result + 0


class SharesMemory(NumPyExecutor):
    """Results may be views of sources."""

    def run(self, plan, *, keep, **options):
        return super().run(plan, keep=True, **options)


class WritesToSources(NumPyExecutor):
    """Adds in place."""

    def execute(self, step, arrays):
        if step.node.op.name == "add" and arrays[0].shape == step.node.shape and arrays[0].dtype == step.node.dtype:
            arrays[0][...] += arrays[1]
            return arrays[0]
        return super().execute(step, arrays)


class SwallowsNotes(NumPyExecutor):
    def run(self, plan, *, keep, **options):
        try:
            return super().run(plan, keep=keep, **options)
        except Exception as error:
            error.__notes__ = []
            raise


class IgnoresOptions(NumPyExecutor):
    def run(self, plan, *, keep, **options):
        return super().run(plan, keep=keep)


class RefusesSilently(NumPyExecutor):
    refused = {"sort": ""}  # noqa: RUF012


class RunsBeforeItRefuses(NumPyExecutor):
    """Says that it runs an op, and then does not, without a reason."""

    def execute(self, step, arrays):
        if step.node.op.name == "sort":
            raise UnsupportedOperation
        return super().execute(step, arrays)


class WorksTwice(NumPyExecutor):
    """Runs each plan once for each output."""

    def run(self, plan, *, keep, **options):
        return [super(WorksTwice, self).run(plan, keep=keep, **options)[k] for k in range(len(plan.outputs))]


class NoComplex(NumPyExecutor):
    """Honest: refuses an op, and a kind of data."""

    refused = {"sort": "it has no order"}  # noqa: RUF012

    def load(self, node):
        if node.dtype.kind == "c":
            raise UnsupportedOperation(f"no-complex has no data type {node.dtype}")
        return super().load(node)
