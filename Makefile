PYTHON ?= python3
TORCH ?= 2.13.0
TORCH_CPU_INDEX ?= https://download.pytorch.org/whl/cpu
BIN := .venv/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check

.PHONY: help demo test sweep lint goldens names pages bench zoo mutation clean

help:
	@echo 'make demo     generate a layer, run its tests, train a model with it on real images'
	@echo 'make test     everything that CI runs: lint, types, tests on all three backends'
	@echo 'make sweep    all layers of Keras and KerasHub, and all generated models, on all backends'
	@echo 'make lint     ruff, black and mypy alone'
	@echo 'make goldens  renew the goldens, generated_examples, docs/base-layers.md and docs/models.md'
	@echo 'make names    renew the names that Keras has taken'
	@echo 'make pages    renew docs/checks from the checks'
	@echo 'make bench    cold start, scaffold check and drop-ins, as ratios'
	@echo 'make zoo      docs/zoo.md: what the checks find of seeded defects'
	@echo 'make mutation docs/mutation.md: mutants that the generated tests kill; hours'
	@echo 'make clean    remove .venv, demo and caches'

demo: .venv/.demo
	@$(BIN)/python -m scaffold.examples.demo

test: lint
	$(BIN)/python -m pytest -n auto --dist worksteal --durations=20

sweep: .venv/.dev
	$(BIN)/python -m pytest -n auto --dist worksteal --every-backend \
	  tests/conformance/test_keras_layers.py tests/conformance/test_keras_hub_layers.py \
	  tests/test_base_layers.py tests/models/test_generated_models.py \
	  tests/models/test_model_training.py

lint: .venv/.dev
	$(BIN)/ruff check .
	$(BIN)/black --check --quiet .
	$(BIN)/mypy

goldens: .venv/.dev
	$(BIN)/python tests/goldens.py
	$(BIN)/python tests/base_layers.py
	$(BIN)/python tests/models/proof.py
	cd tests && ../$(BIN)/python -m models.page

names: .venv/.dev
	$(BIN)/python -m scaffold.examples.keras_names

pages: .venv/.dev
	$(BIN)/python -m scaffold.conformance.pages

bench: .venv/.dev
	$(BIN)/python -m benchmarks.cold_start
	$(BIN)/python -m benchmarks.check
	$(BIN)/python -m benchmarks.drop_ins

zoo: .venv/.dev
	$(BIN)/python -m benchmarks.zoo

mutation: .venv/.dev
	$(BIN)/python -m benchmarks.mutation

clean:
	rm -rf .venv demo .pytest_cache .mypy_cache .ruff_cache .hypothesis

.venv/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo 'Python 3.11 or newer is needed: make PYTHON=python3.12 ...'; exit 1; }
	$(PYTHON) -m venv .venv

.venv/.demo: .venv/bin/python pyproject.toml
	@echo 'Installing scaffold with the TensorFlow backend into .venv: minutes, the first time.'
	$(PIP) install --quiet --editable '.[demo]'
	@touch $@

# A CPU build of Torch: one that pip finds as things stand, else from Torch's own index.
.venv/.dev: .venv/bin/python pyproject.toml
	@echo 'Installing TensorFlow, JAX, Torch and what contributors need into .venv: minutes, the first time.'
	$(PIP) install --quiet 'torch==$(TORCH)+cpu' 2>/dev/null || \
	  $(PIP) install --quiet --extra-index-url $(TORCH_CPU_INDEX) 'torch==$(TORCH)'
	$(PIP) install --quiet --editable '.[dev]'
	@touch $@ .venv/.demo
