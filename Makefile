# `make` alone prints this help. Everything is installed into .venv and static/vendor, nothing system-wide
# except the Debian packages of the browser tests.
ARGS ?=
PY := .venv/bin/python
.DEFAULT_GOAL := help
.PHONY: help run setup lint check test test-long bench bench-janus clean

help: ## this list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-10s %s\n", $$1, $$2}'

run: setup ## everything to a working demo: http://localhost:8080 (ARGS="--tls --public" for other machines)
	@exec $(PY) -m server demo --data data $(ARGS)

setup: ## install what `make run` needs, start nothing
	@deploy/setup.sh run

lint:
	@deploy/setup.sh dev
	$(PY) -m ruff format --check server signaling media tests
	$(PY) -m ruff check server signaling media tests
	$(PY) -m mypy
	@PATH="$$PATH:$(CURDIR)/.venv/bin"; node static/node_modules/typescript/bin/tsc -p static && node --test static/js/

check: lint ## format, lint, types, unit tests: about a minute
	$(PY) -m pytest tests/unit -q

test: lint ## everything CI runs, real browsers included: under 25 minutes
	@deploy/setup.sh browsers
	@tests/all.sh

test-long: check ## kill series, soaks and matrices: under 80 minutes
	@deploy/setup.sh browsers
	@tests/long.sh

bench: setup ## CPU per forwarded packet, latency, memory; cost of recording and finalising
	$(PY) -m server bench media --rooms 4 --seconds 20 --json
	$(PY) -m server bench media --rooms 4 --seconds 20 --layered --json
	$(PY) -m server bench cost --rooms 4 --json
	$(PY) -m server bench cost --rooms 12 --json
	$(PY) -m server bench scale --rooms 24 --workers 1 --times 1 --json
	$(PY) -m server bench scale --rooms 28 --workers 2 --json
	$(PY) -m server bench scale --rooms 28 --workers 2 --times 1 --joins 20 --json
	$(PY) -m server bench flood --kind junk --json
	$(PY) -m server bench flood --kind stun --json
	$(PY) -m server bench recording --parties 4 --seconds 600 --json

bench-janus: setup ## the same beside Debian's Janus, in turns (apt install janus)
	$(PY) -m server bench cost --rooms 4 --janus --json
	$(PY) -m server bench cost --rooms 12 --gate 0 --janus --json

clean: ## remove what was installed (recordings in data/ stay)
	rm -rf .venv static/vendor static/node_modules
