#!/bin/sh
# `make install` puts every file in its place under DESTDIR with the paths of PREFIX and SYSCONFDIR in the
# units, leaves a configuration alone that is there, and `make uninstall` leaves nothing but that.
# Usage: check_install.sh BUILD_FOLDER
set -eu

root=$(mktemp -d)
trap 'rm -rf "$root"' EXIT
config=$root/etc/redis-role-agent/redis-role-agent.cfg
units=$root/usr/lib/systemd/system

fail() {
	echo "check_install: $*" >&2
	exit 1
}

run_make() {
	${MAKE:-make} --no-print-directory BUILD="$build" DESTDIR="$root" PREFIX=/usr "$@" >"$root/log" 2>&1 ||
		fail "make $*: $(cat "$root/log")"
	rm -f "$root/log"
}

must_have() { # MODE FILE…
	mode=$1
	shift
	for file in "$@"; do
		[ "$(stat -c %a "$root/$file" 2>/dev/null)" = "$mode" ] || fail "/$file is missing, or not $mode"
	done
}

build=$1
run_make install
must_have 755 usr/bin/redis-role-agent
must_have 644 usr/lib/systemd/system/redis-role-agent.service \
	usr/lib/systemd/system/redis-role-agent.socket \
	usr/lib/sysusers.d/redis-role-agent.conf usr/lib/tmpfiles.d/redis-role-agent.conf \
	etc/redis-role-agent/redis-role-agent.cfg etc/redis-role-agent/redis-role-agent.cfg.sample
for page in agent/man/*.[1-8]; do
	must_have 644 "usr/share/man/man${page##*.}/${page##*/}"
done
"$root/usr/bin/redis-role-agent" --version >/dev/null || fail "the installed program does not run"
grep -q '^ExecStart=/usr/bin/redis-role-agent ' "$units/redis-role-agent.service" ||
	fail "the unit does not start /usr/bin/redis-role-agent"
! grep -rn /usr/local "$root/usr/lib" || fail "/usr/local is left in the files above"
[ ! -x "$(command -v systemd-analyze)" ] || systemd-analyze verify --root="$root" \
	"$units/redis-role-agent.service" "$units/redis-role-agent.socket" 2>"$root/verify" || true
! grep -s redis-role-agent "$root/verify" || fail "systemd-analyze complains, see above"
rm -f "$root/verify"

echo '# mine' >"$config"
run_make install
[ "$(cat "$config")" = '# mine' ] || fail "a second install overwrote the configuration"
run_make uninstall
left=$(cd "$root" && find . -type f)
[ "$left" = ./etc/redis-role-agent/redis-role-agent.cfg ] || fail "uninstall left: $left"
run_make install SYSCONFDIR=/opt/etc
grep -q -- '--config /opt/etc/redis-role-agent/redis-role-agent.cfg' "$units/redis-role-agent.service" ||
	fail "the unit does not follow SYSCONFDIR"
echo "install: complete, and leaves a configuration alone"
