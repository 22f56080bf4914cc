.DEFAULT_GOAL := help
.PHONY: help setup demo test test-lerax soak fuzz lint check docs bench lock clean

# A process a core, up to four, of 2 GB each; ARGS="-n 0" runs the tests one after the other.
PARALLEL = -n logical --maxprocesses 4 --dist worksteal
# Python keeps the bytecode of the sources, and pytest that of the tests.
unexport PYTHONDONTWRITEBYTECODE
# What compiles a humanoid or starts a cluster, a few minutes of it, is left to CI.
CHOICE = $(if $(SLOW),,-m "not slow")

help: ## Show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "make %-10s  %s\n", $$1, $$2}' Makefile

setup: ## Make .venv/ with all that is needed; does nothing where it is up to date
	@scripts/setup

demo: setup ## Render a 2D and a MuJoCo environment to out/
	@mkdir -p out
	@.venv/bin/lerax-render clip CartPole -o out/cartpole.gif
	@.venv/bin/lerax-render clip assets/scenes/arm.xml -o out/arm.mp4

test: setup ## Run the tests, one process a core; ARGS="-k gif" goes to pytest, SLOW=1 adds what CI adds, COVERAGE=1 asks for 90 %
ifdef COVERAGE
	@rm -rf .coverage && mkdir .coverage
	@.venv/bin/coverage run -m pytest $(PARALLEL) $(CHOICE) $(ARGS)
	@.venv/bin/coverage combine --quiet && .venv/bin/coverage report
else
	@.venv/bin/python -m pytest $(PARALLEL) $(CHOICE) $(ARGS)
endif

# Short runs of large programs: XLA compiles them in three quarters of the time.
test-lerax: export XLA_FLAGS := --xla_backend_optimization_level=0 $(XLA_FLAGS)
test-lerax: export LERAX := $(LERAX)
test-lerax: LERAX_TESTS = tests/leraxes tests/hostile tests/log tests/render
test-lerax: ## Run the tests that import Lerax with another one: LERAX=<wheel, folder or git URL>, in .venv-lerax/
	@scripts/setup --lerax "$(LERAX)"
	@.venv-lerax/bin/python -m pytest $(PARALLEL) -m "lerax and not slow" $(or $(ARGS),$(LERAX_TESTS))

soak: setup ## Do what may leak a thousand times and more, and print how memory grows; an hour
	@.venv/bin/python -m pytest tests/soak --long --timeout=0 -s $(ARGS)

fuzz: setup ## Try ten thousand examples of every kind of input; an hour
	@.venv/bin/python -m pytest tests/fuzz --long --timeout=0 $(ARGS)

lint: setup ## Lint, check the format, check the types
	.venv/bin/ruff check
	.venv/bin/ruff format --check
	.venv/bin/mypy

check: lint ## All that CI asks for: lint, and the tests with their coverage
	@$(MAKE) --no-print-directory test COVERAGE=1 SLOW=1

docs: setup ## Build the documentation into site/; a broken link or reference fails
	@.venv/bin/zensical build --strict --clean
	@.venv/bin/python scripts/check-site site

bench: setup ## Compare with the alternatives, write docs/benchmarks.md; ARGS="render" only prints that part
	@.venv/bin/python benchmarks/run.py $(ARGS)

lock: ## Make the locks again from pyproject.toml; ARGS=--upgrade takes newer versions
	@scripts/lock $(ARGS)

clean: ## Remove what set-up, tests and builds made; out/ stays
	rm -rf .venv .venv-lerax .tools build dist site .cache .coverage .pytest_cache .ruff_cache .mypy_cache .hypothesis
	find src tests benchmarks examples -name __pycache__ -exec rm -rf {} +
