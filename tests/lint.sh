#!/bin/sh
# The part of the lint that needs no compiler: length of files, forgotten marks, scripts, Python.
set -eu

status=0

# A checkout may belong to somebody else than who runs this.
git() {
	command git -c safe.directory="$PWD" "$@"
}

complain() {
	echo "lint: $*" >&2
	status=1
}

check_lengths() {
	for file in $(git ls-files '*.c' '*.h' '*.sh' '*.py'); do
		[ "$(wc -l <"$file")" -le 600 ] || complain "$file has more than 600 lines"
	done
}

check_marks() {
	! git grep -nE '\b(TO''DO|FIX''ME|XX''X)\b' >&2 || complain "unfinished work is marked above"
	! git grep -nIE '[[:blank:]]+$' >&2 || complain "blanks at the end of the lines above"
}

# Scripts are what git has as executable with a shell's first line, wherever they are.
list_scripts() {
	git ls-files | while read -r file; do
		[ ! -f "$file" ] || ! head -n 1 "$file" | grep -aqE '^#!.*\b(ba|da)?sh\b' || echo "$file"
	done
}

check_scripts() {
	for file in $(list_scripts); do
		shellcheck "$file" || status=1
		[ -x "$file" ] || complain "$file is not executable"
	done
}

check_python() {
	folder=$(mktemp -d)
	for file in $(git ls-files '*.py'); do
		PYTHONPYCACHEPREFIX=$folder /usr/bin/python3 -W error -m py_compile "$file" || status=1
	done
	rm -rf "$folder"
}

git ls-files --error-unmatch tests/lint.sh >/dev/null
check_lengths
check_marks
check_scripts
check_python
exit "$status"
