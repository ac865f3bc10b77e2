PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
ROOMS := core graph ingest model serving cli

.PHONY: help demo test lint bench clean
help:  ## Show this list.
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "  make %-8s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

$(READY): pyproject.toml constraints.txt
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or later is needed; try make PYTHON=python3.12")'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade pip
	$(BIN)/python -m pip install --quiet --editable '.[dev]' --constraint constraints.txt
	touch $@

demo: $(READY)  ## Set up, then go from an invented click log to recommendations.
	$(BIN)/recsys demo

test: $(READY)  ## Set up, then run every test on real Neo4j, Spark and Qdrant.
	$(BIN)/python -m pytest

lint: $(READY)  ## Check style, types and the layering of the rooms.
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	@mkdir -p .lint/recsys && for room in $(ROOMS); do ln -sfn ../../$$room .lint/recsys/$$room; done
	$(BIN)/mypy $(addprefix .lint/recsys/,$(ROOMS))
	PYTHONPATH=.lint $(BIN)/lint-imports

bench: $(READY)  ## Run the benchmarks; figures are ratios taken in one run.
	@for name in loss ingest train serving; do $(BIN)/python benchmarks/$$name.py || exit 1; done

clean:  ## Remove the environment and caches.
	rm -rf $(VENV) .lint build *.egg-info .mypy_cache .ruff_cache .pytest_cache
