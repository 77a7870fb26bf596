# make demo   set everything up, train a network on shapes, measure difficulty, write the report
# make test   set everything up, run every test
# make quick  the tests to run while working     make check  style, types, import contract
PYTHON ?= python3
BIN := .venv/bin
SETUP := .venv/.set-up
TEST := OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n 2 --dist loadfile

.PHONY: demo test quick check format clean

demo: $(SETUP)
	$(BIN)/layerwise demo

test: $(SETUP)
	$(TEST)

quick: $(SETUP)
	$(TEST) -m "not slow"

check: $(SETUP)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

format: $(SETUP)
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

# Renewed when the dependencies change; the constraints keep the versions that CI tests.
$(SETUP): pyproject.toml constraints.txt
	@$(PYTHON) -c "import sys; sys.exit(sys.version_info < (3, 11))" || \
	  { echo "layerwise needs Python 3.11 or newer; this is $$($(PYTHON) --version). Give another: make PYTHON=python3.12 ..."; exit 2; }
	test -x $(BIN)/python || $(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --constraint constraints.txt torch
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable '.[dev]'
	touch $@

clean:
	rm -rf .venv .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache build dist src/*.egg-info
