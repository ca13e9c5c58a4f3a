# Everything there is to do with portalops from a clean clone. Needs Python 3.11+, make and git.
# Nothing of the system changes, but by SYSTEM=1: as root on Debian or Ubuntu, it installs the programs that tests need.

PYTHON ?=
export SYSTEM ?=
VENV := .venv/bin
WITH_PROGRAMS = $(VENV)/python scripts/system_packages.py $(if $(filter 1,$(SYSTEM)),--install) tests/system-packages.txt
PYTEST = $(WITH_PROGRAMS) $(VENV)/python -m pytest
WORKERS ?= 2

.DEFAULT_GOAL := help
.PHONY: help run test test-ci test-all coverage check mutants bench docs manuals completions wheelhouse deb lock set-up set-up-dev system-packages clean

help: ## list what can be made
	@awk -F ':.*## ' '/^[a-z-]+%?:.*## / { printf "  make %-16s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

run: set-up ## set up, then run the main job on the example portal and this machine
	@$(VENV)/python scripts/try_example.py

test: set-up-dev ## set up, then pass the tests, all but the long ones; with SYSTEM=1 those too that need programs of the system
	@$(PYTEST) -n $(WORKERS) -m "not heavy and not exhaustive"

# Faults at every place take hours; whole hosts and virtual machines need a mirror of Debian, and many minutes to be built.
test-ci: set-up-dev ## as test, and the long ones that need neither hours nor hosts of their own
	@$(PYTEST) -n $(WORKERS) -m "not exhaustive and not hosts and not vm"

test-all: set-up-dev ## as test, the long ones too
	@$(PYTEST) -n $(WORKERS)

coverage: set-up-dev ## as test, and show which lines no test reaches
	@$(PYTEST) -n $(WORKERS) -m "not heavy and not exhaustive" --cov --cov-report=term:skip-covered

check: set-up-dev ## lint, format, types, layers, catalogue, schemas
	$(VENV)/ruff check .
	$(VENV)/ruff format --check .
	$(VENV)/mypy
	$(VENV)/lint-imports
	$(VENV)/python scripts/check_generated.py

mutants: set-up-dev ## change the pure rules in small ways and see whether tests notice: all, or OF=backups/retention.py
	@nice -n 19 $(VENV)/python scripts/mutants.py $(if $(AGAIN),--again) $(OF)

bench: set-up-dev ## measure portalops beside the stock tools, and print ratios
	@$(VENV)/python -m bench

docs: set-up-dev ## make the site of the documentation in build/site, to be opened from there without a server
	@$(VENV)/python scripts/build_site.py

manuals: set-up ## write the manual pages, in English and Vietnamese, to build/manuals
	@$(VENV)/python scripts/build_manuals.py

completions: set-up ## write completion for bash, zsh and fish to build/completions
	@$(VENV)/python scripts/build_completions.py

new-%: set-up-dev ## begin a plug-in, such as new-medium NAME=dvd, new-check NAME=agents_refused ID=ssh.agent-refused
	@$(VENV)/python scripts/new_plugin.py $* "$(NAME)" $(if $(ID),--id "$(ID)")

# KEY=FILE signs it, UNSIGNED=1 leaves it unsigned; PYTHON_VERSIONS="3.13 3.11", AUDIT=FILE of an earlier build
wheelhouse: set-up-dev ## build in dist what installs portalops without a network: KEY=FILE or UNSIGNED=1
	@$(VENV)/python scripts/build_wheelhouse.py $(foreach each,$(PYTHON_VERSIONS),--python $(each)) \
		$(if $(AUDIT),--audit $(AUDIT)) $(if $(KEY),--signing-key $(KEY)) $(if $(UNSIGNED),--unsigned)

deb: wheelhouse ## build Debian packages around it
	@$(VENV)/python scripts/build_deb.py $(if $(KEY),--signing-key $(KEY)) $(if $(UNSIGNED),--unsigned)

lock: ## write the lock files anew from pyproject.toml
	@python="$$(scripts/find_python $(PYTHON))" && "$$python" scripts/lock.py

set-up: ## make .venv with what portalops needs to run
	@python="$$(scripts/find_python $(PYTHON))" && "$$python" scripts/set_up.py run

set-up-dev: ## make .venv with what tests and checks need too
	@python="$$(scripts/find_python $(PYTHON))" && "$$python" scripts/set_up.py dev

system-packages: set-up-dev ## install the programs that tests need, as root on Debian or Ubuntu; none starts a service
	@$(VENV)/python scripts/system_packages.py --install tests/system-packages.txt

clean: ## remove what set-up and runs have made, except for var/
	rm -rf .venv .cache .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache build *.egg-info
