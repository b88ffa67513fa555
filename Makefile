# One word runs each thing; every target sets up what it needs in its own virtual environment.
PYTHON ?= python3
VENV ?= .venv
# on Linux the plain name brings CUDA libraries; point pip at a CPU build, or set TORCH, if they are not wanted
TORCH ?= torch==2.13.0
BIN = $(VENV)/bin
export OMP_NUM_THREADS ?= 1
export TOKENIZERS_PARALLELISM ?= false

.PHONY: demo test check bench docs lab clean help
help:  ## what there is
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

demo: $(VENV)/.lab  ## post-train a small vision-language model in minutes and open the report it writes
	$(BIN)/sightline demo --folder runs/demo

test: $(VENV)/.test  ## all tests, doctests included
	$(BIN)/python -m pytest -n 2 --dist loadgroup

check: $(VENV)/.dev  ## format, lint, types, import walls
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy src/sightline
	$(BIN)/lint-imports

bench: $(VENV)/.test  ## speed beside what people use today, as ratios
	$(BIN)/python benchmarks/rewards.py
	$(BIN)/python benchmarks/metrics.py
	$(BIN)/python benchmarks/sets.py
	$(BIN)/python benchmarks/rankings.py
	$(BIN)/python benchmarks/train_step.py
	$(BIN)/python benchmarks/million.py
	$(BIN)/python benchmarks/scale.py
	$(BIN)/python benchmarks/judge_client.py
	$(BIN)/python benchmarks/loglik.py
	$(BIN)/python benchmarks/vppo_step.py
	$(BIN)/python benchmarks/hostile.py
	$(BIN)/python benchmarks/server.py

lab: $(VENV)/.lab  ## every experiment, with its table in docs/lab
	for slug in $$($(BIN)/sightline systems --names); do $(BIN)/sightline lab $$slug --out docs/lab/$$slug.md || exit 1; done

docs: $(VENV)/.docs  ## the documentation site, into site/
	NO_MKDOCS_2_WARNING=1 $(BIN)/python -m mkdocs build --strict --quiet

clean:  ## the virtual environment and all that was built
	rm -rf $(VENV) site build dist runs

$(VENV)/.base: pyproject.toml
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade pip
	$(BIN)/python -m pip install --quiet "$(TORCH)"
	touch $@

$(VENV)/.lab $(VENV)/.test $(VENV)/.dev $(VENV)/.docs: $(VENV)/.%: $(VENV)/.base
	$(BIN)/python -m pip install --quiet --editable ".[$*]"
	touch $@
