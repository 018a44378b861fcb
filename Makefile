# One entry point for people and CI. Every target does its own set-up.

VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.novum-ready
DEMO_FLAGS ?= --profile quick --seed 1
# A file stays in one process, so that its study is made once and its timings meet little else; whole studies go first.
PYTEST_FLAGS ?= -n auto --maxprocesses 4 --dist loadfile --no-loadscope-reorder

.DEFAULT_GOAL := help
.PHONY: help setup demo test test-torch check docs bench clean

help: ## Show this list
	@echo "make TARGET, where TARGET is one of:"
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  \1\t\2/p' $(MAKEFILE_LIST) | expand -t 14

setup: $(STAMP) ## Make .venv with the command .venv/bin/novum (1-5 minutes, 1.5 GB on disk)

$(STAMP): pyproject.toml scripts/setup.sh
	@bash scripts/setup.sh $(VENV)
	@touch $@

demo: setup ## One idea to an audited PDF and its review, without a key (about 10 minutes the first time)
	@bash scripts/demo.sh $(BIN)/novum $(DEMO_FLAGS)

test: setup ## Run the tests but those that train networks (under 15 minutes; fetches a model of 98 MB once)
	@echo "make test: fetches the test model once (98 MB), then runs pytest (some minutes; no network but loopback)."
	@$(BIN)/novum models pull smollm2-135m
	@$(BIN)/pytest $(PYTEST_FLAGS) -m "not torch"

test-torch: setup ## Run the tests that train networks (some 6 minutes; makes an environment of 1.1 GB with torch once)
	@echo "make test-torch: makes the environment of the PyTorch templates once (1.1 GB), then runs pytest (some 6 minutes)."
	@$(BIN)/novum template install grokking
	@$(BIN)/pytest $(PYTEST_FLAGS) -m torch

check: setup ## Format, lint, types, import rules, sizes, generated docs (under 2 minutes; no tests)
	@echo "make check: format, lint, types, import rules, sizes, generated docs (under 2 minutes)."
	@failed=0; \
	for step in "ruff format --check --quiet ." "ruff check --quiet ." "mypy" "lint-imports --no-logo" \
	    "python scripts/check_sizes.py" "python scripts/generate_docs.py --check"; do \
	  echo "-- $$step"; $(BIN)/$$step || failed=1; \
	done; \
	test $$failed = 0 || { echo "make check: failed; 'ruff format' and 'ruff check --fix' mend a part of it"; exit 1; }

docs: setup ## Write the generated pages of docs/ again
	@$(BIN)/python scripts/generate_docs.py

bench: setup ## Run every benchmark and print its figures (some minutes)
	@for file in benchmarks/*.py; do echo "== $$file"; $(BIN)/python $$file || exit 1; done

clean: ## Remove what was built; keeps lab/ and the cached models
	rm -rf $(VENV) build dist .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
