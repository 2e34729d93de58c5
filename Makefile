# What one does here. `make test` is the one command that checks everything; .ci/run calls it.
PYTHON ?= python3
VENV ?= .venv
UV ?= uv

BIN := $(VENV)/bin
READY := $(VENV)/.churnkit-installed

.PHONY: help demo test update lock

help: ## say this
	@sed -n 's/^\([a-z]*\):.*## /make \1\t/p' Makefile | expand -t 14

demo: $(READY) ## install what is needed, then show who is about to leave in the shipped example
	$(BIN)/churnkit score examples/orders.csv --top 10

test: $(READY) ## install what is needed, then check everything: format, lint, types, floors, tests
	$(BIN)/ruff format --check
	$(BIN)/ruff check
	$(BIN)/mypy
	$(BIN)/lint-imports --no-logo
	$(BIN)/pytest -n 2

update: $(READY) ## write the example and what the commands say now into README, docs and transcripts; read the diff
	$(BIN)/churnkit sample --quiet --output examples/orders.csv
	$(BIN)/pytest -q tests/test_transcripts.py tests/test_documents.py --update

lock: ## choose the newest versions that pyproject.toml allows (needs uv; only this target does)
	$(UV) pip compile --quiet --upgrade --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
	  --no-annotate --custom-compile-command "make lock" --all-extras --group dev pyproject.toml -o requirements/dev.lock

# Everything is installed from the lock, by hash; a touched file remembers that it is done.
$(READY): requirements/dev.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 14))' || \
	  { echo "churnkit needs Python 3.11, 3.12 or 3.13: make PYTHON=python3.12 ..." >&2; exit 1; }
	@echo "installing into $(VENV), this takes about a minute ..." >&2
	@$(PYTHON) -m venv $(VENV)
	@$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes -r requirements/dev.lock
	@$(BIN)/pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@
