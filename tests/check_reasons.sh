#!/bin/sh
# The manual explains each reason of the program's table, in the table's own words, and no other.
# The table is read from include/core/reason.h: of each X(…) the first string is the token, the rest
# the sentence. In the manual it is an item of the subsection "Reasons" and the sentence after it.
#
# Usage: tests/check_reasons.sh [HEADER MANUAL]
set -eu

top=$(cd "$(dirname "$0")/.." && pwd)
header=${1:-$top/include/core/reason.h}
manual=${2:-$top/agent/man/redis-role-agent.8}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# "token: The sentence." for each reason of the table.
from_table()
{
	awk '
	function strings(text,    token, said, n) {
		while (match(text, /"[^"]*"/)) {
			if (n++)
				said = said substr(text, RSTART + 1, RLENGTH - 2)
			else
				token = substr(text, RSTART + 1, RLENGTH - 2)
			text = substr(text, RSTART + RLENGTH)
		}
		if (n)
			print token ": " toupper(substr(said, 1, 1)) substr(said, 2) "."
	}
	/^#define REASONS\(X\)/ { within = 1; next }
	!within { next }
	/^[ \t]*X\(/ { strings(row); row = "" }
	{ row = row $0 }
	!/\\$/ { strings(row); exit }'
}

# The same from the manual; the sentence may go over several lines.
from_manual()
{
	awk '
	/^\.S[hs] / { within = ($0 == ".Ss Reasons"); next }
	!within { next }
	/^\.It Ic / { token = $3; said = ""; next }
	token != "" && !/^\./ {
		said = said (said == "" ? "" : " ") $0
		if (!/\.$/)
			next
	}
	token != "" { print token ": " said; token = "" }'
}

from_table <"$header" | sort >"$work/wanted"
from_manual <"$manual" | sort >"$work/found"
if ! [ -s "$work/wanted" ]; then
	echo "check_reasons: no reason found in $header" >&2
	exit 1
fi
comm -23 "$work/wanted" "$work/found" | sed 's|^|check_reasons: the manual lacks: |' >"$work/errors"
comm -13 "$work/wanted" "$work/found" |
	sed 's|^|check_reasons: only the manual says: |' >>"$work/errors"
if [ -s "$work/errors" ]; then
	cat "$work/errors" >&2
	exit 1
fi
echo "reasons: $(wc -l <"$work/wanted") agree with the manual"
