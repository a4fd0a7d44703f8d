# The two commands of the README are `make demo` and `make test`; `make help` lists the rest.

VENV := .venv
BIN := $(VENV)/bin
# ratedb needs Python 3.11 or 3.12; with 3.11 on Linux it also has real RADEX.
PYTHON ?= $(shell command -v python3.11 || command -v python3)
# Let Python keep what it compiles: each process would compile TensorFlow and the like again (10 s).
unexport PYTHONDONTWRITEBYTECODE

.PHONY: help demo test test-all lint format generate docs site corpus bench-store bench-merge bench-models bench-corpus bench-vibration bench-tops bench-derived bench-temperatures bench-planner bench-quality bench-readers bench-impact bench-exports bench-roundtrip bench-lake bench-kills bench-waiting bench-report bench-serve bench-solvers dist clean

help: ## list the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed 's/:.*## /\t/'

$(VENV)/ready: pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info[:2] not in ((3, 11), (3, 12)))' || \
	  { echo "ratedb needs Python 3.11 or 3.12; found: $(PYTHON). Name another: make PYTHON=/path/to/python3.11"; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || \
	  { echo "this Python has no venv module (on Debian: apt install python3-venv)"; exit 1; }
	@echo "making the environment in $(VENV) (some 3 GB; a few minutes)"
	$(PYTHON) -m venv --clear $(VENV)
	$(BIN)/python -m pip install --quiet --no-compile --disable-pip-version-check --constraint constraints.txt --editable '.[radex,plots,report,serve,dask,notebook,astropy,lake,docs,dev]'
	touch $@

demo: $(VENV)/ready ## the whole job on real data: plan, train, fill, evaluate, export, RADEX, picture
	$(BIN)/ratedb demo

test: $(VENV)/ready ## the fast tests (a few minutes on two cores)
	$(BIN)/python -m pytest --numprocesses 2 --dist loadfile --no-loadscope-reorder -m "not slow"

test-all: $(VENV)/ready ## all tests, slow ones included (some ten minutes on two cores)
	$(BIN)/python -m pytest --numprocesses 2 --dist loadfile --no-loadscope-reorder

lint: $(VENV)/ready ## format, style and types
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy

format: $(VENV)/ready ## fix format and style
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

generate: $(VENV)/ready ## write what is generated: command reference, notebook's outputs, README's demo output, pictures
	$(BIN)/python docs/generate.py

docs: site ## build the documentation site and show it at http://127.0.0.1:8001/ (Ctrl-C ends it)
	cd build/site && ../../$(BIN)/python -m http.server --bind 127.0.0.1 8001

site: $(VENV)/ready ## build the documentation site in build/site; a warning is an error
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict --quiet

dist: $(VENV)/ready ## build and check a release: source, wheel, metadata; install the wheel into an empty environment (5 min, 3 GB)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable '.[dist]'
	rm -rf build dist
	$(BIN)/python -m build
	$(BIN)/python -m twine check --strict dist/*
	$(BIN)/python .ci/check_dist.py dist

corpus: $(VENV)/ready ## learn the corpus again from the real data sets (6 min), into ratedb/models/corpus/corpus.json
	$(BIN)/python benchmarks/corpus.py

bench-store: $(VENV)/ready ## stores of 1e6, 1e7 and 1e8 values: seconds and memory of commands, and their growth (20 min, 5 GB of disk)
	$(BIN)/python benchmarks/store.py

bench-merge: $(VENV)/ready ## two stores of 1e6 values, half shared: merge, backup, publish, open; seconds and memory (1 min)
	$(BIN)/python benchmarks/merge.py

bench-models: $(VENV)/ready ## models on real data, next to interpolation and the IOS law (1-2 h); FILE=my.dat: on your own file
	$(BIN)/python benchmarks/models.py $(FILE)
	$(if $(FILE),,$(BIN)/python benchmarks/times.py)

bench-corpus: $(VENV)/ready ## models of molecules that the corpus does not have: errors, intervals by place, random splits (20 min)
	$(BIN)/python benchmarks/unseen.py

bench-vibration: $(VENV)/ready ## ro-vibrational sets from few initial j: errors by dv, intervals, seconds (6 min)
	$(BIN)/python benchmarks/vibration.py

bench-tops: $(VENV)/ready ## tops and pairs from few initial states, next to group means: errors, intervals, choices (15 min)
	$(BIN)/python benchmarks/tops.py

bench-derived: $(VENV)/ready ## hyperfine rates by recoupling, effective and thermal sums of pairs, next to published ones; half widths of sums (1 min)
	$(BIN)/python benchmarks/derived.py

bench-temperatures: $(VENV)/ready ## interpolation between temperatures on thinned published grids (seconds)
	$(BIN)/python benchmarks/temperatures.py

bench-planner: $(VENV)/ready ## training sets: the search over all, and those chosen in advance, on five systems (1 h)
	$(BIN)/python benchmarks/planner.py
	$(BIN)/python benchmarks/variance.py
	$(BIN)/python benchmarks/next_j.py

bench-quality: $(VENV)/ready ## quality control: false alarms, natural defects and seeded faults on real data (10 min)
	$(BIN)/python benchmarks/quality.py

bench-readers: $(VENV)/ready ## readers: cross sections, rates, seconds; 20,000 broken files for each (1 h)
	$(BIN)/python benchmarks/readers.py
	$(BIN)/python benchmarks/fuzz.py

bench-impact: $(VENV)/ready ## whether impact's intervals of line fluxes hold on held-out rates (4 min)
	$(BIN)/python benchmarks/impact.py

bench-exports: $(VENV)/ready ## every LAMDA file exported and read by ratedb, astroquery (ASTROQUERY_PYTHON=python) and RADEX; 1e6 values (5 min)
	$(BIN)/python benchmarks/exports.py

bench-roundtrip: $(VENV)/ready ## every LAMDA file through a store: numbers that are others afterwards, which must be none; FILES=folder (3 min)
	$(BIN)/python benchmarks/roundtrip.py $(FILES)

bench-lake: $(VENV)/ready ## a lake in PostgreSQL (apt install postgresql), two writers, one killed at random moments, 1e6 values (10 min)
	RATEDB_LONG_TESTS=1 $(BIN)/python -m pytest tests/store/test_lake.py tests/store/test_lake_writers.py -k 'in_postgresql or server'
	$(BIN)/python benchmarks/lake.py

bench-kills: $(VENV)/ready ## 200 kills of commands at their N-th write: what is half, lost or left over (5 min)
	$(BIN)/python benchmarks/kills.py

bench-waiting: $(VENV)/ready ## 8 readers and 2 writers of one store for a minute: failures and the longest call
	$(BIN)/python benchmarks/waiting.py

bench-report: $(VENV)/ready ## pages of systems: seconds, bytes, and what a browser says of them (1 min)
	$(BIN)/python benchmarks/report_page.py

bench-serve: $(VENV)/ready ## a server of 1e6 values under load: requests a second, and how long they take (2 min)
	$(BIN)/python benchmarks/serve.py

bench-solvers: $(VENV)/ready ## RADEX and ratedb's own solver on every LAMDA file of spectralradex (5 min)
	$(BIN)/python benchmarks/solvers.py

clean: ## remove the environment and caches
	rm -rf $(VENV) build dist *.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis
