# Two commands do everything: `make run` and `make test`. `make help` lists the rest.
.DEFAULT_GOAL := help
PYTHON ?= python3
VENV := .venv
PY := $(VENV)/bin/python
WORKERS := -n auto --maxprocesses 8
unexport PYTHONDONTWRITEBYTECODE # each of many processes would compile everything anew

.PHONY: help run demo test test-fast lint format bench chaos screenshots messages docs outdated clean

help: ## what there is
	@grep -E '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-13s %s\n", $$1, $$2}'

$(VENV)/.run: requirements.txt requirements-redis.txt constraints.txt
	@test -x $(PY) || $(PYTHON) -c 'import sys; sys.exit("Python 3.11 or newer is needed") if sys.version_info < (3, 11) else None'
	@test -x $(PY) || $(PYTHON) -m venv $(VENV) || { rm -rf $(VENV); exit 1; }
	@echo "installing what a hall needs …"
	@$(PY) -m pip install --quiet --disable-pip-version-check -r requirements.txt
	@$(PY) -m workers.embedded 2>/dev/null || $(PY) -m pip install --quiet --disable-pip-version-check -r requirements-redis.txt
	@touch $@

$(VENV)/.dev: $(VENV)/.run requirements-dev.txt
	@echo "installing what tests and checks need …"
	@$(PY) -m pip install --quiet --disable-pip-version-check -r requirements-dev.txt
	@touch $@

.PHONY: assets
assets: $(VENV)/.run ## fetch what pages, screens and papers are made of
	@$(PY) -m tools.assets
	@$(PY) -m tools.translations compile

run: assets ## a whole hall on http://127.0.0.1:8000, nothing to install
	@exec $(PY) -m workers launch

demo: assets ## the same, with simulated citizens and clerks at work
	@exec $(PY) -m workers launch --simulate

test: assets $(VENV)/.dev ## every test, on both databases and in a real browser
	@$(PY) -m tools.ready
	$(PY) -m pytest $(WORKERS) --dist worksteal --ignore tests/browser -m "not slow"
	$(PY) -m pytest -n 2 --dist loadgroup -m "slow or browser"

test-fast: assets $(VENV)/.dev ## the rules and the actions on SQLite: the quick loop
	$(PY) -m pytest $(WORKERS) --dist worksteal tests/rules tests/actions -k "not postgresql"

lint: $(VENV)/.dev ## style, imports, translations, generated pages
	$(VENV)/bin/ruff check .
	$(VENV)/bin/ruff format --check .
	$(VENV)/bin/lint-imports
	$(PY) -m tools.translations check
	$(PY) -m tools.docs --check

format: $(VENV)/.dev ## put code into form
	$(VENV)/bin/ruff check --fix .
	$(VENV)/bin/ruff format .

bench: assets $(VENV)/.dev ## how fast, as ratios; writes benchmarks/results/
	$(PY) -m benchmarks

chaos: assets $(VENV)/.dev ## kill processes under load and check the history
	$(PY) -m benchmarks.chaos

screenshots: assets $(VENV)/.dev ## pictures of the pages for the README
	$(PY) -m tools.screenshots

messages: $(VENV)/.dev ## collect sentences for translation
	$(PY) -m tools.translations update

docs: $(VENV)/.dev ## write the generated pages of docs/
	$(PY) -m tools.docs

outdated: $(VENV)/.dev ## which pinned versions are behind
	$(PY) -m pip list --outdated

clean: ## remove what was built; data in var/ stays
	rm -rf $(VENV) node_modules app/web/static/vendor displays/static/vendor app/notices/fonts/*.ttf
