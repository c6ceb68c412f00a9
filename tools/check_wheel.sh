#!/bin/sh
# What a user installs: the wheel, type-checked and held against the star from outside the working tree.
set -eu
cd "$(dirname "$0")/.."
top=$PWD
rm -rf build/check && mkdir -p build/check
.venv/bin/python -m build --wheel --no-isolation --outdir build/check/wheel . >build/check/build.log 2>&1 || { cat build/check/build.log; exit 1; }
.venv/bin/python -m pip install --quiet --disable-pip-version-check --no-deps --target build/check/site build/check/wheel/*.whl
cd build/check
MYPYPATH=site "$top/.venv/bin/mypy" --config-file "$top/pyproject.toml" --cache-dir "$top/.mypy_cache/wheel" -p rapidvision
PYTHONPATH=site "$top/.venv/bin/lint-imports" --config "$top/tools/star.ini" --no-cache
