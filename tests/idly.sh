#!/bin/sh
# Runs a command on what all others leave of the cores. Linux shares them among sessions first, and goes by `nice`
# within one only: where it does (autogroup), the command gets a session of its own with that little weight.
if [ -e /proc/self/autogroup ] && [ -z "${HYEOPJIN_IDLY:-}" ] && command -v setsid >/dev/null; then
	HYEOPJIN_IDLY=1 exec setsid "$0" "$@"
fi
unset HYEOPJIN_IDLY
{ echo 19 >/proc/self/autogroup; } 2>/dev/null
exec nice -n 19 "$@"
