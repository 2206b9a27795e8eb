# Plain `make` prints the targets; each installs what it needs into .venv first.
.DEFAULT_GOAL := help
.PHONY: help demo dev test check bench docs lock
PYTHON ?= python3
BIN := .venv/bin

help:  ## print this list
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  make \1\t\2/p' $(MAKEFILE_LIST) | expand -t 25

demo: .venv/installed  ## run the whole pipeline for three days on made-up services and show the result
	$(BIN)/movie-assets demo

PORT ?= 3000
dev: .venv/installed  ## open the catalogue in the Dagster web UI, on port 3000 or another: make dev PORT=3001
	@$(BIN)/movie-assets dev --port $(PORT)

test: .venv/installed  ## run the tests on a real Postgres
	$(BIN)/pytest -q -n auto --dist worksteal

.PHONY: chaos soak rehearsal ui
ui: .venv/installed  ## launch every kind of selection that the web UI offers, some ten minutes, on Dagster's own processes
	$(BIN)/pytest -q -n0 -m daemon movie_assets_tests/webserver/test_web_ui_selections.py

chaos: .venv/installed  ## run the fault matrix, some twenty minutes, and write docs/fault_matrix.md
	$(BIN)/python -m movie_assets_tests.chaos

soak: .venv/installed  ## live through thirty simulated days at 50,000 ids, with faults, on a deployment that stays up
	$(BIN)/python -m movie_assets_tests.soak --report docs/soak

rehearsal: .venv/installed  ## run thirty simulated days at 5,000 ids and compare each with an independent computation of the truth
	$(BIN)/python -m movie_assets_tests.rehearsal

.PHONY: postgres-matrix
postgres-matrix: .venv/installed  ## run the pipeline on other people's Postgres servers and write docs/postgres_matrix.md
	$(BIN)/python -m movie_assets_tests.postgres_matrix

.PHONY: release-test
release-test: .venv/installed  ## run every documented command and SQL statement, and the demo from an installed wheel, an upgrade of the last release; some six minutes
	$(BIN)/pytest -q -n0 -m release

.PHONY: containers-test
containers-test: .venv/installed  ## build the image and run deploy/compose.yaml on docker or podman, some twenty-five minutes: kills, backup, upgrade
	$(BIN)/pytest -n0 -m containers -rs -o log_cli=true --log-cli-level=INFO --tb=short --log-cli-format='%(asctime)s %(message)s' --log-cli-date-format=%H:%M:%S \
	  movie_assets_tests/deploy/test_containers.py

.PHONY: hostile-files
hostile-files: .venv/installed  ## import hostile files, and print the most memory that refusing each of them took
	$(BIN)/pytest -q -n0 -o log_cli=true --log-cli-level=INFO --log-cli-format='%(message)s' \
	  movie_assets_tests/histories/test_imports_of_trackers.py -k hostile

check: .venv/installed  ## run the linter, the formatter's check, the type checker and the contracts between rooms
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	MYPYPATH=bench $(BIN)/mypy --explicit-package-bases --exclude bench/peers bench  # the peers' libraries are not installed here
	$(BIN)/lint-imports --no-cache

.PHONY: newest-dagster
newest-dagster: .venv/installed  ## try the newest release of Dagster: is all there that runs/dagster_compat.py takes from it?
	$(PYTHON) -m venv .venv-newest
	.venv-newest/bin/pip install -q --disable-pip-version-check --upgrade dagster dagster-postgres
	PYTHONPATH=$(CURDIR) .venv-newest/bin/python -c 'import movie_assets.runs.dagster_compat, dagster; print("dagster", dagster.__version__, "has all of it")'

bench: .venv/installed  ## run every benchmark, two hours on two cores, and write bench/RESULTS.md
	$(BIN)/python bench/all.py

docs: .venv/installed  ## write docs/reference.md, the table of docs/settings.md, .env.example and movie_assets/runs/tables.json from the code and the database
	$(BIN)/python docs/make_reference.py

lock: .venv/installed  ## raise the versions in both lock files to the newest that agree
	$(BIN)/pip install -q uv
	$(BIN)/uv pip compile pyproject.toml --extra dev --universal --python-version 3.11 --upgrade \
	  --generate-hashes --no-emit-index-url --no-emit-find-links --no-strip-extras --no-header -q -o requirements.lock
	$(BIN)/uv pip compile pyproject.toml --extra deploy --extra exports --python-platform linux --python-version 3.11 --constraint requirements.lock \
	  --generate-hashes --no-emit-index-url --no-emit-find-links --no-strip-extras --no-header -q -o deploy/requirements.lock

.venv/installed: requirements.lock pyproject.toml
	$(PYTHON) -c 'import sys; sys.exit(0 if sys.version_info >= (3, 11) else "movie_assets needs Python 3.11 or newer; say which with make PYTHON=python3.11")'
	$(PYTHON) -m venv .venv
	$(BIN)/pip install -q --disable-pip-version-check --require-hashes -r requirements.lock
	$(BIN)/pip install -q --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $@
