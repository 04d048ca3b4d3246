"""What a plan is, why it is so, and what it costs, as text."""

from __future__ import annotations

import html
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

from lazyxp import planning
from lazyxp.amounts import amount
from lazyxp.estimate import Estimate, cost_of_step, estimate_of
from lazyxp.kernel import KERNEL
from lazyxp.looking.source import KernelStep, source
from lazyxp.looking.wording import call, count, params_of, place
from lazyxp.memory import usage
from lazyxp.node import CONSTANT, INPUT, OUTPUT, Node, describe, graph_lock
from lazyxp.optimizers.graph import Fired, Graph
from lazyxp.sliding import SLIDING, Sliding, Window
from lazyxp.strides import Layout
from lazyxp.structure import Structure, template

if TYPE_CHECKING:
    from lazyxp.evaluate import Prepared
    from lazyxp.plan import Plan

# Longer lists are printed with their middle left out, and more rewrites of one rule at one line as a count.
_MOST_LINES = 60
_LAST_LINES = 15
# How deep rewritten expressions are printed.
_DEPTH = 3


@dataclass(frozen=True)
class Rewrite:
    """One rewrite that the optimizer did: `before` became `after`, `count` times at this line.

    `line` is the user's, and `level` says what the rule may change.
    """

    rule: str
    level: str
    line: str
    before: str
    after: str
    count: int


class ExplainedStep(NamedTuple):
    """One step of the plan.

    Attributes
    ----------
    op : str
        What runs; "kernel" where several ops run as one.
    params : dict
        The parameters, as text.
    operands : tuple of str
        The numbers of what it reads, or scalars.
    result : str
        The number of its result.
    described : str
        Data type and shape of the result.
    flops, bytes : int
        Operations on elements, and the bytes that are read and written.
    peak_bytes : int
        The most memory that is allocated while it runs.
    line : str
        The user's line.
    fused : tuple of str
        The ops of a kernel.
    runs : str
        Whether a kernel is compiled or interpreted, and why it is not compiled; empty for other steps.
    note : str
        Whether the result is a view, or is written where an operand was.
    """

    op: str
    params: dict[str, str]
    operands: tuple[str, ...]
    result: str
    described: str
    flops: int
    bytes: int
    peak_bytes: int
    line: str
    fused: tuple[str, ...]
    runs: str
    note: str


class Explanation:
    """What a run will do, and why; ``str()`` gives the text, and notebooks show it.

    Attributes
    ----------
    backend, level : str
        What will run it, and the level of `optimize`.
    cache : {"hit", "miss"}
        Whether the plan was known already.
    cache_info : CacheInfo
        How the plan cache did so far.
    recorded : list of str
        The graph as it was recorded, one line a node.
    rewrites : list of Rewrite
        Every rewrite that fired.
    steps : list of ExplainedStep
        The plan that runs.
    before, after : Estimate
        What the graph costs as it was recorded, and what it will cost.
    """

    def __init__(self, prepared: Prepared) -> None:
        executor, structure, planned, level = prepared
        self.backend: str = executor.name
        self.level = level
        self.cache = "hit" if planned.hit else "miss"
        self.cache_info = planning.cache_info()
        with graph_lock:
            _, as_recorded = planning.make_plan(structure, executor, "none")
            graph = planned.graph or planning.make_plan(structure, executor, level)[0]
        self.before = estimate_of(as_recorded)
        self.after = estimate_of(planned.plan)
        names = _names(as_recorded)
        self.recorded = [
            *(_source_line(names[node], planned.plan, node) for _, node in as_recorded.sources if node in names),
            *(_node_line(names, step.node, as_recorded) for step in as_recorded.steps),
        ]
        merged = _merged(structure) if level != "none" else []
        self.rewrites = _rewrites([*merged, *graph.trace], structure, as_recorded)
        self.steps, self._kernels = _steps(planned.plan)
        self._sources = [
            _source_line(name, planned.plan, node) for node, name in _names(planned.plan).items() if node.op is INPUT
        ]

    def __repr__(self) -> str:
        return (
            f"<explanation: {len(self.recorded)} recorded nodes, {sum(r.count for r in self.rewrites)} rewrites, "
            f"{len(self.steps)} steps on {self.backend!r}>"
        )

    def source(self, form: str = "text") -> str:
        """The source of every kernel of the plan, each with its step as the heading.

        Parameters
        ----------
        form : {"text", "llvm", "assembly"}
            What is computed, in words; the LLVM IR that is compiled, for operands that lie in memory as these do; or
            the processor's instructions.

        Returns
        -------
        str
            The source; empty where the plan has no kernels.

        Raises
        ------
        ValueError
            If there is no such form.
        BackendUnavailable
            If kernels cannot be compiled here, for LLVM IR and assembly.

        Examples
        --------
        >>> import lazyxp as xp
        >>> with xp.set_options(kernels="always"):
        ...     explanation = (xp.arange(4.0) * 2 + 1).explain()
        >>> print(explanation.source())  # doctest: +ELLIPSIS
        %1 = kernel(...)...
        """
        return source(self._kernels, form)

    def _repr_html_(self) -> str:
        shown = _preformatted(str(self))
        if not self._kernels:
            return shown
        return f"{shown}<details><summary>Kernels</summary>{_preformatted(self.source())}</details>"

    def __str__(self) -> str:
        info = self.cache_info
        hint = " (see .source())" if self._kernels else ""
        lines = [
            f"Plan for {self.backend!r} at optimize={self.level!r}; plan cache: {self.cache} "
            f"({info.hits:,} hits and {info.misses:,} misses so far, {info.plans:,} plans held)",
            "",
            f"Recorded: {count(len(self.recorded), 'node')}",
            *_abbreviated(self.recorded),
            "",
            f"Rewrites: {sum(r.count for r in self.rewrites):,}",
            *_abbreviated(_rewrite_lines(self.rewrites)),
            "",
            f"Plan: {count(self.after.kernels, 'kernel')}{hint}, {count(self.after.calls, 'call')}",
            *_abbreviated([*self._sources, *_step_lines(self.steps)]),
            "",
            *_totals(self.before, self.after),
        ]
        return "\n".join(lines)


def explain(prepared: Prepared) -> Explanation:
    """What `prepared` will do, and why."""
    return Explanation(prepared)


# --- numbering and naming --------------------------------------------------------------------------------------------


def _names(plan: Plan) -> dict[Node, str]:
    """The name of each node of a plan: sources first, then steps in order; scalars are written as they are."""
    names: dict[Node, str] = {}
    for _, node in plan.sources:
        if _scalar(node, plan) is None:
            names[node] = f"%{len(names)}"
    for step in plan.steps:
        names[step.node] = f"%{len(names)}"
    return names


def _scalar(node: Node, plan: Plan) -> str | None:
    """A scalar as text, None for anything else."""
    leaf = plan.leaf(node) if node.op in (INPUT, CONSTANT) else node
    return f"{leaf.params['value']!r}" if leaf.op is CONSTANT else None


def _source_line(name: str, plan: Plan, node: Node) -> str:
    leaf = plan.leaf(node)
    kind = type(leaf.value).__name__ if leaf.value is not None else leaf.op.name
    return f"{name} = {kind}  {describe(node)}  {place(leaf.where)}"


def _node_line(names: dict[Node, str], node: Node, plan: Plan) -> str:
    operands = [names.get(a) or _scalar(a, plan) or "?" for a in node.args]
    called = call(node.op.name, operands, params_of(node))
    return f"{names[node]} = {called}  {describe(node)}  {place(plan.line(node))}"


# --- rewrites --------------------------------------------------------------------------------------------------------


def _merged(structure: Structure) -> list[Fired]:
    """The nodes that are common subexpressions: they never reach the optimizer's passes."""
    graph = Graph(frozenset(), lambda op: True)
    found: list[Fired] = []

    def intern(node: Node) -> Node:
        known = graph.intern(node)
        if known is not node and node.op not in (CONSTANT, OUTPUT):
            found.append(Fired("common subexpression", "exact", node, known))
        return known

    template(structure, intern=intern)
    return found


def _rewrites(trace: Sequence[Fired], structure: Structure, as_recorded: Plan) -> list[Rewrite]:
    """The trace, with rewrites of one rule at one line together; the first of them is shown."""
    shown = _Expressions(structure, _names(as_recorded), as_recorded)
    firsts: dict[tuple[str, str, str], Fired] = {}
    counts: dict[tuple[str, str, str], int] = {}
    for fired in trace:
        site = fired.before.site
        line = structure.recorded[site].where if isinstance(site, int) else fired.before.where
        key = (fired.rule, fired.level, line)
        firsts.setdefault(key, fired)
        counts[key] = counts.get(key, 0) + 1
    return [
        Rewrite(*key, shown.text(fired.before, _DEPTH), shown.text(fired.after, _DEPTH), counts[key])
        for key, fired in firsts.items()
    ]


class _Expressions:
    """Nodes of the optimizer as expressions in the numbers of the recorded graph."""

    def __init__(self, structure: Structure, names: dict[Node, str], plan: Plan) -> None:
        self._inputs = {node.params["index"]: name for node, name in names.items() if node.op is INPUT}
        self._plan = plan

    def text(self, node: Node, depth: int) -> str:
        if node.op is CONSTANT:
            return repr(node.params["value"])
        if node.op is INPUT:
            index = node.params["index"]
            return self._inputs.get(index) or _scalar(node, self._plan) or f"scalar {node.dtype}"
        if node.op is OUTPUT:
            return f"{self.text(node.args[0], depth)}[{node.params['index']}]"
        if node.op is KERNEL:
            return f"kernel of {node.params['kernel']!r}"
        if node.op is SLIDING:
            return f"kernels of {node.params['sliding']!r}"
        if not depth:
            return "..."
        return call(node.op.name, [self.text(a, depth - 1) for a in node.args], params_of(node))


def _rewrite_lines(rewrites: Sequence[Rewrite]) -> list[str]:
    lines = []
    for one in rewrites:
        times = f"  ({one.count:,} times)" if one.count > 1 else ""
        lines.append(f"{one.rule} [{one.level}]  {place(one.line)}{times}: {one.before} -> {one.after}")
    return lines


# --- the plan --------------------------------------------------------------------------------------------------------


def _steps(plan: Plan) -> tuple[list[ExplainedStep], list[KernelStep]]:
    from lazyxp.executors.numpy.outlook import outlook

    used = usage(plan)
    names = _names(plan)
    name_of = {step.output: names[step.node] for step in plan.steps}
    for slot, node in plan.sources:
        name_of[slot] = _scalar(node, plan) or names[node]
    lines: dict[Any, str] = {}
    steps = []
    kernels = []
    for step, peak in zip(plan.steps, used.steps, strict=True):
        node = step.node
        line = lines.get(node.site)
        if line is None:
            line = lines[node.site] = plan.line(node)
        cost = cost_of_step(step)
        note = ""
        if step.output in used.overwritten:
            note = f"in place of {name_of[step.inputs[step.into or 0]]}"
        elif node.op is KERNEL:
            note = ", ".join([f"into {name_of[i]}" for i in step.inputs[len(node.params["kernel"].inputs) :]])
        elif node.op is not OUTPUT and step.output not in used.buffers[step.output] and not node.several:
            note = "view"
        operands = tuple([name_of[i] for i in step.inputs])
        described = describe(node)
        fused: tuple[str, ...] = ()
        runs = ""
        if node.op is KERNEL:
            kernel, joined = node.params["kernel"], node.params.get("joined")
            lying = used.operands[step.output]
            heading = f"{names[node]} = {call(node.op.name, operands, {})}  {described}  {place(line)}"
            kernels.append(
                KernelStep(heading, outlook(kernel, lying, joined).interpreted, kernel, joined, operands, lying)
            )
            fused = tuple([one.node.op.name for one in kernel.body])
            runs = kernels[-1].runs
        elif node.op is SLIDING:
            sliding = node.params["sliding"]
            stages, together = _stages(sliding, used.operands[step.output], operands, f"{names[node]}  {place(line)}")
            kernels += stages
            fused = tuple([one.node.op.name for stage in sliding.stages for one in stage.kernel.body])
            runs = f"{stages[-1].runs}, {len(stages)} kernels {'a few rows at a time' if together else 'in turn'}"
        steps.append(
            ExplainedStep(
                node.op.name,
                params_of(node),
                operands,
                names[node],
                described,
                cost.flops,
                cost.read + cost.written,
                peak,
                line,
                fused,
                runs,
                note,
            )
        )
    return steps, kernels


def _stages(
    sliding: Sliding, lying: list[Layout], operands: Sequence[str], heading: str
) -> tuple[list[KernelStep], bool]:
    """The kernels of a step that has several, and whether they run together."""
    from lazyxp.executors.numpy.llvm.course import inputs_of, operands_of
    from lazyxp.executors.numpy.outlook import outlook, sliding_outlook

    own, _ = operands_of(sliding, lying)
    count = len(sliding.stages)
    together = sliding_outlook(sliding, lying).each > 0
    found = []
    for i, (stage, arrays) in enumerate(zip(sliding.stages, own, strict=True)):
        layouts = inputs_of(stage, arrays)
        names = [
            f"stage {read.stage + 1}{list(read.starts)}" if isinstance(read, Window) else operands[read]
            for read in stage.reads
        ]
        reason = outlook(stage.kernel, layouts).interpreted
        text = f"stage {i + 1} of {count} of {heading}"
        into = arrays[len(stage.reads) :] if together and i < count - 1 else None
        found.append(KernelStep(text, reason, stage.kernel, None, tuple(names), layouts, into))
    return found, together


def _step_lines(steps: Sequence[ExplainedStep]) -> list[str]:
    lines = []
    for one in steps:
        text = f"{one.result} = {call(one.op, one.operands, one.params)}  {one.described}"
        cost = f"{amount(one.flops, 'flop')}, {amount(one.bytes)}, peak {amount(one.peak_bytes)}"
        if one.note == "view" or one.op == OUTPUT.name:
            cost = one.note or "part"
        elif one.note:
            cost = f"{cost}, {one.note}"
        lines.append(f"{text}  [{cost}]  {place(one.line)}")
        if one.fused:
            lines.append(f"     {one.runs}; fuses {_list(one.fused)}")
    return lines


def _list(names: Sequence[str]) -> str:
    if len(names) <= 12:
        return ", ".join(names)
    return f"{', '.join(names[:8])}, ... {len(names) - 10} more ..., {', '.join(names[-2:])}"


# --- text ------------------------------------------------------------------------------------------------------------


def _abbreviated(lines: Sequence[str]) -> list[str]:
    """The lines, indented; without their middle where there are very many."""
    if len(lines) > _MOST_LINES:
        left_out = len(lines) - _MOST_LINES
        first = _MOST_LINES - _LAST_LINES
        lines = [*lines[:first], f"... {left_out:,} more ...", *lines[-_LAST_LINES:]]
    return [f"  {line}" for line in lines]


def _preformatted(text: str) -> str:
    return f'<pre style="overflow-x: auto; line-height: 1.35">{html.escape(text)}</pre>'


def _totals(before: Estimate, after: Estimate) -> list[str]:
    rows: list[tuple[str, Callable[[float], str]]] = [
        ("flops", lambda v: amount(v, "")),
        ("bytes_read", amount),
        ("bytes_written", amount),
        ("peak_bytes", amount),
        ("kernels", lambda v: f"{v:,}"),
        ("calls", lambda v: f"{v:,}"),
    ]
    bound = "at least, " if before.lower_bound or after.lower_bound else ""
    lines = [f"{'Totals':<16}{bound + 'as recorded':>22}{'as planned':>14}{'ratio':>10}"]
    for name, text in rows:
        old, new = getattr(before, name), getattr(after, name)
        ratio = f"{new / old:.3g}" if old else ("1" if not new else "-")
        lines.append(f"  {name.replace('_', ' '):<14}{text(old):>22}{text(new):>14}{ratio:>10}")
    return lines
