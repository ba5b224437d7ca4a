#!/bin/sh
# The layer proof. Of a plain build of libcore.a (core, with text and mem of base): all that it leaves
# undefined is memory, string and formatting functions, so that the decision cannot read a clock, a socket
# or a file, nor log. Of the tree: an include never points up, adapters do not know each other, every C file
# opens with its header, and the top level holds nothing unforeseen. At its start it proves on broken copies that it
# would notice.
# Usage: check_layers.sh LIBCORE.A
set -eu
LC_ALL=C
export LC_ALL

allowed_calls='abort calloc free malloc realloc qsort bsearch
	memchr memcmp memcpy memmove memset
	strcasecmp strchr strcmp strcspn strlen strncasecmp strncmp strnlen strpbrk strrchr strspn strstr
	snprintf vsnprintf __errno_location __assert_fail
	_GLOBAL_OFFSET_TABLE_'

# Which floors a floor may include: itself and those below it.
allowed_floors='base: base
core: core base
config: config core base
io: io config core base
app: app io config core base
main: app io config core base'
# The only headers of base that core may include; all others are clock, log and such.
core_base='base/mem.h base/text.h'
# Of io, others may use these: what speaks Redis's protocol, what opens listeners, the deadlines.
shared_adapters='io/redis_conn.h io/listen.h io/wheel.h'

top_level='agent include hooks systemd tests Makefile README.md LICENSE'

complaints=

complain() {
	complaints=yes
	echo "$0: $*" >&2
}

has_word() { # WORD LIST
	case " $(echo "$2" | tr '\n\t' '  ') " in
	*" $1 "*) return 0 ;;
	esac
	return 1
}

check_archive() { # LIBCORE.A
	object=$work/core.o
	ld -r --whole-archive "$1" -o "$object"
	for call in $(nm -u "$object" | awk '{ print $2 }'); do
		has_word "$call" "$allowed_calls" || complain "core calls $call"
	done
}

# The floor of a file, from its path; agent/main.c is a floor of its own.
floor_of() {
	case $1 in
	agent/main.c) echo main ;;
	*) echo "$1" | cut -d/ -f2 ;;
	esac
}

check_include() { # FILE HEADER
	own=$(floor_of "$1")
	their=${2%%/*}
	has_word "$their" "$(echo "$allowed_floors" | sed -n "s/^$own: //p")" ||
		complain "$1 includes $2: $own may not use $their"
	if [ "$own/$their" = core/base ] && ! has_word "$2" "$core_base"; then
		complain "$1 includes $2: core uses $core_base only"
	fi
	if [ "$own/$their" = io/io ]; then
		module=$(basename "$1")
		module=${module%.*}
		case ${2#io/} in
		"$module".h | "${module%%_*}"_*.h | "${module%%_*}".h) ;;
		*) has_word "$2" "$shared_adapters" || complain "$1 includes $2: one adapter, another" ;;
		esac
	fi
}

check_includes() {
	grep -rHoE '^[[:space:]]*#[[:space:]]*include[[:space:]]*"[^"]*"' agent include --include='*.[ch]' |
		sed 's/:[^"]*"/ /; s/"$//' >"$work/includes"
	while read -r file header; do
		check_include "$file" "$header"
	done <"$work/includes"
}

# The first include is the file's own header, or that of the module of which it is a part: one of its floor.
# (That each exported function is declared there, -Wmissing-prototypes sees to.)
check_headers() {
	for file in agent/*/*.c; do
		floor=$(floor_of "$file")
		header=$(sed -n 's/^#include ["<]\(.*\)[">].*/\1/p' "$file" | head -n 1)
		[ "${header%%/*}" = "$floor" ] ||
			complain "$file begins with ${header:-no header}, not with its own"
	done
}

check_top_level() {
	for entry in *; do
		has_word "$entry" "$top_level" || [ "$entry" = build ] ||
			complain "$entry does not belong on the top level"
	done
}

check_tree() { # FOLDER
	complaints=
	here=$PWD
	cd "$1"
	check_includes
	check_headers
	check_top_level
	cd "$here"
}

must_complain() { # WHAT
	[ -n "$complaints" ] || {
		echo "$0: self-test: did not notice $1" >&2
		exit 1
	}
	complaints=
}

# A tree with one fault: TEXT in FILE.
try_tree() { # WHAT FILE TEXT
	rm -rf "$work/tree"
	mkdir -p "$work/tree/agent/core" "$work/tree/agent/io" "$work/tree/include/core" \
		"$work/tree/include/io" "$(dirname "$work/tree/$2")"
	echo '#include "base/text.h"' >"$work/tree/include/core/a.h"
	echo '#include "core/a.h"' >"$work/tree/agent/core/a.c"
	echo '#include "core/a.h"' >"$work/tree/include/io/b.h"
	echo '#include "io/b.h"' >"$work/tree/agent/io/b.c"
	check_tree "$work/tree"
	[ -z "$complaints" ] || exit 1
	echo "$3" >"$work/tree/$2"
	check_tree "$work/tree" 2>/dev/null
	must_complain "$1"
}

try_archive() { # WHAT BODY
	echo "$2" >"$work/try.c"
	cc -w -O0 -c -o "$work/try.o" "$work/try.c"
	rm -f "$work/try.a"
	ar rcs "$work/try.a" "$work/try.o"
	check_archive "$work/try.a" 2>/dev/null
	must_complain "$1"
}

self_test() {
	try_archive 'a clock' '#include <time.h>
		long f(void) { return time(0); }'
	try_archive 'a file' '#include <stdio.h>
		void *f(void) { return fopen("x", "r"); }'
	try_archive 'a log call' 'void log_warn(const char *, ...); void f(void) { log_warn("x"); }'
	try_tree 'core including io' agent/core/a.c '#include "io/b.h"'
	try_tree 'core including the clock' include/core/a.h '#include "base/clock.h"'
	try_tree 'io including app' agent/io/b.c '  #  include "app/c.h"'
	try_tree 'an adapter including another' agent/io/b.c '#include "io/hook.h"'
	try_tree 'a C file without header' agent/core/lonely.c 'int lonely;'
	try_tree 'a stray file' notes.txt 'x'
}

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
self_test
check_tree .
tree=$complaints
complaints=
check_archive "$1"
[ -z "$tree$complaints" ] || exit 1
echo "layers: core is pure, includes point down"
