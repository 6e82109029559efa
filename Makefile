# make demo | test | test-all | lint | docs | lecture | benchmarks | wheel: each sets up .venv by itself on first use.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
# One thread for each process: small networks gain nothing from more, and spinning OpenMP threads slow one another.
export OMP_NUM_THREADS ?= 1

.PHONY: demo test test-all lint docs lecture benchmarks wheel clean

$(VENV)/ready: pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "zerosum needs Python >= 3.11; call make PYTHON=python3.11")'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --upgrade 'pip>=25.1'
	$(BIN)/pip install --quiet -c constraints.txt torch
	$(BIN)/pip install --quiet -c constraints.txt -e '.[watch,export]' --group dev
	if command -v chromium >/dev/null; then $(BIN)/pip install --quiet -c constraints.txt --group browser; fi
	@touch $@

demo: $(VENV)/ready
	$(BIN)/zerosum demo --out demo

test: $(VENV)/ready
	$(BIN)/python -m pytest -n 2 --dist loadgroup -m "not slow"

test-all: $(VENV)/ready
	$(BIN)/python -m pytest -n 2 --dist loadgroup

lint: $(VENV)/ready
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

$(VENV)/docs: $(VENV)/ready
	$(BIN)/pip install --quiet -c constraints.txt --group docs
	@touch $@

docs: $(VENV)/docs
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict --quiet

lecture: $(VENV)/docs
	$(BIN)/python docs/tools/lecture.py

benchmarks: $(VENV)/ready
	$(BIN)/python benchmarks/collect.py

wheel: $(VENV)/ready
	.ci/wheel $(abspath $(BIN))/python

clean:
	rm -rf $(VENV) demo dist site
