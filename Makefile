# make quickstart: set up, then a small grid and its report. make test: set up, then the tests.
PYTHON ?= python3
BIN := .venv/bin
READY := .venv/.ready

TABLES := sub_imagenet intel mit_224 mit_512

.PHONY: help setup quickstart paper paper-full check site test test-slow test-slurm bench format clean

help:
	@echo "make quickstart   set up .venv, train 25 small cells and write their report (about a minute on 2 cores, after some minutes of set-up)"
	@echo "make paper        the paper's four tables, one after another; ARGS='seed=0,1,2 grid.plan=true' goes to each"
	@echo "make paper-full   three datasets x four backbones x six heads at 224 and 512 px: 144 cells, for GPUs; ARGS='grid.plan=true' tells their hours"
	@echo "make test         set up .venv and run the quick tests"
	@echo "make test-slow    the slow tests: whole grids, kills at random moments"
	@echo "make test-slurm   Slurm's own daemons, on this machine, as root (5 minutes); docs/clusters.md says what to install"
	@echo "make bench        every benchmark beside its peer, and docs/benchmarks.md (about 1.5 hours, nothing else running)"
	@echo "make check        lint, format, types, import directions, the docs site"
	@echo "make site         the docs site, to build/site/index.html"
	@echo "make format       let ruff rewrite the files"

setup: $(READY)

# Skipped while neither file has changed. constraints.txt holds the versions that were tested.
$(READY): pyproject.toml constraints.txt
	@echo "Setting up .venv (PyTorch is large: this takes some minutes the first time)"
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable '.[dev]'
	@touch $@

quickstart: $(READY)
	$(BIN)/python train.py experiment=quickstart $(ARGS)
	$(BIN)/wisesr report quickstart

# The four in turn, whichever fails; Ctrl-C ends them all. The same command goes on where it was left.
paper: $(READY)
	@failed=; for table in $(TABLES); do \
	  echo "== paper_$$table"; \
	  $(BIN)/python train.py experiment=paper_$$table $(ARGS); code=$$?; \
	  if [ $$code -eq 130 ]; then exit 130; elif [ $$code -ne 0 ]; then failed="$$failed paper_$$table"; fi; \
	done; \
	if [ -n "$$failed" ]; then echo "not done:$$failed" >&2; exit 1; fi

# One grid: it resumes, and goes round what fails, by itself.
paper-full: $(READY)
	$(BIN)/python train.py experiment=paper_full $(ARGS)

check: $(READY) site
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

# A link that leads nowhere, a page that is in no menu or a warning of any kind is an error. The variable silences an advertisement.
site: $(READY)
	$(BIN)/python -m docs.site
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict --quiet

# A file of tests stays in one process, as its fixtures are made once.
test: $(READY)
	$(BIN)/python -m pytest --numprocesses auto --maxprocesses 4 --dist loadfile

test-slow: $(READY)
	$(BIN)/python -m pytest -m slow

test-slurm: $(READY)
	$(BIN)/python -m pytest -m 'slurm and not slow' tests/slurm

bench: $(READY)
	$(BIN)/python benchmarks/page.py $(ARGS)

format: $(READY)
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

clean:
	rm -rf .venv build dist *.egg-info .pytest_cache .mypy_cache .ruff_cache .import_linter_cache
