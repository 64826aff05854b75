# Everything a newcomer needs: `make demo` and `make test`. `make help` lists the rest.
#
# Each step leaves a stamp in .venv, so a second run reuses what is there, and a changed lock installs again.

SHELL := /bin/sh
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:

VENV := .venv
BIN := $(VENV)/bin
# Errors only: pip warns of much that nobody can act on here.
PIP := $(BIN)/python -m pip -qq --disable-pip-version-check

# Relative as a target, because make splits names at spaces; absolute for the programs, which may run elsewhere.
PACK := .cache/models/open
JS := .cache/js/.made
export FACEAUTH_MODELS_DIR := $(CURDIR)/.cache/models
export OMP_NUM_THREADS ?= 1

# A folder of people for `make demo`, a data set for `make bench`; both optional.
IMAGES ?=
DATA ?= ../shared/data/lfw

# How many processes run the tests; a file's tests stay together, because they share what is dear to make.
# One more than there are processors, because tests in a browser wait for it more than they work.
JOBS ?= $(shell expr $$(getconf _NPROCESSORS_ONLN) + 1)

.PHONY: help demo test lint types house check lock bench soak parity wheel clean

help: ## what can be made
	@sed -n 's/^\([a-z]*\):.*## \(.*\)/  make \1\t\2/p' Makefile | expand -t 16

demo: $(VENV)/.project $(PACK) ## the whole story in a terminal, on real photographs (IMAGES=folder of people)
	@$(BIN)/faceauth demo $(if $(IMAGES),--images "$(IMAGES)")

test: $(VENV)/.dev $(VENV)/.project $(PACK) $(JS) ## the tests (JOBS=1: one after the other; ARGS=…: for pytest)
	@$(BIN)/python -m pytest -m "not soak" --numprocesses $(JOBS) --dist loadfile --no-loadscope-reorder $(ARGS)

lint: $(VENV)/.dev $(VENV)/.project ## ruff: rules and format
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .

types: $(VENV)/.dev $(VENV)/.project ## mypy, strict
	@$(BIN)/mypy

house: $(VENV)/.dev $(VENV)/.project ## the rules of the house: which way imports run, who makes what
	@$(BIN)/python -m tests.house

check: lint types house test ## all four

bench: $(VENV)/.dev $(VENV)/.project $(PACK) ## everything that is measured, in one report (DATA=folder of people; QUICK=1: minutes)
	@$(BIN)/faceauth bench all $(if $(wildcard $(DATA)),--data "$(DATA)") $(if $(QUICK),--quick)

soak: $(VENV)/.dev $(VENV)/.project $(PACK) ## the long campaigns
	@$(BIN)/python -m pytest -m soak $(ARGS)

parity: $(VENV)/.dev $(VENV)/.project ## MiniFASNet against PyTorch, which is installed for it (some gigabytes)
	@$(PIP) install --upgrade 'pip>=25.1' && $(PIP) install --group parity
	@$(BIN)/python -m pytest tests/embed/test_minifasnet.py $(ARGS)

wheel: $(VENV)/.dev ## the wheel, into dist/
	@$(BIN)/python -m build --no-isolation --wheel

# The overrides keep opencv-python out: insightface asks for it, and it fights with opencv-python-headless.
COMPILE = uv pip compile pyproject.toml --all-extras --universal --python-version 3.11 --generate-hashes \
	--override requirements/overrides.txt --no-header --no-annotate --quiet

lock: ## the two locks, from pyproject.toml (needs uv)
	@command -v uv >/dev/null || { echo "make lock needs uv: python3 -m pip install uv" >&2; exit 1; }
	@$(COMPILE) --group dev -o requirements/dev.lock
	@$(COMPILE) --group run -c requirements/dev.lock -o requirements/run.lock

clean: ## what was made here: environment, models, caches, builds
	@rm -rf $(VENV) .cache dist build .mypy_cache .pytest_cache .ruff_cache .hypothesis
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +

# --- steps ----------------------------------------------------------------------------------------------------

# The first Python on the PATH that is new enough, or the one that PYTHON names.
$(VENV)/.made:
	@for python in $(or $(PYTHON),python3 python3.13 python3.12 python3.11 python); do \
	  if "$$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then \
	    echo "Making a virtual environment with $$("$$python" --version)"; \
	    "$$python" -m venv $(VENV) && touch $@ && exit 0; \
	    echo "The virtual environment could not be made (Debian and Ubuntu: apt-get install python3-venv)." >&2; \
	    exit 1; \
	  fi; \
	done; \
	echo "faceauth needs Python 3.11 or newer, and found none. Install one, or name it: make demo PYTHON=/path/to/python3" >&2; \
	exit 1

# Every file is checked against the SHA-256 in the lock, and nothing that the lock does not name is fetched.
$(VENV)/.run: $(VENV)/.made requirements/run.lock
	@echo "Installing what faceauth needs (the first time takes minutes, the next none)"
	@$(PIP) install --require-hashes --no-deps -r requirements/run.lock
	@touch $@

$(VENV)/.dev: $(VENV)/.run requirements/dev.lock
	@echo "Installing what the tests need"
	@$(PIP) install --require-hashes --no-deps -r requirements/dev.lock
	@touch $@

$(VENV)/.project: $(VENV)/.run pyproject.toml
	@$(PIP) install --no-deps --no-build-isolation -e .
	@touch $@

# For one test of the OpenID provider, which is skipped where there is no npm.
$(JS): tests/oidc/relying_party/package-lock.json
	@mkdir -p $(@D) && cp $(<D)/package.json $(<D)/package-lock.json $(@D)
	@if ! command -v npm >/dev/null; then echo "No npm here: the test with a JavaScript client will be skipped."; \
	elif (cd $(@D) && npm ci --ignore-scripts --no-audit --no-fund --silent); then touch $@; \
	else echo "openid-client was not installed: the test with it will be skipped."; fi

# Installing what is there already is quick and changes nothing; the folder's time is the stamp.
$(PACK): $(VENV)/.project faceauth/models/manifest.toml
	@$(BIN)/faceauth models install open
	@touch $@
