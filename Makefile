# `make run` and `make test` are the two to start with; `make help` lists them all.
# ARGS is passed on to the command: make run ARGS="-p model=naive"
PYTHON ?= python3
ARGS ?=

VENV := .venv
BIN := $(VENV)/bin
PY := $(BIN)/python
UV := $(BIN)/uv

# Everything is installed from the one lock; each stamp adds the pins of an extra to what running needs.
RUNNING := $(VENV)/.installed
TESTING := $(VENV)/.installed-test
CHECKING := $(VENV)/.installed-dev
LAB := $(VENV)/.installed-lab
EXTRAS := $(VENV)/.installed-alpaca $(VENV)/.installed-yahoo $(VENV)/.installed-portfolio
SERVICE := $(VENV)/.installed-serve $(VENV)/.installed-postgres
DOCS := $(VENV)/.installed-docs

# The tests run in this many processes; TESTS narrows them down: make test TESTS=tests/market
WORKERS ?= 2
TESTS ?= tests
PYTEST := pytest --numprocesses=$(WORKERS) --dist=worksteal

# The modules that everything else imports are held at full branch coverage.
COVERAGE_FLOOR := 90
FOUNDATION := sta410kit/_internal/*,sta410kit/config.py,sta410kit/secrets.py,sta410kit/logging.py,$\
sta410kit/exceptions.py,sta410kit/validation.py

.DEFAULT_GOAL := help
.NOTPARALLEL:
.PHONY: help install extras run test test-all test-nightly nbval regress lab docs site pictures notebooks check benchmark calibrate \
	peers build lock clean

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' Makefile

install: $(TESTING) $(CHECKING) $(LAB) ## make .venv with the kit and everything a developer needs

extras: $(RUNNING) $(EXTRAS) ## add what live prices and covariance-based weights need

run: $(RUNNING) ## run the six notebooks on the embedded prices
	$(BIN)/sta410 run $(ARGS)

test: $(TESTING) ## run the fast tests, then compare the notebooks with their committed outputs
	$(PY) -m $(PYTEST) -m "not slow" $(TESTS) $(ARGS)
	$(AT_DEFAULTS) $(PY) -m $(NBVAL)

test-all: $(TESTING) $(LAB) ## run all tests, the slow ones too, and hold their coverage to its floor
	$(PY) -m coverage erase
	$(PY) -m coverage run -m $(PYTEST) $(TESTS) $(ARGS)
	$(PY) -m coverage combine --quiet
	$(PY) -m coverage report --fail-under=$(COVERAGE_FLOOR)
	$(PY) -m coverage report --include="$(FOUNDATION)" --fail-under=100

test-nightly: $(TESTING) $(LAB) ## run all tests with ten times the examples, in the full form of soak, kill and load tests
	TEST_PROFILE=nightly $(PY) -m $(PYTEST) $(TESTS) $(ARGS)
	$(PY) benchmarks/kill_and_resume.py --kills 20

nbval: $(TESTING) ## only compare the notebooks with their committed outputs
	$(AT_DEFAULTS) $(PY) -m $(NBVAL)

regress: $(TESTING) ## sta410 regress, also against a run: make regress ARGS="--reference RUN"
	$(AT_DEFAULTS) $(BIN)/sta410 regress $(ARGS)

# The committed outputs are those of the defaults; the environment wins over what a developer has in .env.
AT_DEFAULTS := set -a && . ./.env.example && STA410_LEDGER=$$(mktemp -d)/trials.sqlite && set +a &&

# Cells run in their order, so without pytest-randomly; nbval never closes its handle on /dev/null.
NBVAL := pytest notebooks --numprocesses=$(WORKERS) --dist=loadfile -p no:randomly \
	--nbval --nbval-kernel-name sta410 --nbval-sanitize-with notebooks/nbval_sanitize.cfg \
	-W "ignore:unclosed file <_io.TextIOWrapper name='/dev/null':ResourceWarning"

lab: $(LAB) ## open JupyterLab on the notebooks (as root: make lab ARGS=--allow-root)
	$(BIN)/sta410 lab $(ARGS)

docs: $(RUNNING) ## open the data docs of the last run
	$(BIN)/sta410 docs $(ARGS)

site: $(CHECKING) ## build the documentation in docs/_build/html; a warning is an error
	$(PY) -m $(SPHINX)

SPHINX := sphinx --fail-on-warning --keep-going --quiet docs docs/_build/html

pictures: $(CHECKING) $(LAB) ## take the pictures of README and docs from the product (needs chromium); look at each
	$(PY) scripts/pictures.py

notebooks: $(CHECKING) ## execute every notebook in place, on its defaults, to refresh the committed outputs
	$(AT_DEFAULTS) $(PY) -m nbconvert --to notebook --execute --inplace --ExecutePreprocessor.record_timing=False \
		--ExecutePreprocessor.kernel_name=sta410 notebooks/*.ipynb

check: $(CHECKING) ## lint, format check, types, layers; image and compose file; documentation
	$(PY) -m ruff check .
	$(PY) -m ruff format --check .
	$(PY) -m mypy
	$(BIN)/lint-imports
	$(BIN)/hadolint Dockerfile
	$(BIN)/check-jsonschema --quiet --builtin-schema vendor.compose-spec docker-compose.yml
	$(PY) -m $(SPHINX)

benchmark: $(TESTING) peers ## measure the kit beside its peers, one after the other (one alone: BENCHMARKS=chain)
	@missed=""; for name in $(BENCHMARKS); do \
		case $$name in features|backtest) python=.venv-peers/bin/python ;; *) python=$(PY) ;; esac; \
		printf '\n== %s\n' $$name; $$python benchmarks/record.py bench_$$name $(ARGS) || missed="$$missed $$name"; \
	done; [ -z "$$missed" ] || { echo "a reach was missed:$$missed"; exit 1; }

BENCHMARKS := startup kernels chain sweep gate leaks redaction features walk_forward backtest store service

calibrate: $(RUNNING) ## measure how often verdict and intervals err, where the truth is known
	$(PY) benchmarks/record.py calibrate_skill $(ARGS)
	$(PY) benchmarks/record.py calibrate_intervals

peers: install ## make .venv-peers: the same pins, and beside them the packages that benchmarks compare with
	$(UV) venv --quiet --allow-existing --python $(PY) .venv-peers
	$(UV) pip sync --python .venv-peers/bin/python --require-hashes --compile-bytecode requirements.txt benchmarks/peers.txt
	$(UV) pip install --python .venv-peers/bin/python --no-deps --no-build-isolation --editable .

build: $(UV) ## build the wheel and the source archive, with the pinned build backend
	rm -rf dist
	$(UV) build --require-hashes --build-constraint requirements.txt

lock: $(UV) ## refresh requirements.txt (newest of everything: make lock ARGS=--upgrade)
	$(UV) pip compile --quiet --universal --python-version 3.11 --all-extras --generate-hashes \
		--no-emit-index-url --custom-compile-command "make lock" $(ARGS) \
		--output-file requirements.txt pyproject.toml
	$(UV) pip compile --quiet --universal --python-version 3.11 --generate-hashes \
		--no-emit-index-url --custom-compile-command "make lock" --constraint requirements.txt $(ARGS) \
		--output-file benchmarks/peers.txt benchmarks/peers.in

clean: ## remove what tests and builds leave; .venv and runs stay
	rm -rf build dist htmlcov .coverage .coverage.* .hypothesis .import_linter_cache .mypy_cache .pytest_cache .ruff_cache
	find . -name __pycache__ -type d -not -path './$(VENV)/*' -prune -exec rm -rf {} +

$(UV):
	@PYTHON="$(PYTHON)" scripts/make_venv.sh $(VENV)

# Bytecode is written now, whatever PYTHONDONTWRITEBYTECODE says: without it first starts take seconds.
PINNED := $(UV) pip install --python $(PY) --require-hashes --compile-bytecode --constraint requirements.txt \
	--requirement pyproject.toml

$(RUNNING): requirements.txt pyproject.toml | $(UV)
	$(PINNED) --extra build
	$(UV) pip install --python $(PY) --no-deps --no-build-isolation --editable .
	$(PY) -m compileall -q sta410kit
	touch $@

$(TESTING) $(CHECKING) $(LAB) $(EXTRAS) $(SERVICE) $(DOCS): $(VENV)/.installed-%: $(RUNNING)
	$(PINNED) --extra $*
	touch $@
