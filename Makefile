# Needs Python 3.11 or newer with pip, and make. Everything goes into .venv.
PYTHON ?= python3
VENV := .venv/bin
# What only developers read: its docstrings may be shorter.
INTERNAL := sksparse_nn/(kernels|solvers|onnx|parallel|neural/augmentation|neural/_targets)/
INSTALL = $(VENV)/python -m pip install --constraint constraints.txt --editable

# Lines appear as they are printed, also through a pipe.
export PYTHONUNBUFFERED := 1

.PHONY: demo compare patches trained compressed tiny \
  test test-slow test-engines test-oldest test-wheel lint docs doctest package clean \
  bench-coding bench-svd bench-net bench-images bench-activations bench-attention \
  bench-defaults bench-task-driven bench-robustness bench-mnist bench-onnx bench-parallel \
  bench-disk

# make demo                     the digits that scikit-learn ships, two minutes
# make demo CIFAR10=FOLDER      CIFAR-10, under fifteen minutes
demo: .venv/installed-plot
	$(VENV)/python examples/plot_sparse_pipelines.py --output demo-output $(if $(CIFAR10),--cifar10 "$(CIFAR10)")

# make compare                  every way to a smaller network on digits, a minute
# make compare MNIST=FILE.npz   the same on MNIST; CIFAR10=FOLDER on CIFAR-10
compare: .venv/installed-plot
	$(VENV)/python examples/compare_compression.py $(if $(MNIST),--mnist "$(MNIST)") $(if $(CIFAR10),--cifar10 "$(CIFAR10)")

# make patches CIFAR10=FOLDER   dictionaries and encoders on CIFAR-10: hours, resumes
patches: .venv/installed-plot
	$(VENV)/python examples/cifar10_patches.py "$(CIFAR10)"

# make trained CIFAR10=FOLDER   atoms that are trained with the labels: hours, resumes
trained: .venv/installed-plot
	$(VENV)/python examples/cifar10_trained.py "$(CIFAR10)"

# make compressed CIFAR10=FOLDER   their features in few kilobytes, resumes
compressed: .venv/installed-plot
	$(VENV)/python examples/cifar10_compressed.py "$(CIFAR10)"

# make tiny CIFAR10=FOLDER   convolutional networks in few kilobytes: hours, resumes
tiny: .venv/installed-plot,prune
	$(VENV)/python examples/tiny_networks.py "$(CIFAR10)"

test: .venv/installed-test
	$(VENV)/python -m pytest --numprocesses 2

# What takes long and is mostly guarded by shorter tests.
test-slow: .venv/installed-test
	$(VENV)/python -m pytest --numprocesses 2 -m slow

# The recipes for Ray and Spark, which nothing else needs. Spark wants Java.
test-engines: .venv/installed-test
	$(VENV)/python -m pip install --constraint constraints.txt ray pyspark
	$(VENV)/python -m pytest -m slow tests/parallel/test_engines.py

# The oldest versions of what is depended on, in an environment of their own.
OLDEST := numpy==2.0.0 scipy==1.15.0 scikit-learn==1.7.2 numba==0.61.0 skorch==1.4.0 \
  joblib==1.4.0 threadpoolctl==3.5.0 pandas==2.2.2
test-oldest:
	rm -rf .cache/oldest
	$(PYTHON) -m venv .cache/oldest
	.cache/oldest/bin/python -m pip install $(OLDEST) torch==2.13.0 ".[net,test]"
	.cache/oldest/bin/python -m pytest --numprocesses 2

lint: .venv/installed-lint
	$(VENV)/ruff format --check .
	$(VENV)/ruff check .
	$(VENV)/lint-imports
	$(VENV)/mypy
	$(VENV)/numpydoc lint $$(git ls-files 'sksparse_nn/*.py' | grep -Ev '$(INTERNAL)')
	$(VENV)/numpydoc lint --ignore PR01,PR02,PR03,PR04,PR06,RT01 \
	  $$(git ls-files 'sksparse_nn/*.py' | grep -E '$(INTERNAL)')

# The code of the guide's pages, which takes some minutes.
doctest: .venv/installed-test
	$(VENV)/python -m pytest --numprocesses 2 docs/user_guide

docs: .venv/installed-docs
	$(VENV)/sphinx-build -W --keep-going -b html docs docs/_build/html

# An archive and a wheel in dist/, with what PyPI checks of them.
package: .venv/installed-package
	rm -rf dist
	$(VENV)/python -m build
	$(VENV)/python -m twine check --strict dist/*

# The wheel in an environment without torch: tests of what does without it.
WITHOUT_TORCH = kernels solvers decomposition feature_extraction datasets
WITH_TORCH = decomposition/test_peak_memory.py decomposition/test_reducer_streams.py \
  decomposition/test_attention_streams.py feature_extraction/test_patch_streams.py \
  feature_extraction/test_real_images.py
test-wheel: package
	rm -rf .cache/wheel
	$(PYTHON) -m venv .cache/wheel
	.cache/wheel/bin/python -m pip install --constraint constraints.txt dist/*.whl \
	  pytest hypothesis numpydoc matplotlib pandas pillow
	cp -r tests pyproject.toml .cache/wheel
	cd .cache/wheel && bin/python -m pytest $(addprefix tests/,$(WITHOUT_TORCH)) \
	  $(addprefix --ignore tests/,$(WITH_TORCH))

# Slow; want a quiet machine, other than bench-attention, which takes no time of
# anything. The tables go to docs/benchmarks. bench-activations also looks at CIFAR-10
# where SKSPARSE_NN_CIFAR10 names its folder. bench-defaults fits every estimator on 26
# tables, a line a table, and goes on where it was stopped.
bench-coding bench-svd bench-net bench-images bench-activations bench-attention bench-defaults bench-task-driven bench-robustness bench-mnist bench-onnx bench-parallel bench-disk: bench-%: .venv/installed-bench
	env -u OPENBLAS_CORETYPE -u OPENBLAS_L2_SIZE $(VENV)/python -m tests.benchmarks.$(subst -,_,$*)

# A mark a set of extras, made anew when what it depends on changes.
.venv/installed-%: pyproject.toml constraints.txt | .venv
	@echo "Installing the package and what its '$*' extra needs into .venv."
	@echo "The first time pip downloads torch, which is large and takes minutes."
	$(INSTALL) ".[net,$*]"
	@touch $@

.venv:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "Python 3.11 or newer is needed; name one: make PYTHON=python3.12 ..."; exit 1; }
	@echo "Making a virtual environment in .venv."
	$(PYTHON) -m venv .venv

clean:
	rm -rf .venv .cache build dist demo-output compare-output patches-output trained-output tiny-output docs/_build docs/auto_examples docs/generated
