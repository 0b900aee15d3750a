PYTHON ?= python3
TORCH ?= 2.13.0
TORCH_CPU_INDEX ?= https://download.pytorch.org/whl/cpu
# An additional package to install, such as `keras==3.15.0`, and where.
KERAS ?=
VENV ?= .venv
ifeq ($(OS),Windows_NT)
BIN := $(VENV)/Scripts
else
BIN := $(VENV)/bin
endif
PIP := $(BIN)/python -m pip --disable-pip-version-check
# Which examples are verified, and where.
BACKEND ?= all
DEVICE ?= cpu
SHARD ?= 1/1
# Only the examples that have changed since this commit.
SINCE ?=
CACHE := $(or $(XDG_CACHE_HOME),$(HOME)/.cache)
INSTALLED_cpu := $(VENV)/.dev
INSTALLED_gpu := $(VENV)/.gpu

.PHONY: help demo test prove-all proofs sweep lint goldens names pages bench zoo mutation keras-tests clean \
  examples examples-build examples-by-turn examples-oldest examples-newest \
  layers layers-oldest layers-newest matrix site graphviz dist \
  gpu-notice report-broken

help:
	@echo 'make demo     generate a layer, run its tests, train a model with it on real images'
	@echo 'make test     everything that CI runs except the examples: lint, types, tests'
	@echo 'make prove-all  the same and the examples, without proofs from earlier runs'
	@echo 'make sweep    all layers of Keras and KerasHub, and all generated code, on all backends'
	@echo 'make lint     only ruff, black, mypy and the import contracts'
	@echo 'make examples verify generated_examples: BACKEND=jax DEVICE=gpu SHARD=1/4 narrow it'
	@echo 'make examples-by-turn  the same, each on one backend; SINCE=COMMIT: only what changed'
	@echo 'make examples-oldest   the same on the oldest Keras; examples-newest on the newest'
	@echo 'make layers-oldest     --base classes and drop-ins on the oldest Keras; layers-newest'
	@echo 'make matrix   generate all pairs of options of every template, and run their tests'
	@echo 'make site     the page of the examples, .examples/site/index.html'
	@echo 'make goldens  regenerate goldens, generated_examples, docs/base-layers.md and docs/models.md'
	@echo 'make names    regenerate the names that Keras reserves'
	@echo 'make pages    regenerate docs/checks from the checks'
	@echo 'make bench    cold start, many layers, scaffold check, drop-ins and projects, as ratios'
	@echo 'make zoo      docs/zoo.md: which seeded defects the checks find'
	@echo 'make keras-tests  docs/keras-tests.md: Keras'"'"'s own tests on the drop-ins; BACKEND=jax for one'
	@echo 'make mutation docs/mutation.md: mutants that the generated tests kill; hours'
	@echo 'make dist     the wheel and the source archive, in dist'
	@echo 'make clean    remove .venv, demo, .examples, .goldens and caches'

demo: $(VENV)/.demo
	@$(BIN)/python -m tools.demo

test: $(VENV)/.dev lint
	$(BIN)/python -m pytest -n auto --dist worksteal --durations=20

# SCAFFOLD_PROOFS names the stores of what has been proved: tools/proof_store.py.
prove-all: export SCAFFOLD_PROOFS := /dev/null
prove-all: test
	$(BIN)/python -m tools.examples verify --by-turn --all

# What a clean machine of this kind takes as proved.
proofs: export SCAFFOLD_PROOFS := .ci/proofs:$(if $(SCAFFOLD_PROOFS),$(SCAFFOLD_PROOFS),$(CACHE)/keras-scaffold/proofs)
proofs: $(VENV)/.dev
	rm -rf .ci/proofs .examples/results
	$(BIN)/python -m pytest -n auto --dist worksteal -m proof
	$(BIN)/python -m tools.examples verify --by-turn
	LC_ALL=C sort -k 3 -o .ci/proofs .ci/proofs

sweep: $(VENV)/.dev
	$(BIN)/python -m pytest -n auto --dist worksteal --every-backend \
	  tests/conformance/test_keras_layers.py tests/conformance/test_keras_hub_layers.py \
	  tests/conformance/test_zoo.py tests/conformance/test_pages.py \
	  tests/conformance/test_generated_layers.py tests/templates/layer/test_drop_in.py \
	  tests/templates/layer/test_gradients.py tests/templates/test_base_layers.py tests/templates/test_generated.py \
	  tests/templates/model/test_generated_models.py tests/templates/model/test_model_training.py \
	  tests/templates/model/test_model_export.py tests/unit/project/test_own_tests.py

lint: $(VENV)/.lint
	$(BIN)/ruff check .
	$(BIN)/black --check --quiet .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-logo

examples: $(INSTALLED_$(DEVICE))
	$(BIN)/python -m tools.examples verify --backend $(BACKEND) --device $(DEVICE) --shard $(SHARD)

examples-by-turn: $(VENV)/.dev
	$(BIN)/python -m tools.examples build --check
	$(BIN)/python -m tools.examples verify --by-turn --shard $(SHARD) \
	  $(if $(SINCE),--since $(SINCE))

examples-build: $(VENV)/.dev
	$(BIN)/python -m tools.examples build

# Everything that depends on Keras's own layers: their subclasses, and their drop-ins.
layers: $(VENV)/.dev
	$(BIN)/python -m pytest -n auto --dist worksteal -k 'equals_its_base or is_a_drop_in or subclass' \
	  tests/templates/test_base_layers.py tests/templates/layer/test_drop_in.py \
	  tests/templates/test_generated.py

examples-oldest layers-oldest:
	$(MAKE) $(@:-oldest=) VENV=.venv-oldest KERAS='keras==3.15.0'

examples-newest layers-newest:
	$(MAKE) $(@:-newest=) VENV=.venv-newest KERAS='--upgrade keras'

matrix: $(VENV)/.dev
	$(BIN)/python -m tools.matrix --shard $(SHARD)

# CI runners lack Graphviz, which draws the models; elsewhere, install it yourself.
site: $(VENV)/.dev $(if $(GITHUB_ACTIONS),graphviz)
	$(BIN)/python -m tools.examples report --into .examples/site

graphviz:
	command -v dot || { sudo apt-get update --quiet && sudo apt-get install --yes --quiet graphviz; }

dist: $(VENV)/.lint
	rm -rf dist
	$(BIN)/python -m hatchling build -d dist

gpu-notice:
	@echo '::notice title=No GPU::The variable GPU_RUNNER is not set: nothing was run on a GPU.'

# One issue at a time: if one is open, it gets a comment.
report-broken:
	gh label create new-keras --force --description 'A new Keras breaks a template'
	@run="$$GITHUB_SERVER_URL/$$GITHUB_REPOSITORY/actions/runs/$$GITHUB_RUN_ID"; \
	open="$$(gh issue list --label new-keras --state open --limit 1 --json number --jq '.[].number')"; \
	if [ -n "$$open" ]; then gh issue comment "$$open" --body "Still: $$run"; \
	else gh issue create --label new-keras --title 'A new Keras breaks a template' --body "See $$run"; fi

goldens: $(VENV)/.dev examples-build
	$(BIN)/python tests/support/goldens.py
	$(BIN)/python tests/support/base_layers.py
	$(BIN)/python -m tools.starter
	$(BIN)/python tests/support/model_page.py

names: $(VENV)/.dev
	$(BIN)/python -m tools.keras_names

pages: $(VENV)/.dev
	$(BIN)/python -m tools.check_pages

bench: $(VENV)/.dev
	$(BIN)/python -m benchmarks.cold_start
	$(BIN)/python -m benchmarks.many_layers
	$(BIN)/python -m benchmarks.check
	$(BIN)/python -m benchmarks.drop_ins
	$(BIN)/python -m benchmarks.project

zoo: $(VENV)/.dev
	$(BIN)/python -m benchmarks.zoo

keras-tests: $(VENV)/.dev
	$(BIN)/python -m benchmarks.keras_tests --backend $(BACKEND)

mutation: $(VENV)/.dev
	$(BIN)/python -m benchmarks.mutation

clean:
	rm -rf .venv .venv-oldest .venv-newest demo .examples .goldens .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis

$(VENV)/.made:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo 'Python 3.11 or newer is needed: make PYTHON=python3.12 ...'; exit 1; }
	$(PYTHON) -m venv $(VENV)
	@touch $@

$(VENV)/.demo: $(VENV)/.made pyproject.toml
	@echo 'Installing scaffold with the TensorFlow backend into $(VENV): takes minutes the first time.'
	$(PIP) install --quiet --editable '.[demo]'
	@touch $@

$(VENV)/.lint: $(VENV)/.made pyproject.toml
	$(PIP) install --quiet --editable '.[lint]'
	@touch $@

# A CPU build of Torch: one that pip finds as configured, otherwise from Torch's own index.
$(VENV)/.dev: $(VENV)/.made pyproject.toml
	@echo 'Installing TensorFlow, JAX, Torch and development tools into $(VENV): takes minutes the first time.'
	$(PIP) install --quiet 'torch==$(TORCH)+cpu' 2>/dev/null || \
	  $(PIP) install --quiet --extra-index-url $(TORCH_CPU_INDEX) 'torch==$(TORCH)'
	$(PIP) install --quiet --editable '.[dev]'
	$(if $(KERAS),$(PIP) install --quiet $(KERAS))
	@touch $@ $(VENV)/.demo $(VENV)/.lint

$(VENV)/.gpu: $(VENV)/.made pyproject.toml
	@echo 'Installing TensorFlow, JAX and Torch for CUDA into $(VENV): takes gigabytes the first time.'
	$(PIP) install --quiet --editable '.[dev]' 'tensorflow[and-cuda]' 'jax[cuda12]' 'torch==$(TORCH)'
	@touch $@
