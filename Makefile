# The two commands of the README are `make run` and `make test`; both set up what they need.

SHELL := /bin/bash
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PACKAGES := confluent_shim topic_map jsonschema_bridge
ARGS ?=

.DEFAULT_GOAL := help

.PHONY: help
help:  ## Show this list
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-10s %s\n", $$1, $$2}'

.PHONY: run
run: $(VENV)/run  ## Start Kafka, a registry and the shim in one process tree (ARGS="--port 8083")
	@$(BIN)/confluent-shim dev $(ARGS)

.PHONY: test
test: $(VENV)/dev  ## Run every test; the real Kafka and registry are fetched on first use (ARGS="-k name")
	@$(BIN)/coverage erase
	$(BIN)/pytest --cov --cov-report= $(ARGS)
	@if [ -z "$(ARGS)" ]; then $(BIN)/coverage report --fail-under=$$(cat tests/coverage-floor); fi

.PHONY: check
check: $(VENV)/dev  ## Lint, format check, types and import layers
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

.PHONY: bench
bench: $(VENV)/dev  ## Measure: each bench prints ratios from one run
	@for bench in tests/bench/bench_*.py; do $(BIN)/python $$bench || exit 1; done

.PHONY: format
format: $(VENV)/dev  ## Format the code and mend what can be mended
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

.PHONY: lock
lock: $(VENV)/dev  ## Choose the newest dependencies and write both lock files
	$(BIN)/pip install --quiet uv
	$(BIN)/uv pip compile pyproject.toml --group dev $(LOCK) --output-file requirements-dev.lock
	echo "setuptools" | $(BIN)/uv pip compile pyproject.toml - $(LOCK) --constraint requirements-dev.lock --output-file requirements.lock

LOCK := --quiet --upgrade --universal --generate-hashes --no-header --no-annotate --no-emit-index-url

$(VENV)/bin/python:
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed, this is " + sys.version)'
	$(PYTHON) -m venv $(VENV)

# $(VENV)/run is older than $(VENV)/dev when both are there, and what it needs is in both.
$(VENV)/run: requirements.lock pyproject.toml | $(VENV)/bin/python
	@[ -e $(VENV)/dev ] || $(BIN)/pip install --quiet --disable-pip-version-check --no-deps --require-hashes -r requirements.lock
	@$(BIN)/pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $@

$(VENV)/dev: requirements-dev.lock pyproject.toml | $(VENV)/bin/python
	$(BIN)/pip install --quiet --disable-pip-version-check --no-deps --require-hashes -r requirements-dev.lock
	@$(BIN)/pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $@

.PHONY: clean
clean:  ## Remove what the other commands made
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .hypothesis .coverage* *.egg-info
