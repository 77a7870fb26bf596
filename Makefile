# make demo   set everything up, train a network on shapes, measure difficulty, write the report
# make test   set everything up, run every test
# make quick  the tests to run while working     make check  style, types, import contract, the page as built
# make page   build the explorer's page from webapp/
PYTHON ?= python3
BIN := .venv/bin
SETUP := .venv/.set-up
TEST := OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n 2 --dist loadfile

# Node comes with the Python packages; nothing else has to be installed to build the page.
NPM := cd webapp && PATH="$(CURDIR)/$(BIN):$$PATH" npm
PARTS := webapp/node_modules/.package-lock.json
PAGE := src/layerwise/web/static

.PHONY: demo test quick check page page-tests format clean

demo: $(SETUP)
	$(BIN)/layerwise demo

test: $(SETUP) page-tests
	$(BIN)/python tests/browser/chromium.py
	$(TEST)

page-tests: $(PARTS)
	$(NPM) test

quick: $(SETUP) page-tests
	$(TEST) -m "not slow"

check: $(SETUP) $(PARTS)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(NPM) run build -- --outDir build --logLevel warn
	diff -r webapp/build $(PAGE) || { echo "The page in $(PAGE) is not what webapp/ builds. Build it: make page"; exit 1; }

page: $(SETUP) $(PARTS)
	$(NPM) run build

format: $(SETUP)
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

# Renewed when the dependencies change; the constraints keep the versions that CI tests.
$(SETUP): pyproject.toml constraints.txt
	@$(PYTHON) -c "import sys; sys.exit(sys.version_info < (3, 11))" || \
	  { echo "layerwise needs Python 3.11 or newer; this is $$($(PYTHON) --version). Give another: make PYTHON=python3.12 ..."; exit 2; }
	@echo "Setting up .venv: some minutes the first time, some gigabytes where torch comes with CUDA."
	test -x $(BIN)/python || $(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --constraint constraints.txt torch
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable '.[dev]'
	touch $@

$(PARTS): webapp/package.json webapp/package-lock.json | $(SETUP)
	$(NPM) ci --no-audit --no-fund --loglevel error
	touch $@

clean:
	rm -rf .venv webapp/node_modules webapp/build .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache build dist src/*.egg-info
