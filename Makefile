# Everything a newcomer needs, from a fresh clone. The work is in the programs and in .ci/; here are only the names.

BIN := .venv/bin
LOCK := uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header \
	--no-emit-index-url --no-emit-find-links

.PHONY: help env dev demo check test bench chaos soak fuzz format lock clean
.NOTPARALLEL:

help:
	@echo 'make demo    a small hospital on this machine, until Ctrl-C (ARGS="--exit --json FILE --state DIR --seed N")'
	@echo 'make env     only the environment: .venv, with the three programs in .venv/bin'
	@echo 'make test    every check and every test'
	@echo 'make check   the quick gate: format, lint, import contracts, types'
	@echo 'make bench   every benchmark, one JSON line each with its ratio'
	@echo 'make fuzz    a million spoilt inputs for everything that reads from outside (ARGS="--inputs N NAME")'
	@echo 'make soak    the real agent among devices that misbehave, MINUTES=20: one JSON object; ARGS="--state DIR" keeps it'
	@echo 'make chaos   the deterministic simulation of the sync (SEED=1 HOURS=24); the last line is one JSON object'
	@echo 'make format  put the code into the one format'
	@echo 'make lock    compile both locks again from pyproject.toml (needs uv; UPGRADE=--upgrade takes newer versions)'
	@echo 'make clean   remove everything that the above made'

env:
	@.ci/environment run

dev:
	@.ci/environment dev

demo: env
	@exec $(BIN)/wardstock-sim demo $(ARGS)

check: dev
	@$(BIN)/ruff format --check --quiet .
	@$(BIN)/ruff check --quiet .
	@$(BIN)/lint-imports --no-logo
	@$(BIN)/mypy

test: dev
	@.ci/system-parts
	@$(MAKE) --no-print-directory check
	@$(BIN)/pytest $(ARGS)

bench: dev
	@set -e; for name in $(basename $(notdir $(wildcard tests/bench/bench_*.py))); do $(BIN)/python -m "tests.bench.$$name"; done

fuzz: dev
	@$(BIN)/python -m tests.fuzz.streams $(ARGS)

soak: dev
	@$(BIN)/python -m tests.system.soak --minutes $(or $(MINUTES),20) $(ARGS)

chaos: dev
	@$(BIN)/python -m tests.simulation --seed "$(or $(SEED),1)" --hours "$(or $(HOURS),24)" $(ARGS)

format: dev
	@$(BIN)/ruff check --quiet --fix --exit-zero .
	@$(BIN)/ruff format .

lock:
	@command -v uv >/dev/null || { echo "make lock: expected uv on the PATH; install it (pip install uv) and retry" >&2; exit 1; }
	@$(LOCK) $(UPGRADE) pyproject.toml --extra edge --extra central --extra sim --group build --output-file requirements.lock
	@$(LOCK) $(UPGRADE) pyproject.toml --extra dev --constraint requirements.lock --output-file requirements-dev.lock

clean:
	@rm -rf .venv .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache build dist
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +
