#!/bin/sh
# Compares the option table of the program with what is derived from it by hand or by a copy: the
# sample configuration must be what the program prints, and the manual must name every option with
# the type, default, bounds and reload behaviour of the table, and no other option.
#
# Usage: tests/check_options.sh BINARY        (from any folder)
set -eu

binary=${1:?"usage: $0 BINARY"}
top=$(cd "$(dirname "$0")/.." && pwd)
sample=$top/systemd/redis-role-agent.cfg
manual=$top/agent/man/redis-role-agent.cfg.5
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# "path: type, default D, bounds, reload." for each option of the table.
from_table()
{
	awk -F '\t' '{
		line = $1 ": " $2 ", " ($3 == "required" ? $3 : "default " $3)
		print line ($4 == "-" ? "" : ", " $4) ", " $5 "."
	}'
}

# The same from the manual: an item of a section below OPTIONS, and the text line after it.
from_manual()
{
	awk '
	/^\.Sh / { within = ($2 == "OPTIONS"); next }
	!within { next }
	/^\.Ss / { section = ($0 == ".Ss Top level") ? "" : $2 "."; next }
	/^\.It Ic / { name = section $3; next }
	name != "" { print name ": " $0; name = "" }'
}

failed=0
if ! "$binary" check-config --sample >"$work/sample"; then
	echo "check_options: $binary check-config --sample failed" >&2
	exit 1
fi
if ! diff -u "$sample" "$work/sample" >&2; then
	echo "check_options: $sample is not what check-config --sample prints: write it anew" >&2
	failed=1
fi

"$binary" check-config --options >"$work/options"
if ! [ -s "$work/options" ]; then
	echo "check_options: $binary check-config --options printed nothing" >&2
	exit 1
fi
from_table <"$work/options" | sort >"$work/wanted"
from_manual <"$manual" | sort >"$work/found"
comm -23 "$work/wanted" "$work/found" >"$work/missing"
comm -13 "$work/wanted" "$work/found" >"$work/surplus"
if [ -s "$work/missing" ]; then
	sed "s|^|check_options: the manual lacks: |" "$work/missing" >&2
	failed=1
fi
if [ -s "$work/surplus" ]; then
	sed "s|^|check_options: only the manual says: |" "$work/surplus" >&2
	failed=1
fi
[ "$failed" -eq 0 ] && echo "check_options: $(wc -l <"$work/wanted") options agree"
exit "$failed"
