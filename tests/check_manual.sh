#!/bin/sh
# The manual pages are well-formed, and each page that they refer to among their own exists.
set -eu

cd "$(dirname "$0")/../agent/man"
status=0
for page in *.[1-8]; do
	[ -e "$page" ] || {
		echo "check_manual: no manual page in agent/man" >&2
		exit 1
	}
	mandoc -T lint -W warning "$page" >&2 || status=1
done
# shellcheck disable=SC2013 # one word a line
for name in $(sed -n 's/^\.Xr \(redis-role-agent[^ ]*\) \([1-8]\).*/\1.\2/p' ./*.[1-8] | sort -u); do
	[ -e "$name" ] || {
		echo "check_manual: a page refers to $name, which does not exist" >&2
		status=1
	}
done
[ "$status" -ne 0 ] || echo "manual: well-formed"
exit "$status"
