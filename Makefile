# Every task of this repository. `make help` lists them; each builds .venv first if it is not there.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
OUT ?= season

.DEFAULT_GOAL := help
.PHONY: help setup demo test clients check format bench bench-server docs lock clean

help: ## List the tasks
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: $(STAMP) ## Build .venv from the lock file, with crowdalpha in it

$(STAMP): requirements.lock pyproject.toml setup.py src/crowdalpha/scoring/_kernels.c
	@$(PYTHON) -c 'import sys; sys.exit(0 if sys.version_info >= (3, 11) else "crowdalpha needs Python 3.11 or newer: make setup PYTHON=python3.11")'
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@echo "installing the locked dependencies into $(VENV) (a minute, once)"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $@

demo: setup ## Play a whole season, print the result, leave a report in $(OUT)/
	@$(BIN)/crowdalpha demo --out $(OUT)

test: setup ## Run every test on two cores
	@$(BIN)/python -m pytest -n 2 --dist worksteal

clients: setup ## Install the releases of numerapi that the tests run, each in a folder of its own
	@$(BIN)/python -m tests.fixtures.clients

check: setup ## Format, lint, types and import contracts: what CI runs before the tests
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports

format: setup ## Format the code and apply safe fixes
	@$(BIN)/ruff format .
	@$(BIN)/ruff check --fix .

bench: setup ## Ratios against the peers, in one run; writes docs/reference/speed.md
	@$(BIN)/python -m bench --page docs/reference/speed.md

bench-server: setup ## Load and faults of a served platform: a round of 6,000 models, uploads, reads, 200 kills; half an hour
	@$(BIN)/python -m bench.server_rounds
	@$(BIN)/python -m bench.server_uploads
	@$(BIN)/python -m bench.server_reads
	@$(BIN)/python -m bench.server_kills

docs: setup ## Write the generated pages anew and build the documentation into site/
	@$(BIN)/python docs/generate.py
	@$(BIN)/mkdocs build --strict

lock: setup ## Compile requirements.lock anew from pyproject.toml, and what the tested clients need
	@$(BIN)/uv pip compile --quiet --all-extras --generate-hashes --no-strip-extras --no-emit-index-url \
		--no-emit-find-links --python-version 3.11 --custom-compile-command "make lock" --output-file requirements.lock pyproject.toml
	@$(BIN)/uv pip compile --quiet --generate-hashes --no-emit-index-url --no-emit-find-links --python-version 3.11 \
		--custom-compile-command "make lock" --output-file tests/numerapi/requirements.txt tests/numerapi/requirements.in

clean: ## Remove .venv, caches and what the tasks wrote
	rm -rf $(VENV) .clients build src/crowdalpha.egg-info src/crowdalpha/scoring/*.so .mypy_cache .ruff_cache .pytest_cache .hypothesis site $(OUT)
