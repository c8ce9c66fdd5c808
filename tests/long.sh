#!/bin/sh
# What `make test-long` runs: matrices, soaks, kill series. The steps go on after one that failed; the last line
# says which did. Figures are printed by the tests that measure.
set -u
cd "$(dirname "$0")/.." || exit 1
PY=.venv/bin/python
rows=$(mktemp) # of the matrix: what is judged is what is written down
failed=""
step() {
	began=$(date +%s)
	name=$1
	shift
	"$@" || failed="$failed $name"
	echo "== $name: $(($(date +%s) - began)) s"
}
HYEOPJIN_MATRIX=$rows
export HYEOPJIN_MATRIX

# Kill series, soaks and decoders need no punctual machine: they run in what the matrix leaves of the cores.
flood=tests/integration/test_soak.py::test_a_flood_of_rubbish_loses_a_call_no_packet_and_is_counted
said=$(mktemp)
tests/idly.sh $PY -m pytest -rP --durations=40 -m long -n 2 --dist loadfile tests/integration \
	--ignore=tests/integration/test_matrix.py --deselect="$flood" >"$said" 2>&1 &
series=$!
trap 'kill $series 2>/dev/null; exit 130' INT TERM # shells keep an interrupt from what runs behind

# No other browser beside these: what a line is worth is measured.
step matrix $PY -m pytest -s -m long tests/integration/test_matrix.py
step table $PY -m tests.support.matrix --keep "$rows" --write
alone="tests/browser/test_thin_line.py tests/browser/test_thin_line_long.py tests/browser/test_four_tones.py
	tests/browser/test_layers.py tests/browser/test_review_one_clock.py"
quarters="tests/browser/test_quiet_room.py tests/browser/test_survival.py"
step browsers $PY -m pytest -rP --durations=40 -m long -n 2 --dist loadfile tests/browser \
	$(printf -- '--ignore=%s ' $alone $quarters tests/browser/test_screenshots.py)
wait $series || failed="$failed series"
cat "$said"
# Nothing at all beside these.
step alone $PY -m pytest -rP -m long $alone "$flood"
# A quarter of an hour of silence, and one over 80 kbit/s.
step quarters $PY -m pytest -rP --durations=10 -m long -n 2 --dist loadfile $quarters
HYEOPJIN_PICTURES=all step pictures $PY -m pytest -m "long or not long" tests/browser/test_screenshots.py tests/browser/test_withdraw.py
rm -f "$rows" "$said"
[ -z "$failed" ] && echo "all passed" && exit 0
echo "failed:$failed"
exit 1
