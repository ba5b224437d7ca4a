#!/bin/sh
# The option table, the sample and the manual say the same: the sample file is what the program prints and
# it is accepted; the manual has one entry `.It Ic PATH` for each option, and none for anything else.
# Usage: check_options.sh PROGRAM
set -eu

program=$1
sample=systemd/redis-role-agent.cfg
manual=agent/man/redis-role-agent.cfg.5
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
status=0

"$program" check-config --sample >"$work/sample"
diff -u "$sample" "$work/sample" >&2 || {
	echo "check_options: $sample is not what \`check-config --sample\` prints" >&2
	status=1
}
"$program" check-config --config "$sample" >"$work/log" 2>&1 || {
	cat "$work/log" >&2
	echo "check_options: the sample is not accepted" >&2
	status=1
}

"$program" check-config --options | cut -f 1 | sort >"$work/options"
[ -s "$work/options" ] || {
	echo "check_options: the program names no option" >&2
	exit 1
}
sed -n 's/^\.It Ic \([^ ]*\).*/\1/p' "$manual" | sort >"$work/manual"
diff -u --label "option table" --label "$manual" "$work/options" "$work/manual" >&2 || {
	echo "check_options: the manual and the option table differ" >&2
	status=1
}
[ "$status" -ne 0 ] || echo "options: $(wc -l <"$work/options") in table, sample and manual"
exit "$status"
