# Two commands matter: `make run` and `make test`. Each makes the environment it needs; Python 3.11+ is all it asks for.
SHELL := /bin/bash
PYTHON ?= python3
PORT ?= 3000
BIN := .venv/bin
export CIVIC_DATA ?= $(CURDIR)/data
export DAGSTER_DISABLE_TELEMETRY := 1
unexport PYTHONDONTWRITEBYTECODE

.PHONY: run site dev test test-fast test-site check audit docs requirements clean help

run: .venv/run  ## capture the demo portals, build, check and release the warehouse
	@$(BIN)/civic run

site: .venv/run  ## build the public site from the live release and show it on http://127.0.0.1:8080
	@$(BIN)/civic site build
	@$(BIN)/civic site serve

dev: .venv/dev  ## the Dagster UI on http://127.0.0.1:$(PORT), on the same home as `make run`
	@DAGSTER_HOME="$$($(BIN)/python -m civic_pipeline.dagster_home)" && export DAGSTER_HOME && \
		$(BIN)/dg dev --host 127.0.0.1 --port $(PORT)

test: .venv/dev  ## every test
	$(BIN)/python -m pytest --numprocesses 2 --dist loadfile --no-loadscope-reorder

test-fast: .venv/dev  ## unit and integration tests without those marked slow
	$(BIN)/python -m pytest --numprocesses 2 --dist loadfile --no-loadscope-reorder -m "not slow" civic_pipeline_tests/unit civic_pipeline_tests/integration

test-site: .venv/dev  ## every page of the public site of the sample in Chromium; `make test` opens three of each template
	CIVIC_EVERY_PAGE=1 $(BIN)/python -m pytest civic_pipeline_tests/integration/test_site_in_a_browser.py

check: .venv/dev  ## lint, types, definitions, generated docs
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/sqlfluff lint --processes 2 -q sql
	$(BIN)/dg check defs
	$(BIN)/civic check
	$(BIN)/civic docs --check

audit: .venv/dev  ## known vulnerabilities of what is pinned
	$(BIN)/python .ci/audit.py

docs: .venv/run  ## write docs/dictionary
	$(BIN)/civic docs

requirements: .venv/dev  ## pin and hash what pyproject.toml asks for
	$(BIN)/uv pip compile --universal --python-version 3.11 --generate-hashes --no-strip-extras --no-emit-index-url --no-emit-find-links -q pyproject.toml -o requirements.txt
	$(BIN)/uv pip compile --universal --python-version 3.11 --generate-hashes --no-strip-extras --no-emit-index-url --no-emit-find-links -q --extra dev -c requirements.txt pyproject.toml -o requirements-dev.txt

clean:  ## remove what runs made; captures and releases included
	rm -rf data/lake data/build data/quality data/releases data/site data/site-builds data/dagster_home data/warehouse.duckdb data/problems.json data/notified.json data/*.lock

help:  ## this list
	@sed -nE 's/^([a-z-]+):.*  ## (.*)/\1\t\2/p' Makefile | expand -t 14

.venv/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit("Python 3.11, 3.12 or 3.13 is needed, this is " + sys.version.split()[0] + ": set PYTHON=python3.12") if not (3, 11) <= sys.version_info[:2] <= (3, 13) else None'
	@$(PYTHON) -m venv .venv

# --no-deps: the files are complete, and pip checks every hash.
.venv/run: requirements.txt pyproject.toml | .venv/bin/python
	@echo "Installing pinned requirements into .venv (a minute or two, once)"
	@$(BIN)/python -m pip install -q --disable-pip-version-check --no-deps --require-hashes -r requirements.txt
	@$(BIN)/python -m pip install -q --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch .venv/run

.venv/dev: requirements-dev.txt .venv/run
	@$(BIN)/python -m pip install -q --disable-pip-version-check --no-deps --require-hashes -r requirements-dev.txt
	@touch .venv/dev
