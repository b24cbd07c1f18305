# What a person types in a clone. `make` alone lists the targets.
SHELL := /bin/bash
.DEFAULT_GOAL := help
BIN := .venv/bin
SOURCES = $(wildcard cli.py commands pipeline flows bench setup tests)
FAST := not slow and not judge and not prefect and not browser and not kill

# `make judge PATH=…` names what is judged in the variable in which the shell looks for programs: give that one back.
ifeq ($(origin PATH),command line)
JUDGED := $(PATH)
override PATH := $(HOME)/.local/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
endif
export YES PYTHON

.NOTPARALLEL:
.PHONY: help install install-test install-jhove demo test check lint bench judge lock licences vulnerabilities clean

help: ## list the targets
	@sed -n 's/^\([a-z-]*\):[^#]*## \(.*\)/  make \1|\2/p' $(firstword $(MAKEFILE_LIST)) | column -t -s '|'

install: ## bring what luutru needs to run: system packages, .venv, the command .venv/bin/luutru
	@bash setup/install.sh run

install-jhove: install ## bring JHOVE, a second judge of validity: asked where luutru.toml says jhove = true
	@bash setup/install.sh jhove

install-test:
	@bash setup/install.sh test

demo: install ## take every package of sample_packages/ the whole way, and show what came of each
	@$(BIN)/python setup/demo.py

test: install-test lint ## everything: lint, types, imports, and every test (what CI runs)
	$(BIN)/python -m pytest -n 2 --dist loadgroup $(TESTS)

check: install-test lint ## lint, types, imports and the fast tests
	$(BIN)/python -m pytest -n 2 --dist loadgroup -q -m "$(FAST)"

lint:
	$(BIN)/ruff check $(SOURCES)
	$(BIN)/mypy $(SOURCES)
	$(BIN)/lint-imports --no-logo

bench: install-test ## measure against the floor and, after bench/peers.sh, against other programs
	$(BIN)/python -m bench

judge: install-test ## ask the independent judges about a package, bag, DIP, PDF, storage root or store: make judge PATH=…
	@$(BIN)/python -m tests.judges $(if $(JUDGED),"$(JUDGED)")

lock: ## resolve requirements/*.in again into the locked lists
	@bash setup/lock.sh

licences: install-test ## write requirements/LICENCES.md from what is installed
	@$(BIN)/python setup/licences.py

vulnerabilities: install-test ## ask PyPI about known holes in the locked packages (needs the network; no part of the tests)
	@$(BIN)/pip-audit --disable-pip --require-hashes --strict -r requirements/runtime.txt

clean: ## remove what was made in this clone; what was fetched stays in the cache
	rm -rf .venv .judges build *.egg-info .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
