"""Pictures and exports of graphs: complete, valid, readable, whatever the labels hold."""

from __future__ import annotations

import html
import json
import os
import random
import re
import tempfile
import time
import xml.etree.ElementTree as ET
from itertools import combinations, pairwise
from pathlib import Path

import networkx as nx
import numpy as np
import pytest

import lazyxp as xp
from lazyxp.api.recording import current
from lazyxp.looking.drawing import Picture, draw
from lazyxp.looking.graph import to_networkx

SVG = "{http://www.w3.org/2000/svg}"
SUFFIXES = [".svg", ".dot", ".mmd", ".json"]
HOSTILE = [
    'say "hi" <b>&amp; bold</b>',
    "two\nlines \\n \\N \\",
    "]]>--><script>alert(1)</script>",
    "#quot; #35; %%{init}%%",
    "日本語 ∑ \U0001f600",
    "bell \x07 zero \x00 lone \ud800",
    "end",
    "",
]

# --- graphs ------------------------------------------------------------------------------------------------------


def node(label: str = "add", **attributes: object) -> dict[str, object]:
    usual = {
        "op": label.split(" ")[0],
        "kind": "elementwise",
        "shape": (3, 4),
        "dtype": "float64",
        "params": {},
        "line": "work.py:12 in f",
        "nbytes": 96,
        "output": False,
        "label": label,
    }
    return {**usual, **attributes}


def graph_of(edges: list[tuple[int, int]], count: int, **attributes: object) -> nx.MultiDiGraph:
    graph = nx.MultiDiGraph()
    graph.add_nodes_from((i, node(**attributes)) for i in range(count))
    for source, target in edges:
        position = graph.in_degree(target)
        graph.add_edge(source, target, position, arg=position)
    return graph


def random_graph(seed: int, count: int = 60) -> nx.MultiDiGraph:
    """Repeated arguments, constants, long edges, several parts, boxes of different widths."""
    rng = random.Random(seed)
    edges = []
    for target in range(1, count):
        for _ in range(rng.choice([0, 1, 1, 2, 2, 3])):
            near = rng.random() < 0.8
            edges.append((rng.randrange(max(0, target - 8) if near else 0, target), target))
    graph = graph_of(edges, count)
    for i in graph:
        graph.nodes[i].update(label="x" * rng.randrange(1, 60), output=graph.out_degree(i) == 0)
        if graph.in_degree(i) == 0 and rng.random() < 0.5:
            graph.nodes[i].update(op="constant", kind="source")
    return graph


def blur_graph() -> nx.MultiDiGraph:
    """What people draw: seven shifted slices, weighted and added, then two statistics."""
    x = xp.asarray(np.zeros((20, 30)))
    blurred = x[0:14, :] * 0.1
    for i in range(1, 7):
        blurred = blurred + x[i : i + 14, :] * 0.1
    outputs = [x[3:-3, :] - blurred, xp.sum(blurred, axis=0), xp.sum(blurred)]
    return to_networkx([current(a) for a in outputs])


GRAPHS = {
    "empty": graph_of([], 0),
    "one": graph_of([], 1),
    "chain": graph_of([(i, i + 1) for i in range(30)], 31),
    "same argument twice": graph_of([(0, 1), (0, 1), (1, 2), (1, 2)], 3),
    "long edge": graph_of([(i, i + 1) for i in range(20)] + [(0, 20), (0, 10), (5, 20)], 21),
    "parts": graph_of([(0, 1), (2, 3), (2, 4)], 9),
    "many arguments": graph_of([(i, 40) for i in range(40)], 41),
    "many users": graph_of([(0, i) for i in range(1, 40)], 40),
    "hostile": graph_of([(i, i + 1) for i in range(len(HOSTILE) - 1)], len(HOSTILE)),
    "blur": blur_graph(),
    **{f"random {seed}": random_graph(seed) for seed in range(6)},
}
for i, text in enumerate(HOSTILE):
    GRAPHS["hostile"].nodes[i].update(label=text, op=text, kind=text, line=text, params={text: text})

every_graph = pytest.mark.parametrize("graph", GRAPHS.values(), ids=GRAPHS.keys())


def edges_of(graph: nx.MultiDiGraph) -> list[tuple[str, str, str]]:
    return sorted((str(u), str(v), str(arg)) for u, v, arg in graph.edges(data="arg"))


# --- SVG ---------------------------------------------------------------------------------------------------------


def parse(graph: nx.MultiDiGraph) -> ET.Element:
    return ET.fromstring(draw(graph, None))


def boxes(root: ET.Element) -> dict[str, tuple[float, float, float, float]]:
    """Left, top, right and bottom of the outermost rectangle of each node."""
    found = {}
    for group in root.iter(f"{SVG}g"):
        if group.get("class") == "lxp-node":
            rectangle = group.find(f"{SVG}rect")
            x, y, width, height = (float(rectangle.get(name)) for name in ("x", "y", "width", "height"))
            found[group.get("data-node")] = (x, y, x + width, y + height)
    return found


def paths(root: ET.Element) -> list[tuple[str, str, str, list[tuple[float, float]]]]:
    """Source, target, argument and points of each edge."""
    return [
        (
            path.get("data-from"),
            path.get("data-to"),
            path.get("data-arg"),
            [(float(x), float(y)) for x, y in re.findall(r"(-?[\d.]+),(-?[\d.]+)", path.get("d"))],
        )
        for path in root.iter(f"{SVG}path")
        if path.get("class") == "lxp-edge"
    ]


@every_graph
def test_svg_shows_every_node_and_edge_once(graph):
    root = parse(graph)
    groups = [g.get("data-node") for g in root.iter(f"{SVG}g") if g.get("class") == "lxp-node"]
    assert sorted(groups) == sorted(map(str, graph))
    assert sorted(path[:3] for path in paths(root)) == edges_of(graph)


@every_graph
def test_svg_boxes_do_not_overlap_and_lie_on_the_page(graph):
    root = parse(graph)
    placed = list(boxes(root).values())
    for a, b in combinations(placed, 2):
        assert a[2] < b[0] or b[2] < a[0] or a[3] < b[1] or b[3] < a[1]
    width, height = float(root.get("width")), float(root.get("height"))
    shift = next(g.get("transform") for g in root.iter(f"{SVG}g") if g.get("transform"))
    dx, dy = map(float, re.findall(r"[\d.]+", shift))
    for left, top, right, bottom in placed:
        assert 0 <= left + dx < right + dx <= width
        assert 0 <= top + dy < bottom + dy <= height


@every_graph
def test_svg_edges_run_down_from_box_to_box(graph):
    root = parse(graph)
    placed = boxes(root)
    for source, target, _, points in paths(root):
        heights = [y for _, y in points]
        assert heights == sorted(heights)
        assert heights[0] < heights[-1]
        (x, y), (end_x, end_y) = points[0], points[-1]
        left, _, right, bottom = placed[source]
        assert left <= x <= right
        assert y == pytest.approx(bottom, abs=0.2)
        left, top, right, _ = placed[target]
        assert left <= end_x <= right
        assert 0 < top - end_y < 10  # room for the arrow head


@every_graph
def test_svg_arguments_arrive_in_order(graph):
    arrivals: dict[str, list[tuple[int, float]]] = {}
    for _, target, position, points in paths(parse(graph)):
        arrivals.setdefault(target, []).append((int(position), points[-1][0]))
    for ends in arrivals.values():
        places = [x for _, x in sorted(ends)]
        assert all(a < b for a, b in pairwise(places))


@pytest.mark.parametrize("name", ["long edge", "blur", "random 0", "random 1"])
def test_svg_edges_do_not_run_through_other_boxes(name):
    root = parse(GRAPHS[name])
    placed = boxes(root)
    for source, target, _, points in paths(root):
        for (x, y), (to_x, to_y) in pairwise(points):
            if x == to_x:
                for other, (left, top, right, bottom) in placed.items():
                    if other not in (source, target):
                        assert not (left < x < right and y < bottom and top < to_y)


def test_svg_needs_nothing_from_elsewhere():
    text = draw(GRAPHS["blur"], None)
    assert not re.search(r"href|@import|<script|<image|url\((?!#lxp-arrow\))", text)
    assert text.count("http") == 1  # the name space
    assert "prefers-color-scheme:dark" in text


def test_svg_legend_lists_the_kinds_that_are_present():
    root = parse(GRAPHS["blur"])
    legend = [text.text for text in root.iter(f"{SVG}text") if "lxp-start" in text.get("class", "")]
    assert legend == ["source", "elementwise", "indexing", "reduction", "output"]


def test_svg_box_says_op_result_and_the_rest_in_its_tooltip():
    graph = nx.MultiDiGraph()
    label = "sum axis=(0,)"
    params = {"axis": "(0,)", "keepdims": "False"}
    graph.add_node(0, **node(label, kind="reduction", shape=(None, 4), params=params, nbytes=12_300_000, output=True))
    (group,) = (g for g in parse(graph).iter(f"{SVG}g") if g.get("class") == "lxp-node")
    lines = ["".join(text.itertext()) for text in group.iter(f"{SVG}text")]
    assert lines == ["sum axis=(0,)", "float64[?, 4]"]
    tooltip = group.find(f"{SVG}title").text.splitlines()
    assert tooltip == [
        "sum (reduction) -> float64[?, 4]",
        "axis = (0,)",
        "keepdims = False",
        "work.py:12 in f",
        "12.3 MB",
        "output",
    ]
    assert len(group.findall(f"{SVG}rect")) == 2  # an output has a ring


def test_svg_text_fits_its_box():
    graph = graph_of([], 1, label="x" * 500, dtype="complex128", shape=(10**6,) * 30)
    root = parse(graph)
    left, _, right, _ = boxes(root)["0"]
    for text in root.iter(f"{SVG}text"):
        line = "".join(text.itertext())
        if text.get("class") != "lxp-small lxp-start":
            assert len(line) * 7.2 < right - left < 400


@pytest.mark.parametrize("label", HOSTILE)
def test_svg_text_survives_hostile_labels(label):
    root = parse(graph_of([], 1, label=label, op=label, params={label: label}, line=label))
    (group,) = (g for g in root.iter(f"{SVG}g") if g.get("class") == "lxp-node")
    first = "".join(next(group.iter(f"{SVG}text")).itertext())
    assert first == " ".join(re.sub("[\x00-\x08\x0e-\x1f\ud800]", "\ufffd", label).split())
    assert {element.tag for element in root.iter()}.isdisjoint({f"{SVG}script", f"{SVG}b"})


@pytest.mark.parametrize(
    ("edges", "count"),
    [
        ([(i, i + 1) for i in range(1999)], 2000),
        ([(i, i + 1) for i in range(1999)] + [(i, 1999 - i) for i in range(998)], 2000),
        ([(0, i) for i in range(1, 2000)], 2000),
        ([(max(0, v - random.Random(v + k).randrange(1, 20)), v) for v in range(1, 2000) for k in (0, 1)], 2000),
        ([], 2000),
    ],
    ids=["chain", "there and back", "star", "local", "no edges"],
)
def test_svg_of_the_largest_graphs_takes_seconds(edges, count):
    start = time.process_time()
    root = parse(graph_of(edges, count))
    assert time.process_time() - start < 20
    assert len(boxes(root)) == count


def test_svg_refuses_what_nobody_can_read():
    with pytest.raises(ValueError, match=r"2,001 nodes.*\.dot or \.json"):
        draw(graph_of([], 2001), None)
    with pytest.raises(ValueError, match=r"20,001 edges"):
        draw(graph_of([(0, 1)] * 20_001, 2), None)


# --- Graphviz ----------------------------------------------------------------------------------------------------

QUOTED = r'"((?:[^"\\]|\\.)*)"'


def read_dot(text: str) -> tuple[dict[str, str], list[tuple[str, str, str]]]:
    """Labels by name and edges; fails on anything that is not a statement of the form we write."""
    lines = text.splitlines()
    assert lines[0] == "digraph lazyxp {"
    assert lines[-1] == "}"
    labels, edges = {}, []
    for line in lines[1:-1]:
        assert re.fullmatch(rf" +\w+( -> \w+)? \[(\w+=({QUOTED}|[\w.]+)(, )?)+\];", line), line
        if found := re.match(r" +n(\d+) -> n(\d+) \[tooltip=\"argument (\d+)\"", line):
            edges.append(found.groups())
        elif found := re.match(rf" +n(\d+) \[label={QUOTED}", line):
            unescaped = re.sub(r"\\(.)", lambda m: {"n": "\n"}.get(m[1], m[1]), found[2])
            labels[found[1]] = html.unescape(unescaped)
    return labels, edges


@every_graph
def test_dot_is_complete(graph):
    labels, edges = read_dot(written(graph, ".dot"))
    assert sorted(labels) == sorted(map(str, graph))
    assert sorted(edges) == edges_of(graph)


@pytest.mark.parametrize("label", HOSTILE)
def test_dot_text_survives_hostile_labels(label):
    labels, _ = read_dot(written(graph_of([], 1, label=label), ".dot"))
    plain = " ".join(re.sub("[\x00-\x08\x0e-\x1f\ud800]", "\ufffd", label).split())
    assert labels == {"0": f"{plain}\nfloat64[3, 4]"}


# --- Mermaid -----------------------------------------------------------------------------------------------------


def read_mermaid(text: str) -> tuple[dict[str, str], list[tuple[str, str]]]:
    lines = text.splitlines()
    assert lines[0] == "flowchart TD"
    labels, edges = {}, []
    for line in lines[1:]:
        if found := re.fullmatch(r'  n(\d+)(?:\(|\[\[)"([^"`{}|\\;:]|#\d+;)*"(?:\)|\]\])', line):
            inside = line[line.index('"') + 1 : line.rindex('"')]
            labels[found[1]] = re.sub(r"#(\d+);", lambda m: chr(int(m[1])), inside.replace("<br/>", "\n"))
        elif found := re.fullmatch(r"  n(\d+) --> n(\d+)", line):
            edges.append(found.groups())
        else:
            assert re.fullmatch(r"  (classDef k\d+ [\w#:,]+|class n[n\d,]+ k\d+)", line), line
    return labels, edges


@every_graph
def test_mermaid_is_complete(graph):
    labels, edges = read_mermaid(written(graph, ".mmd"))
    assert sorted(labels) == sorted(map(str, graph))
    assert sorted(edges) == sorted((u, v) for u, v, _ in edges_of(graph))


@pytest.mark.parametrize("label", HOSTILE)
def test_mermaid_text_survives_hostile_labels(label):
    labels, _ = read_mermaid(written(graph_of([], 1, label=label), ".mmd"))
    plain = " ".join(re.sub("[\x00-\x08\x0e-\x1f\ud800]", "\ufffd", label).split())
    assert labels == {"0": f"{plain}\nfloat64[3, 4]"}


# --- JSON --------------------------------------------------------------------------------------------------------


def tuples(value: object) -> object:
    return tuple(map(tuples, value)) if isinstance(value, list) else value


@every_graph
def test_json_is_the_same_graph(graph):
    read = nx.node_link_graph(json.loads(written(graph, ".json")), edges="edges")
    for _, attributes in read.nodes(data=True):
        attributes.update({name: tuples(value) for name, value in attributes.items()})
    assert isinstance(read, nx.MultiDiGraph)
    assert nx.utils.graphs_equal(read, graph)


# --- files -------------------------------------------------------------------------------------------------------


def written(graph: nx.MultiDiGraph, suffix: str) -> str:
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory) / f"graph{suffix}"
        text = draw(graph, path)
        assert path.read_text(encoding="utf-8") == text
    return text


@pytest.mark.parametrize("suffix", [*SUFFIXES, ".SVG"])
def test_suffix_chooses_the_format(suffix, tmp_path):
    path = tmp_path / f"a{suffix}"
    path.write_text("old")
    text = draw(GRAPHS["blur"], str(path))
    assert path.read_text(encoding="utf-8") == text
    assert os.listdir(tmp_path) == [path.name]
    start = {".svg": "<svg ", ".dot": "digraph", ".mmd": "flowchart", ".json": "{"}[suffix.lower()]
    assert text.startswith(start)


@pytest.mark.parametrize("name", ["a.png", "a", ".svg"])
def test_unknown_suffix(name, tmp_path):
    with pytest.raises(ValueError, match=r"\.svg, \.dot, \.mmd, \.json"):
        draw(GRAPHS["one"], tmp_path / name)
    assert not os.listdir(tmp_path)


def test_failure_leaves_the_old_file_alone(tmp_path):
    path = tmp_path / "a.svg"
    path.write_text("old")
    with pytest.raises(ValueError, match="too large"):
        draw(graph_of([], 2001), path)
    assert path.read_text() == "old"
    with pytest.raises(FileNotFoundError, match="no directory"):
        draw(GRAPHS["one"], tmp_path / "missing" / "a.svg")
    assert os.listdir(tmp_path) == ["a.svg"]


def test_file_is_as_readable_as_any_new_file(tmp_path):
    (tmp_path / "plain").write_text("")
    draw(GRAPHS["one"], tmp_path / "a.svg")
    assert (tmp_path / "a.svg").stat().st_mode == (tmp_path / "plain").stat().st_mode


def test_notebooks_show_the_picture():
    picture = draw(GRAPHS["one"], None)
    assert isinstance(picture, Picture)
    assert picture._repr_svg_() == str(picture)
    assert picture.startswith("<svg ")
    assert len(repr(picture)) < 100


# --- recorded graphs ---------------------------------------------------------------------------------------------


def recorded(*arrays: xp.Array) -> nx.MultiDiGraph:
    return to_networkx([current(a) for a in arrays])


def test_to_networkx_says_what_was_recorded():
    x = xp.asarray(np.zeros((3, 4), dtype=np.float32))
    graph = recorded(xp.sum(x * 2.0, axis=0))
    ops = [op for _, op in graph.nodes(data="op")]
    assert ops == ["source", "constant", "multiply", "sum"]
    assert list(graph) == [0, 1, 2, 3]
    assert sorted(graph.edges(keys=True, data="arg")) == [(0, 2, 0, 0), (1, 2, 1, 1), (2, 3, 0, 0)]
    total = graph.nodes[3]
    assert (total["kind"], total["shape"], total["dtype"], total["nbytes"]) == ("reduction", (4,), "float32", 16)
    assert total["output"]
    assert not graph.nodes[2]["output"]
    assert total["label"].startswith("sum axis=")
    assert "test_looking.py:" in total["line"]
    assert "in test_to_networkx_says_what_was_recorded" in total["line"]
    assert graph.nodes[0]["label"] == "ndarray"
    assert graph.nodes[1]["label"] == "2.0"


def test_to_networkx_numbers_arguments_before_users_and_shares():
    x = xp.asarray(np.zeros(3))
    y = x + x
    graph = recorded(y * y, y)
    assert [op for _, op in graph.nodes(data="op")] == ["source", "add", "multiply"]
    assert all(u < v for u, v in graph.edges())
    assert graph.number_of_edges(0, 1) == graph.number_of_edges(1, 2) == 2
    assert [output for _, output in graph.nodes(data="output")] == [False, True, True]


def test_to_networkx_of_slices():
    x = xp.asarray(np.zeros((5, 6)))
    keys = {"1:3, ::2": x[1:3, ::2], ":, 2:": x[:, 2:], ":4": x[:-1, :], "3": x[3, :], ":, None, :5": x[:, None, :5]}
    for text, part in keys.items():
        assert recorded(part).nodes[1]["label"] == f"getitem [{text}]"
    assert recorded(x[::-1, :]).nodes[1]["label"].endswith("::-1]")
    assert recorded(x[x > 0]).nodes[3]["label"] == "gather [array]"


def test_to_networkx_of_several_outputs():
    q, r = xp.linalg.qr(xp.asarray(np.zeros((4, 3))))
    graph = recorded(q, r)
    (decomposition,) = (a for _, a in graph.nodes(data=True) if a["op"] == "linalg.qr")
    assert decomposition["shape"] == ((4, 3), (3, 3))
    assert decomposition["dtype"] == ("float64", "float64")
    assert decomposition["nbytes"] == 8 * (12 + 9)
    picks = [a for _, a in graph.nodes(data=True) if a["op"] == "output"]
    assert [(a["label"], a["kind"], a["shape"]) for a in picks] == [
        ("linalg.qr output 0", "linalg", (4, 3)),
        ("linalg.qr output 1", "linalg", (3, 3)),
    ]
    assert "float64[4, 3], float64[3, 3]" in draw(graph, None)


def test_to_networkx_of_unknown_dimensions():
    graph = recorded(xp.unique_values(xp.asarray(np.zeros(5))))
    result = graph.nodes[len(graph) - 1]
    assert result["shape"] == (None,)
    assert result["nbytes"] is None
    assert "float64[?]" in draw(graph, None)


def test_long_chains_export_in_linear_time(tmp_path):
    x = xp.asarray(np.zeros(3))
    for _ in range(100_000):
        x = -x
    start = time.process_time()
    graph = recorded(x)
    assert graph.number_of_edges() == 100_000
    for suffix in (".dot", ".mmd", ".json"):
        draw(graph, tmp_path / f"a{suffix}")
    assert time.process_time() - start < 60
    with pytest.raises(ValueError, match="too large"):
        draw(graph, tmp_path / "a.svg")


def test_public_names(tmp_path):
    x = xp.asarray(np.zeros((3, 4))) + 1.0
    graph = xp.to_networkx(x)
    assert isinstance(graph, nx.MultiDiGraph)
    assert len(graph) == 3
    text = x.visualize(tmp_path / "a.svg", stage="recorded")
    assert (tmp_path / "a.svg").read_text() == text
    assert len(boxes(ET.fromstring(text))) == 3
    assert "_repr_svg_" in dir(x.visualize())


def test_stages_differ():
    x, y = (xp.asarray(np.ones((500, 500))) for _ in range(2))
    z = xp.sin(xp.exp(x) + 0.3) * y
    z = (z - xp.mean(z)) @ y
    recorded, optimized, plan = (xp.to_networkx(z, stage=stage) for stage in ("recorded", "optimized", "plan"))
    assert "kernel" not in [op for _, op in recorded.nodes(data="op")]
    kernels = [a for _, a in optimized.nodes(data=True) if a["op"] == "kernel"]
    assert kernels
    assert kernels[0]["kind"] == "kernel"
    assert "exp" in kernels[0]["label"]
    assert "sin" in kernels[0]["label"]
    assert [a["op"] for _, a in plan.nodes(data=True) if a["op"] == "kernel"] == ["kernel"] * len(kernels)
    for graph in (optimized, plan):
        sources = [a for _, a in graph.nodes(data=True) if a["kind"] == "source"]
        assert {a["label"] for a in sources} == {"ndarray", "0.3"}
        assert all("test_looking.py" in a["line"] for _, a in graph.nodes(data=True))
        assert sum(a["output"] for _, a in graph.nodes(data=True)) == 1
    assert "ndarray" in draw(plan, None)


def test_buffers_of_the_plan():
    x = xp.asarray(np.ones((300, 300)))
    graph = xp.to_networkx((x @ x)[1:] + 1, (x @ x) + x, stage="plan")
    buffers = {a["label"]: a["buffer"] for _, a in graph.nodes(data=True)}
    assert buffers["ndarray"] is None
    assert buffers["matmul"] == buffers["getitem [1:]"] is not None
    assert f"in buffer {buffers['matmul']}" in draw(graph, None)
    json.loads(written(graph, ".json"))


@pytest.mark.parametrize("stage", ["recorded", "optimized", "plan"])
def test_stages_of_what_is_known(stage):
    graph = xp.to_networkx(xp.asarray(np.ones(3)), xp.asarray(2.0), stage=stage)
    assert [a["kind"] for _, a in graph.nodes(data=True)] == ["source", "source"]
    with pytest.raises(ValueError, match="stage='late' is none of"):
        xp.to_networkx(stage="late")
