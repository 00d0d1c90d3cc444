# `make` alone prints what there is to run. Works with GNU make 3.81 and newer.

PYTHON ?= python3
ENV ?= local
TEST_PROCESSES ?= 2

BIN := .venv/bin
STAMP := .venv/.installed
PIPELINES := $(basename $(notdir $(wildcard glue_scripts/pipelines/[a-z]*.yaml)))

ifneq ($(filter run,$(MAKECMDGOALS)),)
ifndef PIPELINE
$(error which pipeline? Usage: make run PIPELINE=name [ENV=local | LAKE=folder]; there are: $(PIPELINES))
endif
endif
ifneq ($(filter delivery,$(MAKECMDGOALS)),)
ifndef REPOSITORY
$(error whose jobs? Usage: make delivery REPOSITORY=owner/name [ENV=local] [IDENTITY_PROVIDER=arn])
endif
endif
ifneq ($(filter new,$(MAKECMDGOALS)),)
ifeq ($(and $(PIPELINE),$(SAMPLE)),)
$(error which dataset, from what? Usage: make new PIPELINE=name SAMPLE=file.csv [KEY=column,...]; there are: $(PIPELINES))
endif
endif
ifneq ($(filter repair,$(MAKECMDGOALS)),)
ifeq ($(and $(PIPELINE),$(LAKE)),)
$(error what is to be repaired? Usage: make repair PIPELINE=name LAKE=folder; there are: $(PIPELINES))
endif
endif
ifneq ($(filter replay,$(MAKECMDGOALS)),)
ifndef PIPELINE
$(error what is to be rebuilt? Usage: make replay PIPELINE=name [ENV=local | LAKE=folder] [SWITCH=1]; there are: $(PIPELINES))
endif
endif
ifneq ($(filter migrate,$(MAKECMDGOALS)),)
ifndef PIPELINE
$(error whose columns? Usage: make migrate PIPELINE=name [ENV=local | LAKE=folder] [ACCEPT_LOSS=1]; there are: $(PIPELINES))
endif
endif
ifneq ($(filter preview,$(MAKECMDGOALS)),)
ifeq ($(and $(PIPELINE),$(LAKE)),)
$(error whose gold rows? Usage: make preview PIPELINE=name LAKE=folder; there are: $(PIPELINES))
endif
endif
ifneq ($(filter quarantine readmit,$(MAKECMDGOALS)),)
ifndef PIPELINE
$(error whose rejects? Usage: make $(filter quarantine readmit,$(MAKECMDGOALS)) PIPELINE=name [ENV=local | LAKE=folder]; there are: $(PIPELINES))
endif
endif
ifneq ($(filter maintain,$(MAKECMDGOALS)),)
ifndef PIPELINE
$(error whose tables? Usage: make maintain PIPELINE=name [ENV=local | LAKE=folder]; there are: $(PIPELINES))
endif
endif
ifneq ($(filter archive,$(MAKECMDGOALS)),)
ifndef PIPELINE
$(error whose files? Usage: make archive PIPELINE=name [ENV=local | LAKE=folder]; there are: $(PIPELINES))
endif
endif
ifneq ($(filter erase,$(MAKECMDGOALS)),)
ifeq ($(and $(PIPELINE),$(PERSON)),)
$(error who is to be erased? Usage: make erase PIPELINE=name PERSON=id [ENV=local | LAKE=folder]; there are: $(PIPELINES))
endif
endif
ifneq ($(filter query,$(MAKECMDGOALS)),)
ifndef SQL
$(error which query? Usage: make query SQL="select ..." [ENV=local | LAKE=folder])
endif
endif
ifneq ($(filter trace,$(MAKECMDGOALS)),)
ifeq ($(and $(TABLE),$(KEY)),)
$(error which row? Usage: make trace TABLE=movies_by_genre KEY=genre=Drama [ENV=local | LAKE=folder])
endif
endif
ifneq ($(filter fire,$(MAKECMDGOALS)),)
ifndef NAME
$(error what is to be fired? Usage: make fire NAME=schedule [TIME=2026-11-02T02:00:00Z])
endif
endif
ifneq ($(filter backfill,$(MAKECMDGOALS)),)
ifeq ($(and $(START),$(DAYS)),)
$(error which days? Usage: make backfill START=2026-11-01 DAYS=3 [ENV=local])
endif
endif
ifneq ($(filter cost,$(MAKECMDGOALS)),)
ifndef EVENTS_PER_DAY
$(error how many events? Usage: make cost EVENTS_PER_DAY=1000000 [RUNS=24])
endif
endif
ifneq ($(filter stream,$(MAKECMDGOALS)),)
ifeq ($(and $(RATE),$(SECONDS)),)
$(error how many events, how long? Usage: make stream RATE=50 SECONDS=60 [ENV=local])
endif
endif

.PHONY: help setup jars requirements check test test-crash package bootstrap delivery upload plan apply build destroy demo up start down fire backfill stream redeliver new run status trace quarantine readmit repair replay migrate preview maintain archive erase query cost doctor bench docs clean

help: ## Print this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-14s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

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
	@$(COMPILE) --group checkov --output-file requirements-checkov.txt

COMPILE = uv pip compile --quiet --universal --fork-strategy fewest \
  --python-version 3.11 --generate-hashes --no-emit-index-url --no-emit-find-links --custom-compile-command "make requirements"

check: setup ## Run all checks: format, lint, types, build, tests (what CI runs)
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	PYTHONPATH=glue_scripts $(BIN)/python scripts/package.py
	$(BIN)/python scripts/scan_terraform.py
	$(PYTEST)

test: setup ## Run the tests [TEST_PROCESSES=2]
	$(PYTEST)

test-crash: setup ## Disturb runs at every request to S3 and kill them before every write, and see that each heals (some hours)
	$(PYTEST) --every-kill tests/lakehouse/test_crash.py tests/lakehouse/test_faults.py

# One Spark session a process; tests/conftest.py says which tests stay together and which begin.
PYTEST = $(BIN)/python -m pytest --numprocesses $(TEST_PROCESSES) --dist loadscope --no-loadscope-reorder

package: jars ## Build what is deployed: pipelines, engine, functions, and the manifest that names them
	@PYTHONPATH=glue_scripts $(BIN)/python scripts/package.py

bootstrap: $(STAMP) ## Make the deployment bucket of an account and region, or set it right [ENV=local]
	@$(BIN)/python scripts/bootstrap.py --environment "$(ENV)"

delivery: $(STAMP) ## Make the roles of GitHub's jobs, once per account: make delivery REPOSITORY=owner/name [ENV=local] [YES=1]
	@$(BIN)/python scripts/delivery.py --environment "$(ENV)" --repository "$(REPOSITORY)" \
	  $(if $(IDENTITY_PROVIDER),--identity-provider "$(IDENTITY_PROVIDER)") $(if $(YES),--yes)

upload: package ## Put what is built into the deployment bucket [ENV=local]
	@$(BIN)/python scripts/upload.py --environment "$(ENV)"

plan: jars ## Show what an apply would change [ENV=local]
	@PYTHONPATH=glue_scripts $(BIN)/python scripts/deploy.py plan --environment "$(ENV)"

apply: jars ## Build, upload and deploy an environment with Terraform; shows the plan and asks [ENV=local: at once, YES=1: too]
	@PYTHONPATH=glue_scripts $(BIN)/python scripts/deploy.py apply --environment "$(ENV)" $(if $(YES),--yes)

build: apply ## Another name of make apply

destroy: jars ## Delete what was deployed; asks first [ENV=local, YES=1: without asking, except in production]
	@PYTHONPATH=glue_scripts $(BIN)/python scripts/deploy.py destroy --environment "$(ENV)" $(if $(YES),--yes)

demo: setup ## The whole journey on a laptop cloud of its own, from landed files to gold as tables [PIPELINE=movies, retail or events]
	@PYTHONPATH=glue_scripts $(BIN)/python scripts/demo.py $(if $(PIPELINE),--pipeline "$(PIPELINE)")

up: jars ## Start the laptop cloud, which stays up [COLD=1: a JVM of its own for each job]
	@$(BIN)/python scripts/local_cloud up $(if $(COLD),--cold)

start: up ## Another name of make up

down: $(STAMP) ## Stop the laptop cloud and all that runs in it; what it held is gone
	@$(BIN)/python scripts/local_cloud down

fire: $(STAMP) ## Fire a schedule of the laptop cloud now: make fire NAME=oakvale-local-generate-movies [TIME=...]
	@$(BIN)/python scripts/local_cloud fire "$(NAME)" $(if $(TIME),--time "$(TIME)")

backfill: $(STAMP) ## Make days of films, which start the workflow: make backfill START=2026-11-01 DAYS=3 [ENV=local]
	@$(BIN)/python scripts/backfill.py --environment "$(ENV)" --start "$(START)" --days "$(DAYS)"

stream: $(STAMP) ## Send invented events to the stream of events: make stream RATE=50 SECONDS=60 [ENV=local]
	@$(BIN)/python scripts/stream.py --environment "$(ENV)" --rate "$(RATE)" --seconds "$(SECONDS)"

redeliver: $(STAMP) ## Put records that Firehose has set aside back into their streams [ENV=local]
	@$(BIN)/python scripts/redeliver.py --environment "$(ENV)"

new: $(STAMP) ## Write a dataset's first files from a sample: make new PIPELINE=name SAMPLE=file.csv [KEY=column,...]
	@PYTHONPATH=glue_scripts $(BIN)/python scripts/add_dataset.py --pipeline "$(PIPELINE)" --sample "$(SAMPLE)" $(if $(KEY),--key "$$GIVEN_KEY")

run: jars ## Run one pipeline to its end: make run PIPELINE=movies [ENV=local | LAKE=folder [LIST_ALL=1]]
	@$(BIN)/python $(if $(LAKE),scripts/run.py --lake "$(LAKE)" $(if $(LIST_ALL),--list-all),scripts/run_pipeline.py \
	  --environment "$(ENV)") --pipeline "$(PIPELINE)"

status: $(STAMP) ## Show the last runs of each pipeline, and how far it is [ENV=local | LAKE=folder]
	@PYTHONPATH=glue_scripts $(BIN)/python scripts/status.py $(if $(LAKE),--lake "$(LAKE)",--environment "$(ENV)")

trace: $(STAMP) ## Trace a row to its raw records: make trace TABLE=movies_by_genre KEY=genre=Drama [ENV=local | LAKE=folder]
	@PYTHONPATH=glue_scripts $(BIN)/python scripts/trace_row.py $(if $(LAKE),--lake "$(LAKE)",--environment "$(ENV)") \
	  --table "$(TABLE)" --key "$$GIVEN_KEY"

quarantine: $(STAMP) ## Show open rejects by rule, with samples: make quarantine PIPELINE=movies [ENV=local | LAKE=folder]
	@PYTHONPATH=glue_scripts $(BIN)/python scripts/quarantine.py --pipeline "$(PIPELINE)" $(if $(LAKE),--lake "$(LAKE)",--environment "$(ENV)")

readmit: jars ## Try all open rejects again, once a rule or the code is right: make readmit PIPELINE=movies [ENV=local | LAKE=folder]
	@$(BIN)/python scripts/$(if $(LAKE),run.py --lake "$(LAKE)",run_pipeline.py --environment "$(ENV)") --readmit --pipeline "$(PIPELINE)"

repair: jars ## Set a lake's tables back to what is published: make repair PIPELINE=movies LAKE=folder
	@$(BIN)/python scripts/run.py --repair --pipeline "$(PIPELINE)" --lake "$(LAKE)"

replay: jars ## Rebuild from raw beside the tables and compare: make replay PIPELINE=movies [ENV=local | LAKE=folder] [SWITCH=1: publish]
	@$(BIN)/python $(if $(LAKE),scripts/run.py --lake "$(LAKE)" $(if $(SWITCH),--switch,--replay),scripts/replay.py \
	  --environment "$(ENV)" $(if $(SWITCH),--switch)) --pipeline "$(PIPELINE)"

migrate: jars ## Bring tables to columns that are declared otherwise: make migrate PIPELINE=movies [ENV=local | LAKE=folder] [ACCEPT_LOSS=1]
	@$(BIN)/python $(if $(LAKE),scripts/run.py --lake "$(LAKE)",scripts/replay.py --environment "$(ENV)") --migrate \
	  $(if $(ACCEPT_LOSS),--accept-loss) --pipeline "$(PIPELINE)"

preview: jars ## Show which gold rows the code as it stands would change: make preview PIPELINE=movies LAKE=folder
	@$(BIN)/python scripts/preview.py --pipeline "$(PIPELINE)" --lake "$(LAKE)"

maintain: jars ## Compact a pipeline's tables, delete files that nobody needs: make maintain PIPELINE=movies [ENV=local | LAKE=folder]
	@$(BIN)/python scripts/$(if $(LAKE),run.py --lake "$(LAKE)",run_pipeline.py --environment "$(ENV)") --maintain --pipeline "$(PIPELINE)"

archive: jars ## Copy loaded raw files to the archive: make archive PIPELINE=retail [ENV=local | LAKE=folder]
	@$(BIN)/python scripts/$(if $(LAKE),run.py --lake "$(LAKE)",run_pipeline.py --environment "$(ENV)") --archive --pipeline "$(PIPELINE)"

erase: jars ## Erase a person from raw files, all tables and their past: make erase PIPELINE=retail PERSON=id [ENV=local | LAKE=folder]
	@$(if $(LAKE),$(BIN)/python scripts/run.py --erase --lake "$(LAKE)",PYTHONPATH=glue_scripts $(BIN)/python scripts/erase.py \
	  --environment "$(ENV)") --pipeline "$(PIPELINE)"

# `value` hands a text over as it was typed, through the environment: no $ or quote of it is expanded.
export QUERY_SQL := $(value SQL)
export GIVEN_KEY := $(value KEY)
export GIVEN_PERSON := $(value PERSON)

query: $(STAMP) ## Ask Athena, or a folder in Athena's SQL: make query SQL="select ..." [ENV=local | LAKE=folder]
	@$(BIN)/python scripts/query.py $(if $(LAKE),--lake "$(LAKE)",--environment "$(ENV)") "$$QUERY_SQL"

cost: $(STAMP) ## Show what a day of events costs on AWS, modelled: make cost EVENTS_PER_DAY=1000000 [RUNS=24]
	@$(BIN)/python scripts/cost.py --events-per-day "$(EVENTS_PER_DAY)" $(if $(RUNS),--runs "$(RUNS)")

doctor: ## Show what is needed, what is missing and how to get it
	@$(firstword $(wildcard $(BIN)/python) $(PYTHON)) scripts/doctor.py

bench: jars ## Measure the pipelines
	@$(BIN)/python benchmarks/measure.py

docs: jars ## Compute the tables of docs/bad-input.md anew
	@PYTHONPATH=glue_scripts:scripts $(BIN)/python -m tests.bad_input.page

clean: ## Stop the laptop cloud and delete what was built; keeps .venv and the jars
	@test ! -e build/cloud/cloud.json || $(BIN)/python scripts/local_cloud down
	rm -rf build .pytest_cache .ruff_cache .mypy_cache .hypothesis
