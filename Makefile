# `make test` needs make and Python 3.11 or newer, nothing else: PostgreSQL comes as a wheel.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
# What to hand to pytest: `make test ARGS='-k replay'`.
ARGS ?=
# Where PostgreSQL 15's initdb and pg_ctl are, for `make test-15`.
PG15_BIN ?= /usr/lib/postgresql/15/bin
UV := uv==0.13.9

PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check
COMPILE := .lock/bin/uv pip compile pyproject.toml --quiet --universal --python-version 3.11 \
	--generate-hashes --no-header --no-emit-index-url

.DEFAULT_GOAL := help
.PHONY: help test test-15 demo bench bench-whatsapp lint format schema lock upgrade clean

help: ## say what there is to make
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / { printf "make %-14s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

test: $(VENV)/dev ## run the tests, on the embedded PostgreSQL or on DATABASE_URL
	$(BIN)/python -m pytest $(ARGS)

test-15: $(VENV)/dev ## run the tests on PostgreSQL 15, the oldest that is supported
	env -u DATABASE_URL OUTBOX_TEST_BINARIES=$(PG15_BIN) $(BIN)/python -m pytest $(ARGS)

demo: $(VENV)/dev ## show the outbox at work, without WhatsApp
	$(BIN)/outbox demo

bench: $(VENV)/bench ## measure the outbox against other queues
	$(BIN)/outbox bench

bench-whatsapp: $(VENV)/dev ## measure sending over WhatsApp against a bare loop over neonize
	$(BIN)/python -m tests.whatsapp.throughput

lint: $(VENV)/dev ## check style, types and the direction of imports
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/lint-imports

format: $(VENV)/dev ## lay the code out and mend what ruff can mend
	$(BIN)/ruff check --fix
	$(BIN)/ruff format

schema: $(VENV)/dev ## write down anew which schema the migrations add up to
	$(BIN)/python -m tests.migration.listing > alembic/schema.txt.new
	mv alembic/schema.txt.new alembic/schema.txt

lock: .lock/uv ## write the requirements files anew, changing no version without need
	$(COMPILE) -o requirements.txt
	$(COMPILE) --extra embedded --extra otel --extra dev -c requirements.txt -o requirements-dev.txt
	$(COMPILE) --extra embedded --extra otel --extra dev --extra bench \
		-c requirements-dev.txt -o requirements-bench.txt

upgrade: COMPILE += --upgrade
upgrade: lock ## the same with the newest versions

clean: ## remove what make has made
	rm -rf $(VENV) .lock build dist .hypothesis .import_linter_cache .mypy_cache .pytest_cache \
		.ruff_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# Each stamp is as new as the lock that it was installed from.
$(VENV)/dev: requirements-dev.txt pyproject.toml | $(VENV)/bin/python
	$(PIP) --require-hashes -r requirements-dev.txt
	$(PIP) --no-deps --no-build-isolation -e .
	@touch $@

$(VENV)/bench: requirements-bench.txt $(VENV)/dev
	$(PIP) --require-hashes -r requirements-bench.txt
	@touch $@

$(VENV)/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo >&2 \
		"$(PYTHON) is not Python 3.11 or newer: run make PYTHON=/path/to/python3.11"; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' || { echo >&2 \
		"$(PYTHON) cannot make a virtual environment: install its venv (Debian: python3-venv)"; exit 1; }
	$(PYTHON) -m venv $(VENV)

.lock/uv:
	$(PYTHON) -m venv .lock
	.lock/bin/python -m pip install --quiet --disable-pip-version-check $(UV)
	@touch $@
