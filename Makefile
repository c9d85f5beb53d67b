# The habits of this project. `make help` lists them.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
CHROMIUM ?= $(shell command -v chromium || command -v chromium-browser || command -v google-chrome)
# A file stays with one process, in the order that it is in: what its tests share is made once, and the longest of them
# are not left for the end.
# Three, for two cores: many tests wait for a process to start, a lease to end, a worker to come back.
SIDE_BY_SIDE := -n 3 --dist loadfile --no-loadscope-reorder
# Only what is imported is compiled, once and for good, also where Python is told elsewhere to write nothing: without it
# every process would compile torch and the like anew, for eight seconds.
export PYTHONDONTWRITEBYTECODE :=
INSTALL := -m pip install --quiet --no-compile --disable-pip-version-check -r
ALL_MODULES := engine.serving.engine, engine.learning.prompt_tuning, engine.evaluation.metrics.of_arrays, webapp.server, workers.tasks

.DEFAULT_GOAL := help
.PHONY: help install install-dev run test lint format bench clean

help: ## Show what each target does
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-12s %s\n", $$1, $$2}'

$(VENV)/.installed: requirements.txt constraints.txt
	@echo "Installing into $(VENV) (torch is large: some minutes the first time)…"
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@$(BIN)/python $(INSTALL) requirements.txt
	@$(BIN)/python -c "import $(ALL_MODULES)"
	@touch $@

$(VENV)/.installed-dev: $(VENV)/.installed requirements-dev.txt
	@echo "Installing what tests and checks need…"
	@$(BIN)/python $(INSTALL) requirements-dev.txt
	@touch $@

install: $(VENV)/.installed ## Make the virtual environment .venv with the pinned requirements

install-dev: $(VENV)/.installed-dev ## The same, with what tests and checks need

run: install ## Start everything on http://127.0.0.1:7860
	@$(BIN)/python app.py

test: install-dev ## Run all tests, in a real browser too
	@test -n "$(CHROMIUM)" || { echo "The browser tests need Chromium. Install it with: sudo apt-get install -y chromium"; exit 1; }
	@CHROMIUM=$(CHROMIUM) $(BIN)/python -m pytest $(SIDE_BY_SIDE)

lint: install-dev ## Check style and types
	@$(BIN)/ruff check . && $(BIN)/ruff format --check . && $(BIN)/mypy && $(BIN)/oxlint --deny-warnings webapp/ui tests/webapp/ui

format: install-dev ## Put the code into its format
	@$(BIN)/ruff check --fix . && $(BIN)/ruff format .

bench: install-dev ## Run the benchmarks that end within minutes, and print their tables
	@$(BIN)/python -m benchmarks

clean: ## Remove the virtual environment and caches (the data folder stays)
	@rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache test-artifacts
