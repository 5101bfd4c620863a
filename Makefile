# Commands for developers and operators; `make` lists them.
# Needs Python 3.11 or newer with venv, pip and make. The packages come from requirements.lock, and those for
# tests and checks from requirements-dev.lock, with hashes checked.

PYTHON ?= python3
SHELL := /bin/sh
BIN := .venv/bin
READY := .venv/.ready
# With the tools for tests and checks.
READY_DEV := .venv/.ready-dev
# Python keeps the compiled tests for the next run, whatever the environment says: compiling takes a worker 6 s.
KEEP_COMPILED := PYTHONDONTWRITEBYTECODE=
# One worker more than processors (tests/scheduling.py), each with a PostgreSQL of its own.
SIDE_BY_SIDE := -n auto --maxprocesses 4
.DEFAULT_GOAL := help

# The scripts in .venv contain absolute paths: set it up again when the checkout was moved or copied.
ifneq ($(shell cat $(READY) 2>/dev/null),$(CURDIR))
.PHONY: $(READY)
endif

.PHONY: help
help: ## Show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-10s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

.PHONY: setup
setup: $(READY) ## Set up .venv with what running needs; start nothing

.PHONY: run
run: $(READY) ## Set up, migrate, load the sample, start gateway and services (Ctrl-C stops all)
	@$(BIN)/python -m compileall -q services shared
	@$(BIN)/cleio up

# `only` is what pytest takes: a folder, a file or one test, such as tests/contract/test_feed.py::test_a_forged_cursor_is_refused
.PHONY: test
test: $(READY_DEV) ## Set up and run the tests, about 13 minutes on 2 slow processors (some of them: make test only=tests/unit/shared)
	@$(BIN)/python -m compileall -q services shared
	@$(KEEP_COMPILED) $(BIN)/python -m pytest -m "not full" $(if $(only),$(only),$(SIDE_BY_SIDE) --dist loadfile)

.PHONY: test-full
test-full: $(READY_DEV) ## Run all tests and their long versions (or only=...); what they measure goes to docs/figures.json
	@$(BIN)/python -m compileall -q services shared
ifdef only
	@$(BIN)/python -m pytest $(only)
else
	@rm -f docs/figures.json
	@$(BIN)/python -m pytest -m "not full" --figures=docs/figures.json $(SIDE_BY_SIDE) --dist loadfile
	@$(BIN)/python -m pytest -m "full and not alone" --figures=docs/figures.json $(SIDE_BY_SIDE) --dist worksteal
	@$(BIN)/python -m pytest -m "full and alone" --figures=docs/figures.json
endif

.PHONY: lint
lint: $(READY_DEV) ## Check style, format, types and import rules; changes nothing
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports --no-logo

.PHONY: fmt
fmt: $(READY_DEV) ## Format the code
	@$(BIN)/ruff check --fix-only --quiet .
	@$(BIN)/ruff format .
	@$(BIN)/caddy fmt --overwrite deploy/gateway/Caddyfile

.PHONY: bench
bench: $(READY_DEV) ## Measure the main calls and compare them
	@$(BIN)/cleio bench

.PHONY: migrate
migrate: $(READY) ## Migrate every database to the current schema
	@$(BIN)/cleio migrate

.PHONY: revision
revision: $(READY) ## New migration: make revision service=registry m="add the sites table"
	@$(BIN)/cleio revision "$(service)" "$(m)"

.PHONY: openapi
openapi: $(READY) ## Write docs/openapi/*.json from the services and report breaking changes
	@$(BIN)/cleio openapi
	@$(BIN)/python -m tests.tools.openapi_changes $(ref)

.PHONY: pictures
pictures: $(READY_DEV) ## Write docs/pictures/*.png, the main pages in a browser (url=... for a running system)
	@$(BIN)/python -m tests.browser.pictures $(if $(url),--url $(url))

.PHONY: sbom
sbom: $(READY_DEV) ## Write build/sbom.cdx.json (CycloneDX) and build/licences.md from the lock
	@mkdir -p build
	@$(BIN)/python -W ignore -m cyclonedx_py requirements requirements.lock --pyproject pyproject.toml \
		--output-reproducible --output-format JSON --output-file build/sbom.cdx.json
	@$(BIN)/python deploy/supply-chain/licences.py requirements.lock build/licences.md
	@echo "build/sbom.cdx.json build/licences.md"

.PHONY: audit
audit: $(READY_DEV) ## Check the locked packages for known vulnerabilities (needs the network)
	@$(BIN)/python deploy/supply-chain/audit.py requirements-dev.lock

UV_COMPILE = env -u UV_INDEX -u UV_DEFAULT_INDEX -u UV_INDEX_URL -u UV_EXTRA_INDEX_URL -u UV_FIND_LINKS $(BIN)/uv pip compile pyproject.toml \
	--universal --python-version 3.11 --generate-hashes --no-header --no-annotate --no-config --no-emit-index-url --no-emit-find-links --quiet

# The second lock adds the development tools; the versions of the first are kept.
.PHONY: lock
lock: $(READY) ## Resolve versions and write both lock files (upgrade=1 for the newest)
	@$(UV_COMPILE) --group build $(if $(upgrade),--upgrade) --output-file requirements.lock
	@$(UV_COMPILE) --group build --group dev --constraint requirements.lock $(if $(upgrade),--upgrade) --output-file requirements-dev.lock

$(READY): requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
		|| { echo "CLEIO needs Python 3.11 or newer; name one with: make PYTHON=/path/to/python3 ..." >&2; exit 1; }
	@$(PYTHON) -c 'import venv, ensurepip' 2>/dev/null \
		|| { echo "This Python has no venv module. On Debian and Ubuntu: apt install python3-venv" >&2; exit 1; }
	@if [ -e $(READY) ] && [ "$$(cat $(READY))" != "$(CURDIR)" ]; then rm -rf .venv; fi
	@PYTHON="$(PYTHON)" deploy/setup/install.sh requirements.lock
	@printf '%s' "$(CURDIR)" > $(READY)

$(READY_DEV): requirements-dev.lock $(READY)
	@PYTHON="$(PYTHON)" deploy/setup/install.sh requirements-dev.lock
	@deploy/setup/browser.sh
	@touch $(READY_DEV)
