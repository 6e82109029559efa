# make demo | test | test-all | lint | benchmarks: each sets up .venv by itself on first use.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
# One thread for each process: small networks gain nothing from more, and spinning OpenMP threads slow one another.
export OMP_NUM_THREADS ?= 1

.PHONY: demo test test-all lint benchmarks clean

$(VENV)/ready: pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "zerosum needs Python >= 3.11; call make PYTHON=python3.11")'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --upgrade 'pip>=25.1'
	$(BIN)/pip install --quiet -c constraints.txt torch
	$(BIN)/pip install --quiet -c constraints.txt -e '.[watch,export]' --group dev
	@touch $@

demo: $(VENV)/ready
	$(BIN)/zerosum demo --out demo

test: $(VENV)/ready
	$(BIN)/python -m pytest -n 2 -m "not slow"

test-all: $(VENV)/ready
	$(BIN)/python -m pytest -n 2

lint: $(VENV)/ready
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

benchmarks: $(VENV)/ready
	for script in benchmarks/[a-z]*.py; do $(BIN)/python $$script || exit 1; done

clean:
	rm -rf $(VENV) demo dist
