# The two commands a newcomer types are `make demo` and `make test`; `make setup` is their common first step.
PYTHON ?= python3
VENV ?= .venv
# Set TORCH_INDEX to PyTorch's CPU wheel index where the default registry would bring a CUDA build.
TORCH_INDEX ?=

PY := $(VENV)/bin/python
PIP_INSTALL := $(PYTHON) -m pip --python $(PY) install --quiet --disable-pip-version-check -c constraints.txt
READY := $(VENV)/.ready
READY_FULL := $(VENV)/.ready-full
PEER := .peers/scalesim
PEER_PIP := $(PYTHON) -m pip --python $(PEER)/bin/python install --quiet --disable-pip-version-check

.PHONY: help setup demo test test-full lint wheel peers bench bench-sweep validation commands notebooks reproduction reproduction-runs comparison comparison-runs clean

help:
	@echo "make setup      install into $(VENV) (a second call installs nothing)"
	@echo "make demo       run the shipped model on shipped images and simulate it on two accelerators"
	@echo "make test       the fast tests (under 10 minutes on 2 cores)"
	@echo "make test-full  every test, the optional parts included"
	@echo "make lint       ruff, mypy --strict, pyright"
	@echo "make wheel      build the wheel into dist/"
	@echo "make peers      build SCALE-Sim's own environment in .peers/ (test-full needs it)"
	@echo "make bench      time SCALE-Sim and mixarray on the same GEMMs, and the two engines (minutes)"
	@echo "make bench-sweep  points per second of sweeps, and their memory (minutes)"
	@echo "make validation run every check with its planted faults and write docs/validation.md (minutes; Verilator)"
	@echo "make commands   write the reference of all commands in docs/commands.md (seconds)"
	@echo "make notebooks  run docs/notebooks and write their outputs into them (a minute)"
	@echo "make reproduction       write docs/reproduction.md and its figures from the committed results (seconds)"
	@echo "make reproduction-runs  make the results that are missing: trainings, evaluations, searches (a day)"
	@echo "make comparison       write docs/methods.md and its figure from the committed results (seconds)"
	@echo "make comparison-runs  make the results that are missing: allocations, models, evaluations (hours)"

setup: $(READY)

# venv without pip works where python3-venv is missing (a fresh Debian); pip then installs into it from outside.
$(PY):
	$(PYTHON) -m venv --without-pip $(VENV)

$(READY): pyproject.toml constraints.txt | $(PY)
	@echo "installing into $(VENV) (about a minute)"
	$(PIP_INSTALL) $(if $(TORCH_INDEX),--index-url $(TORCH_INDEX)) torch
	$(PIP_INSTALL) -e ".[torch,dev]"
	@echo "compiling the engine (seconds, once)"
	$(VENV)/bin/mixarray simulate --gemm 64,64,64 --bits 8,4 --quiet
	@touch $@

$(READY_FULL): $(READY)
	$(PIP_INSTALL) -e ".[torch,hf,coco,browser,notebooks,dev]"
	@touch $@

demo: $(READY)
	$(VENV)/bin/mixarray demo

# Two workers with one thread each: more threads than cores make PyTorch many times slower.
# -rs: what is skipped names what it lacks.
PYTEST := OMP_NUM_THREADS=1 $(PY) -m pytest -n 2 -rs

test: $(READY)
	$(PYTEST) -m "not full and not needs"

test-full: $(READY_FULL) lint peers
	$(PYTEST)

lint: $(READY)
	$(VENV)/bin/ruff check .
	$(VENV)/bin/ruff format --check .
	$(VENV)/bin/mypy
	$(VENV)/bin/pyright

wheel: $(READY)
	$(PYTHON) -m pip --python $(PY) wheel --quiet --disable-pip-version-check --no-deps --wheel-dir dist .

# Other simulators live in environments of their own: SCALE-Sim 3.0.0 cannot run with our numpy.
peers: $(PEER)/.ready

$(PEER)/.ready: benchmarks/scalesim_requirements.txt
	@echo "installing SCALE-Sim into $(PEER) (about half a minute)"
	rm -rf $(PEER)
	$(PYTHON) -m venv --without-pip $(PEER)
	$(PEER_PIP) -r $< || { rm -rf $(PEER); exit 1; }
	@touch $@

bench: $(READY) peers
	OMP_NUM_THREADS=1 $(PY) benchmarks/bench_scalesim.py
	OMP_NUM_THREADS=1 $(PY) benchmarks/bench_engine.py

bench-sweep: $(READY)
	OMP_NUM_THREADS=1 $(PY) benchmarks/bench_sweep.py

validation: $(READY) peers
	OMP_NUM_THREADS=1 $(VENV)/bin/mixarray validate --page docs/validation.md --force

commands: $(READY)
	$(PY) -m mixarray_analysis.cli.reference docs/commands.md

notebooks: $(READY)
	$(PIP_INSTALL) -e ".[torch,notebooks,dev]"
	OMP_NUM_THREADS=1 $(PY) docs/notebooks/execute.py

reproduction: $(READY)
	OMP_NUM_THREADS=1 $(PY) -m mixarray_analysis.reproduction draw

reproduction-runs: $(READY)
	$(PIP_INSTALL) -e ".[torch,search,dev]"
	OMP_NUM_THREADS=1 $(PY) -m mixarray_analysis.reproduction run

comparison: $(READY)
	OMP_NUM_THREADS=1 $(PY) -m mixarray_analysis.method_comparison draw

comparison-runs: $(READY)
	OMP_NUM_THREADS=1 $(PY) -m mixarray_analysis.method_comparison run

clean:
	rm -rf dist build runs .pytest_cache .mypy_cache .ruff_cache
