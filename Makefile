# `make` lists the targets. Each one that needs .venv brings it up to date first.

PYTHON ?=
SCENARIO ?= posthog-outage
ARGS ?=
# More than the usual two cores: tests of real servers wait most of the time.
PROCESSES ?= 3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check

.DEFAULT_GOAL := help

# Tests start our programs a hundred times; without bytecode each would be compiled anew.
export PYTHONDONTWRITEBYTECODE :=

MAKEFLAGS += --no-print-directory

.PHONY: help
help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  %-12s %s\n", $$1, $$2}' Makefile

.PHONY: setup
setup: $(VENV)/.project ## make .venv from requirements.lock (PYTHON=python3.12 chooses the interpreter)

.PHONY: drill
drill: setup ## respond to a simulated incident (SCENARIO=posthog-outage, ARGS=--help)
	@$(BIN)/runbook drill $(SCENARIO) $(ARGS)

.PHONY: test
test: PROCESSES = 4
test: setup ## run the tests (ARGS="-k gate" chooses some)
	@RUNBOOK_EXAMPLES=$(or $(EXAMPLES),30) $(BIN)/pytest --numprocesses $(PROCESSES) --durations 10 $(ARGS)

.PHONY: coverage
coverage: setup ## run the tests, slower, and report which lines they reach
	@$(BIN)/pytest --numprocesses $(PROCESSES) -m "not slow" --cov --cov-report term:skip-covered $(ARGS)

.PHONY: proofs
proofs: setup ## run the tests that take long: servers, workers, browsers, every step with every answer
	@$(BIN)/pytest --numprocesses $(PROCESSES) --durations 10 -m "proof and not slow" $(ARGS)

.PHONY: properties
properties: setup ## try each property on more examples than `make test` does (EXAMPLES=100)
	@RUNBOOK_EXAMPLES=$(or $(EXAMPLES),100) $(BIN)/pytest --numprocesses $(PROCESSES) -m "hypothesis and not proof and not slow" $(ARGS)

.PHONY: test-slow
test-slow: setup ## run the tests that repeat what a quicker one shows
	@$(BIN)/pytest --numprocesses $(PROCESSES) -m slow $(ARGS)

.PHONY: bench
bench: setup ## measure how soon a verdict, a change and the shown answer are there (ARGS=--help)
	@$(BIN)/python -m tests.bench.response --json benchmarks.json $(ARGS)

.PHONY: bench-intake
bench-intake: setup ## measure how many alerts the receiver takes, and kill it meanwhile (ARGS=--help)
	@$(BIN)/python -m tests.bench.intake $(ARGS)

.PHONY: chaos
chaos: setup ## kill runs, workers, the receiver and the server everywhere, and count the damage (ARGS=--help)
	@$(BIN)/python -m tests.chaos $(ARGS)

.PHONY: many-waiting
many-waiting: setup ## have a hundred incidents wait for an answer, which may hold no process (MANY=100)
	@RUNBOOK_MANY_WAITING=$(or $(MANY),100) $(BIN)/pytest -m slow -o faulthandler_timeout=3600 \
		tests/engine/test_many_waiting.py -k hold_no_process $(ARGS)

.PHONY: pictures
pictures: setup ## make the README's pictures anew, of a real response at its question (needs chromium and fonts-noto-color-emoji)
	@$(BIN)/python -m tests.pictures $(ARGS)

.PHONY: storm
storm: setup ## have thirty services report trouble at once, each of which comes to its question (STORM=30)
	@RUNBOOK_STORM=$(or $(STORM),30) $(BIN)/pytest -m slow -o faulthandler_timeout=3600 \
		tests/engine/test_many_waiting.py -k storm $(ARGS)

.PHONY: fuzz-undo
fuzz-undo: setup ## undo changes of many made-up workloads (EXAMPLES=3000 are 90 of each kind)
	@RUNBOOK_EXAMPLES=$(or $(EXAMPLES),3000) $(BIN)/pytest --numprocesses 2 --timeout 3600 \
		tests/tasks/actions/test_undo_properties.py

.PHONY: fuzz-intake
fuzz-intake: setup ## send the receiver tens of thousands of made-up requests (EXAMPLES=20000)
	@RUNBOOK_EXAMPLES=$(or $(EXAMPLES),20000) $(BIN)/pytest --numprocesses 2 --timeout 3600 \
		tests/deployments/receiver/test_fuzzed.py tests/runbook/alerts/test_sources_properties.py

.PHONY: lint
lint: setup ## check style, format, types and import layers
	@$(BIN)/ruff check --quiet
	@$(BIN)/ruff format --check --quiet || { echo "Some files are not formatted: run 'make fmt'" >&2; exit 1; }
	@$(BIN)/mypy --no-error-summary
	@report=$$($(BIN)/lint-imports --no-logo) || { echo "$$report"; exit 1; }

.PHONY: fmt
fmt: setup ## format the code and fix what ruff can fix
	@$(BIN)/ruff check --quiet --fix-only
	@$(BIN)/ruff format --quiet

.PHONY: types
types: setup ## check the types alone
	@$(BIN)/mypy

.PHONY: lock
lock: ## write requirements.lock anew from pyproject.toml (needs uv)
	@command -v uv >/dev/null || { echo "make lock needs uv on PATH" >&2; exit 1; }
	@uv pip compile pyproject.toml --group dev --universal --python-version 3.11 --generate-hashes \
		--no-emit-index-url --no-annotate --no-header --strip-extras --quiet \
		--output-file requirements.lock $(ARGS)

.PHONY: clean
clean: ## remove .venv, caches and reports (never .runbook: it holds the incidents)
	@rm -rf $(VENV) .coverage .coverage.* .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache \
		dist htmlcov
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +

# A stamp each, so that an edit of pyproject.toml does not install the locked set again.
# The lock is complete, so pip must not resolve it once more (--no-deps): its resolver looks at the newest release
# of a package that another one asks for with extras or without a version, and --require-hashes refuses that one.
$(VENV)/.locked: requirements.lock
	@set -e; \
	fits() { "$$1" -c 'import ensurepip, sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' 2>/dev/null; }; \
	if [ -n "$(PYTHON)" ]; then candidates="$(PYTHON)"; else candidates="python3.11 python3.12 python3.13 python3"; fi; \
	if [ -n "$(PYTHON)" ] || ! fits $(BIN)/python; then \
		for candidate in $$candidates; do if fits "$$candidate"; then python=$$candidate; break; fi; done; \
		[ -n "$$python" ] || { echo "Python 3.11, 3.12 or 3.13 with venv is needed; tried: $$candidates" >&2; exit 1; }; \
		echo "Making .venv with $$($$python --version)"; \
		$$python -m venv --clear $(VENV); \
	fi; \
	echo "Installing the locked packages"; \
	$(PIP) install --quiet --require-hashes --no-deps --requirement requirements.lock; \
	touch $@

$(VENV)/.project: $(VENV)/.locked pyproject.toml
	@$(PIP) install --quiet --no-deps --no-build-isolation --editable .
	@echo "Preparing a database for local Prefect servers"
	@$(BIN)/python -m deployments.prefect.server
	@touch $@
