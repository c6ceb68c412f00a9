#!/bin/sh
# What a user gets: sdist and wheel, the wheel installed where nothing else is, and the demo run there without any extra.
# usage: tools/release_check.sh [PYTHON...]      (python3.11 by default; give one for each version that is released for)
# Prints wheel size, installed size, seconds of the demo and import times; fails when the demo does not draw its figure.
set -eu
cd "$(dirname "$0")/.."
[ $# -gt 0 ] || set -- python3.11
work=$(mktemp -d); trap 'rm -rf "$work"' EXIT
say() { printf '%-46s %s\n' "$1" "$2"; }

builder=.venv/bin/python
if ! "$builder" -c 'import build, hatchling' 2>/dev/null; then # a machine without a working tree's environment
    "$1" -m venv "$work/builder" && "$work/builder/bin/pip" install -q build hatchling && builder=$work/builder/bin/python
fi
rm -rf dist && "$builder" -m build --no-isolation --outdir dist . >"$work/build.log" 2>&1 || { cat "$work/build.log"; exit 1; }
wheel=$(echo dist/*.whl)
say "$(basename "$wheel")" "$(du -k "$wheel" | cut -f1) KB"
say "$(basename dist/*.tar.gz)" "$(du -k dist/*.tar.gz | cut -f1) KB"

for python in "$@"; do
    version=$("$python" -c 'import sys; print("%d.%d" % sys.version_info[:2])')
    here=$work/$version
    "$python" -m venv "$here"
    if command -v uv >/dev/null; then uv pip install -q --python "$here/bin/python" "$wheel"; else "$here/bin/pip" install -q "$wheel"; fi
    "$here/bin/python" -c 'import importlib.util as u; assert not any(map(u.find_spec, ("torch", "numba", "psychopy", "starlette")))'
    say "Python $version: base install" "$(du -sm "$here" | cut -f1) MB"
    mkdir "$here/reader"
    ( # from a folder of its own, so that the wheel is what runs; without a network where the system allows that
        cd "$here/reader"
        isolate=""; unshare -rn true 2>/dev/null && isolate="unshare -rn"
        "$here/bin/rapidvision" check install >/dev/null
        began=$(date +%s)
        $isolate "$here/bin/rapidvision" demo >said.txt 2>errors.txt || { cat said.txt errors.txt; exit 1; }
        say "Python $version: demo without extras${isolate:+, no network}" "$(( $(date +%s) - began )) s"
        grep -q '^Without networks: .*pip install "rapidvision\[models\]"' said.txt
        [ -s demo/report/figures/fig2b.png ] && [ -s demo/report/report.html ]
        for module in rapidvision rapidvision.cli rapidvision.stimuli.commands rapidvision.experiments.commands rapidvision.analysis.commands \
            rapidvision.stimuli.builder.build rapidvision.experiments.engine.simulate rapidvision.analysis.workflow; do
            say "Python $version: import $module" "$("$here/bin/python" - "$module" <<'END'
import os, subprocess, sys
def cpu_ms(code):
    before = sum(os.times()[2:4]); subprocess.run([sys.executable, "-c", code], check=True)
    return 1000 * (sum(os.times()[2:4]) - before)
bare = min(cpu_ms("pass") for _ in range(5))
print(f"{max(0, min(cpu_ms('import ' + sys.argv[1]) for _ in range(5)) - bare):.0f} ms of processor time")
END
)"
        done
    )
done
