# make demo | test | check | bench [NAME=stimuli] | docs | build
.PHONY: demo test check bench docs build lock clean
python := .venv/bin/python

demo:
	@tools/bootstrap.sh demo
	$(python) -m rapidvision demo --out demo

test:
	@tools/bootstrap.sh test
	$(python) -m pytest -n 4 --dist worksteal $(ARGS) # on two cores: browsers and servers are waited for

check:
	@tools/bootstrap.sh test
	.venv/bin/ruff format --check .
	.venv/bin/ruff check .
	.venv/bin/mypy
	tools/check_wheel.sh

bench:
	@tools/bootstrap.sh bench
	@$(python) -m benchmarks $(NAME)

docs:
	@tools/bootstrap.sh docs
	.venv/bin/sphinx-build -W --keep-going -b html docs docs/_build/html

build:
	@tools/bootstrap.sh test
	rm -rf dist
	$(python) -m build --no-isolation

lock:
	tools/lock.sh

clean:
	rm -rf build dist docs/_build demo
