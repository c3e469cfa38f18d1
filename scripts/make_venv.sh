#!/bin/sh
# Makes the virtual environment and installs the pinned uv in it, which installs everything else.
# Usage: PYTHON=python3 scripts/make_venv.sh FOLDER
set -eu

venv=$1
python=${PYTHON:-python3}

fail() {
    printf 'make: %s\n' "$@" >&2
    exit 2
}

if [ "$(id -u)" = 0 ]; then sudo=""; else sudo="sudo "; fi

if ! command -v "$python" >/dev/null 2>&1; then
    fail "no '$python' here. Type: ${sudo}apt-get install --yes python3 python3-venv" \
        "or name another Python: make install PYTHON=/path/to/python3"
fi

version=$("$python" -c 'import sys; print("%d.%d" % sys.version_info[:2])')
if ! "$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))'; then
    fail "'$python' is Python $version; the kit needs 3.11 or newer." \
        "Name another one: make install PYTHON=python3.11"
fi

# uv itself comes from the lock file, so that its hash is checked like every other.
pin=$(mktemp)
trap 'rm -f "$pin"' EXIT
awk '/^[^ ]/ { keep = /^uv==/ } keep' requirements.txt >"$pin"

if "$python" -c 'import ensurepip' 2>/dev/null; then
    "$python" -m venv "$venv"
    "$venv/bin/python" -m pip install --quiet --require-hashes --requirement "$pin"
elif "$python" -m pip --python "$python" --version >/dev/null 2>&1; then
    # Debian packages ensurepip separately; a pip outside the environment can install into it.
    "$python" -m venv --without-pip "$venv"
    "$python" -m pip --python "$venv/bin/python" install --quiet --require-hashes --requirement "$pin"
else
    fail "'$python' cannot make a virtual environment: on Debian, venv is a separate package." \
        "Type: ${sudo}apt-get install --yes python3-venv   (for another Python: python$version-venv)" \
        "then the same make command again."
fi
