#!/bin/sh
# What `make test` runs after lint. The steps go on after one that failed; the last line says which did.
set -u
cd "$(dirname "$0")/.." || exit 1
PY=.venv/bin/python
said=$(mktemp)
failed=""

# Browsers wait for much: unit tests take what they leave of the cores, and only that.
nice -n 19 $PY -m pytest tests/unit >"$said" 2>&1 &
units=$!
trap 'kill $units 2>/dev/null; exit 130' INT TERM # shells keep an interrupt from what runs behind
$PY -m pytest tests/browser -m "not long" || failed="$failed browser"
wait $units || failed="$failed unit"
cat "$said"
rm -f "$said"
$PY -m pytest tests/integration -m "not long" -n auto --maxprocesses 4 --dist loadfile || failed="$failed integration"
[ -z "$failed" ] && echo "all passed" && exit 0
echo "failed:$failed"
exit 1
