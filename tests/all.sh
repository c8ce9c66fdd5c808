#!/bin/sh
# What `make test` runs after lint. The steps go on after one that failed; the last line says which did.
set -u
cd "$(dirname "$0")/.." || exit 1
PY=.venv/bin/python
said=$(mktemp)
shown=$(mktemp)
failed=""

# Browsers wait for much: pages run beside rooms, and unit tests take what both leave of the cores, and only that.
tests/idly.sh $PY -m pytest tests/unit >"$said" 2>&1 &
units=$!
$PY -m pytest tests/browser -m "pages and not long" --durations=10 >"$shown" 2>&1 &
pages=$!
trap 'kill $units $pages 2>/dev/null; rm -f "$shown" "$said"; exit 130' INT TERM # shells keep an interrupt from what runs behind
$PY -m pytest tests/browser -m "not pages and not long" --durations=25 || failed="$failed rooms"
wait $pages || failed="$failed pages"
wait $units || failed="$failed unit"
cat "$shown" "$said"
rm -f "$shown" "$said"
$PY -m pytest tests/integration -m "not long" -n auto --maxprocesses 4 --dist loadfile --durations=25 || failed="$failed integration"
[ -z "$failed" ] && echo "all passed" && exit 0
echo "failed:$failed"
exit 1
