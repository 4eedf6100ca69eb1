# Everything a person types. Each target brings what it needs: `make run` works in a fresh clone.
.PHONY: help setup run test test-long lint format lock screenshots screens clean

help:
	@echo 'make run        the gateway, the console and a demo page, on this machine'
	@echo 'make test       every check and test, in forty minutes on two cores'
	@echo 'make test-long  the large runs: soaks, long state machines, faults'
	@echo 'make setup      .venv and web/node_modules (the others call it)'
	@echo 'make lint       format, lint, types and import rules, without the tests'
	@echo 'make format     writes the format, and what a linter can mend'
	@echo 'make lock       writes requirements/*.lock anew from pyproject.toml'
	@echo 'make screens      writes docs/screens and the transcripts anew: read the difference'
	@echo 'make screenshots  writes docs/screenshots anew from the demo page'
	@echo 'make clean      removes what was built; keeps .venv and web/node_modules'

setup:
	@scripts/setup

# exec: a signal reaches the server itself, which then stops in order.
run: setup
	@npm --prefix web run --silent build
	@exec .venv/bin/fanlight run --demo

test: setup
	@.venv/bin/python -m scripts.test_needs
	@exec .venv/bin/python -m scripts.checks

test-long: setup
	@.venv/bin/python -m scripts.test_needs
	@exec .venv/bin/python -m scripts.checks --long

lint: setup
	@exec .venv/bin/python -m scripts.checks --only lint

format: setup
	@.venv/bin/ruff format .
	@.venv/bin/ruff check --fix --exit-zero --silent .
	@npm --prefix web run --silent format

lock: setup
	@scripts/lock

screenshots: setup
	@.venv/bin/python -m scripts.test_needs
	@npm --prefix web run --silent build
	@exec .venv/bin/python -m scripts.screenshots

screens: setup
	@.venv/bin/python -m scripts.test_needs
	@npm --prefix web run --silent build
	@exec .venv/bin/pytest -q tests/browser/test_screens.py tests/browser/test_transcripts.py --retake

clean:
	@rm -rf build dist web/dist web/coverage web/.cache htmlcov test-results
	@rm -rf .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .coverage .coverage.*
	@find kb core gateway edge scripts tests -name __pycache__ -type d -prune -exec rm -rf {} + 2>/dev/null || true
