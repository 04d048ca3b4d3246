# `make demo` and `make test` need Python 3.11 or newer and nothing else: they set up ./.venv themselves.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin

.NOTPARALLEL:
.PHONY: demo test lint docs bench bench-internals clean

demo: $(VENV)/.stamp-demo
	$(BIN)/python -m lazyxp demo

test: $(VENV)/.stamp-test
	$(BIN)/python -m pytest $(PYTEST_ARGS)

lint: $(VENV)/.stamp-dev
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy

docs: $(VENV)/.stamp-dev
	$(BIN)/sphinx-build -W --keep-going -b html docs docs/_build/html

bench: $(VENV)/.stamp-bench
	$(BIN)/python -m benchmarks $(BENCH_ARGS)
	$(if $(BENCH_ARGS),,$(BIN)/python -m benchmarks.consumers)
	$(if $(BENCH_ARGS),,$(BIN)/python -m benchmarks.executors)

bench-internals: $(VENV)/.stamp-bench
	set -e; for name in recording depth optimizing rewrites threads; do echo "== $$name"; $(BIN)/python benchmarks/$$name.py; done

clean:
	rm -rf $(VENV) build dist demo-output docs/_build docs/generated .hypothesis .mypy_cache .pytest_cache .ruff_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# One stamp for each set of extras; all are installed again when pyproject.toml changes.
$(VENV)/.stamp-demo: EXTRAS := demo,dask
$(VENV)/.stamp-test: EXTRAS := test
$(VENV)/.stamp-dev: EXTRAS := dev
$(VENV)/.stamp-bench: EXTRAS := bench
$(VENV)/.stamp-%: pyproject.toml | $(BIN)/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable ".[$(EXTRAS)]"
	touch $@

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit("lazyxp needs Python 3.11 or newer: make PYTHON=python3.11" if sys.version_info < (3, 11) else 0)'
	$(PYTHON) -m venv $(VENV)
