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

# Where systemd is at hand: it has to find nothing, with the program's path as it is under DESTDIR.
verify_units() {
	[ -x "$(command -v systemd-analyze)" ] || return 0
	mkdir "$root/verify"
	sed "s,^Exec[A-Za-z]*=,&$root," "$units/redis-role-agent.service" >"$root/verify/redis-role-agent.service"
	cp "$units/redis-role-agent.socket" "$root/verify"
	systemd-analyze verify --man=no "$root"/verify/redis-role-agent.* >"$root/verify/log" 2>&1 || true
	! grep redis-role-agent "$root/verify/log" >&2 || fail "systemd-analyze complains, see above"
	rm -r "$root/verify"
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
verify_units

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
