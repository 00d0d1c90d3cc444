# `make` alone prints what there is to run. Works with GNU make 3.81 and newer.

PYTHON ?= python3
LAKE ?= build/demo

BIN := .venv/bin
STAMP := .venv/.installed
PIPELINES := $(basename $(notdir $(wildcard glue_scripts/pipelines/[a-z]*.yaml)))

ifneq ($(filter run repair,$(MAKECMDGOALS)),)
ifndef PIPELINE
$(error which pipeline? Usage: make $(filter run repair,$(MAKECMDGOALS)) PIPELINE=name [LAKE=folder]; there are: $(PIPELINES))
endif
endif
ifneq ($(filter query,$(MAKECMDGOALS)),)
ifndef SQL
$(error which query? Usage: make query SQL="select ..." [LAKE=folder])
endif
endif

.PHONY: help setup jars requirements check test package demo run repair query doctor bench clean

help: ## Print this list
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "  make %-14s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: jars ## Install everything into .venv and delta_jars/, and make later starts of Spark faster
	@$(BIN)/python scripts/laptop_spark.py

$(STAMP): requirements-dev.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
	  echo "error: Python 3.11 or newer is needed, $(PYTHON) is $$($(PYTHON) --version 2>&1);" \
	    "name another one: make PYTHON=python3.11" >&2; exit 1; }
	@$(BIN)/python -m pip --version >/dev/null 2>&1 || $(PYTHON) -m venv .venv
	@echo "Installing $$(grep -c '==' requirements-dev.txt) packages into .venv (once, a few minutes) ..."
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-dev.txt
	@touch $@

jars: $(STAMP) ## Fetch the Delta Lake jars and verify their sums
	@$(BIN)/python scripts/fetch_jars.py

requirements: ## Pin what pyproject.toml asks for, with hashes (needs uv)
	@uv --version >/dev/null 2>&1 || { echo "error: uv is needed: pip install uv" >&2; exit 1; }
	@$(COMPILE) pyproject.toml --extra cloud --output-file requirements.txt
	@$(COMPILE) pyproject.toml --extra cloud --extra dev --constraint requirements.txt --output-file requirements-dev.txt
	@$(COMPILE) --group lambda --constraint requirements.txt --output-file requirements-lambda.txt

COMPILE = uv pip compile --quiet --universal --fork-strategy fewest \
  --python-version 3.11 --generate-hashes --no-emit-index-url --no-emit-find-links --custom-compile-command "make requirements"

check: jars ## Run all checks: format, lint, types, build, tests (what CI runs)
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	PYTHONPATH=glue_scripts $(BIN)/python scripts/package.py
	$(BIN)/python -m pytest

test: jars ## Run the tests
	$(BIN)/python -m pytest

package: $(STAMP) ## Build the zips and declarations that Terraform deploys
	@PYTHONPATH=glue_scripts $(BIN)/python scripts/package.py

demo: jars ## Three days of films through the whole lake, with gold as tables [LAKE=build/demo]
	@$(BIN)/python scripts/demo.py --lake "$(LAKE)"

run: jars ## Run one pipeline: make run PIPELINE=movies [LAKE=build/demo] [LIST_ALL=1]
	@$(BIN)/python scripts/run.py --pipeline "$(PIPELINE)" --lake "$(LAKE)" $(if $(LIST_ALL),--list-all)

repair: jars ## Repair one pipeline: make repair PIPELINE=movies [LAKE=build/demo]
	@$(BIN)/python scripts/run.py --repair --pipeline "$(PIPELINE)" --lake "$(LAKE)"

# `value` hands the text over as it was typed, through the environment: no $ or quote of it is expanded.
export QUERY_SQL := $(value SQL)

query: $(STAMP) ## Query a lake as Athena would: make query SQL="select ..." [LAKE=build/demo]
	@$(BIN)/python scripts/query.py --lake "$(LAKE)" "$$QUERY_SQL"

doctor: ## Show what is needed, what is missing and how to get it
	@$(firstword $(wildcard $(BIN)/python) $(PYTHON)) scripts/doctor.py

bench: jars ## Measure the pipelines
	@$(BIN)/python benchmarks/run.py

clean: ## Delete what was built, the lake of the demo too; keeps .venv and the jars
	rm -rf build .pytest_cache .ruff_cache .mypy_cache .hypothesis
