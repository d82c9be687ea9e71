# make demo: see it work. make test: everything that must hold. Needs Python 3.11 or newer; the rest is set up here.
PYTHON ?= python3
BIN := .venv/bin

.PHONY: demo test fuzz format clean

demo: .venv/demo-ready
	$(BIN)/fhir-keta demo

test: .venv/test-ready
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/pytest

# a long comparison with HL7's validator on random changes; FHIR_KETA_FUZZ_SEED and FHIR_KETA_FUZZ_COUNT repeat or shorten it
fuzz: .venv/test-ready
	$(BIN)/python -m tests.oracle.fuzz

format: .venv/test-ready
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

.venv/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "fhir-keta needs Python 3.11 or newer: install it, or name it with make PYTHON=..." >&2; exit 2; }
	$(PYTHON) -m venv .venv

.venv/demo-ready: .venv/bin/python setup.cfg pyproject.toml
	$(BIN)/python -m pip install --quiet --editable .
	@touch $@

.venv/test-ready: .venv/bin/python setup.cfg pyproject.toml
	$(BIN)/python -m pip install --quiet --editable '.[test]'
	@touch $@ .venv/demo-ready

clean:
	rm -rf .venv .cache build dist *.egg-info tests/oracle/java/target tests/servers/hapi/target
