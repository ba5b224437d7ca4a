#!/bin/sh
# Would anybody notice? Takes one row after the other out of the decision's tables, then weakens each
# condition that mutants.txt lists, and builds: a timeline, a unit test of core or a random timeline
# must fail. Prints a table; fails if a mutant survived or no longer applies. Takes some minutes.
#
#	tests/scenario/mutate.sh [NAME …]	(SEEDS=n random timelines, default 2000)
set -u
cd "$(dirname "$0")/../.." || exit 2
work=$(mktemp -d) || exit 2
trap 'rm -rf "$work"' EXIT
trap 'exit 2' INT TERM
seeds=${SEEDS:-2000}
flags='-std=gnu11 -D_GNU_SOURCE -O1 -w -Iinclude -Itests/scenario'
survivors=0

# shellcheck disable=SC2086  # the flags are several words
compile() { ${CC:-cc} $flags -c -o "$2" "$1"; }

# Links what is in $work: the player, and each unit test of core.
link_all() {
	# shellcheck disable=SC2086
	${CC:-cc} $flags -o "$work/player" "$work"/core/*.o "$work"/scenario/*.o || return 1
	for test in "$work"/unit/*.o; do
		test -e "$test" || continue
		# shellcheck disable=SC2086
		${CC:-cc} $flags -o "${test%.o}" "$test" "$work"/core/*.o -lcmocka || return 1
	done
}

# Prints what notices the program in $work, or nothing.
find_witness() {
	timeout 60 "$work/player" tests/scenario/timelines/*.txt >"$work/log" 2>&1 || {
		witness=$(sed -n 's,.*/timelines/\([^:]*\)\.txt:.*,\1,p' "$work/log" | sort -u | head -n 1)
		echo "timeline ${witness:-(crashed)}"
		return
	}
	for test in "$work"/unit/*.o; do
		test -e "$test" || continue
		timeout 60 "${test%.o}" >"$work/log" 2>&1 || {
			echo "unit $(basename "${test%.o}")"
			return
		}
	done
	timeout 120 "$work/player" --random "$seeds" >"$work/log" 2>&1 ||
		echo "random: $(sed -n 's/^seed.*: \(invariant [0-9]*\).*/\1/p' "$work/log" | head -n 1)"
}

# try NAME FILE: $work/mutant.c stands in for agent/core/FILE.
try() {
	object=$work/core/$(basename "$2" .c).o
	witness='(does not compile)'
	cp "$object" "$work/sound.o"
	if cmp -s "$work/mutant.c" "agent/core/$2"; then
		witness=
		note='DOES NOT APPLY'
	elif compile "$work/mutant.c" "$object" && link_all; then
		witness=$(find_witness)
		note=SURVIVED
	fi
	cp "$work/sound.o" "$object"
	test -n "$witness" || survivors=$((survivors + 1))
	printf '%-16s  %-18s  %s\n' "$2" "$1" "${witness:-$note}"
}

is_wanted() {
	wanted=$1
	shift
	test $# -eq 0 && return 0
	for name in "$@"; do
		test "$name" = "$wanted" && return 0
	done
	return 1
}

mkdir "$work/core" "$work/scenario" "$work/unit"
for source in agent/core/*.c agent/base/mem.c agent/base/text.c; do
	compile "$source" "$work/core/$(basename "$source" .c).o" || exit 2
done
for source in tests/scenario/*.c; do
	compile "$source" "$work/scenario/$(basename "$source" .c).o" || exit 2
done
for source in tests/unit/core/test_*.c; do
	test -e "$source" || continue
	compile "$source" "$work/unit/$(basename "$source" .c).o" || exit 2
done
link_all || exit 2
witness=$(find_witness)
test -z "$witness" || { echo "without any mutant: $witness" >&2; exit 2; }

for file in incumbent.c master_pool.c replica_pool.c; do
	grep -o '{ "[A-Z][0-9]*[a-z]*", [^}]*}' "agent/core/$file" >"$work/rows"
	while IFS= read -r row; do
		name=$(printf '%s' "$row" | sed 's/{ "\([^"]*\)", \([a-z_]*\).*/\1:\2/')
		is_wanted "$name" "$@" || continue
		awk -v row="$row," '{ at = index($0, row)
			if (at) $0 = substr($0, 1, at - 1) substr($0, at + length(row)); print }' \
			"agent/core/$file" >"$work/mutant.c"
		try "$name" "$file" </dev/null
	done <"$work/rows"
done
tab=$(printf '\t')
while IFS="$tab" read -r name file expression; do
	case $name in '#'* | '') continue ;; esac
	is_wanted "$name" "$@" || continue
	sed "$expression" "agent/core/$file" >"$work/mutant.c"
	try "$name" "$file" </dev/null
done <tests/scenario/mutants.txt
echo "$survivors survived"
test "$survivors" -eq 0
