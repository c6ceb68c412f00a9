#!/bin/sh
# Makes .venv ready for one purpose: tools/bootstrap.sh demo|test|docs|bench
# Everything is pinned (requirements/*.lock with hashes). What is there already is used again.
set -eu
cd "$(dirname "$0")/.."
purpose=${1:?usage: tools/bootstrap.sh demo|test|docs|bench}
torch=torch==2.13.0
say() { echo "rapidvision: $*" >&2; }

as_root() { # run a command as root where that needs no password; fail otherwise
    if [ "$(id -u)" = 0 ]; then "$@"; elif command -v sudo >/dev/null && sudo -n true 2>/dev/null; then sudo -n "$@"; else return 1; fi
}
apt_install() {
    command -v apt-get >/dev/null || return 1
    as_root apt-get update -qq >&2 && as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq -o Dpkg::Use-Pty=0 --no-install-recommends "$@" >/dev/null
}

python=""
for candidate in ${PYTHON:-} python3.11 python3.12 python3; do
    if command -v "$candidate" >/dev/null && "$candidate" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2])' 2>/dev/null; then
        python=$candidate; break
    fi
done
[ -n "$python" ] || { say "Python 3.11 or newer is needed (PsychoPy needs 3.11 or 3.12); install it or set PYTHON"; exit 2; }

if [ "$purpose" != demo ]; then # the real window, the real browsers, the real databases
    missing=""
    need() { command -v "$1" >/dev/null || ls $1 >/dev/null 2>&1 || missing="$missing $2"; }
    need Xvfb xvfb; need xdotool xdotool; need chromium chromium; need firefox-esr firefox-esr; need nginx nginx-light; need cc gcc; need npm npm
    need /usr/share/i18n/charmaps/CP1252.gz locales
    need '/usr/lib/postgresql/*/bin/initdb' postgresql
    for library in libGLU.so.1:libglu1-mesa libasound.so.2:libasound2 libjack.so.0:libjack-jackd2-0 libfontconfig.so.1:libfontconfig1 \
        libusb-1.0.so.0:libusb-1.0-0 libportaudio.so.2:libportaudio2 libGL.so.1:libgl1; do
        PATH=$PATH:/sbin:/usr/sbin ldconfig -p 2>/dev/null | grep -q "${library%%:*}" || missing="$missing ${library#*:}"
    done
    ls /usr/lib/*/dri/swrast_dri.so >/dev/null 2>&1 || missing="$missing libgl1-mesa-dri"
    if [ -n "$missing" ]; then
        say "installing system packages:$missing"
        # shellcheck disable=SC2086
        apt_install $missing || say "cannot install them here; please install:$missing (tests that need them will say so)"
    fi
fi

stamp=.venv/.ready-$purpose
wanted=$(cat "requirements/$purpose.lock" pyproject.toml tools/bootstrap.sh | cksum)
if [ -f "$stamp" ] && [ "$(cat "$stamp")" = "$wanted" ] && .venv/bin/python -c 'import rapidvision' 2>/dev/null; then exit 0; fi

if [ ! -x .venv/bin/python ]; then
    say "making .venv with $("$python" --version)"
    if ! "$python" -m venv .venv 2>/dev/null; then
        rm -rf .venv
        version=$("$python" -c 'import sys; print(f"{sys.version_info[0]}.{sys.version_info[1]}")')
        apt_install "python$version-venv" || { say "python's venv module is missing: install python$version-venv"; exit 2; }
        "$python" -m venv .venv
    fi
fi
say "installing pinned packages for $purpose (some minutes the first time)"
pip="env PIP_DISABLE_PIP_VERSION_CHECK=1 .venv/bin/python -m pip install -qq --no-input"
$pip --no-deps --require-hashes -r "requirements/$purpose.lock"
.venv/bin/python -c 'import torch' 2>/dev/null || $pip "$torch"
$pip --no-deps --no-build-isolation --editable .
echo "$wanted" > "$stamp"
