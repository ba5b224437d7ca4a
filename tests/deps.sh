#!/bin/sh
# Installs those of the named packages that are missing, with apt-get, asking nothing. It starts no service
# and leaves none enabled: a test needs redis-server's program, not a Redis on port 6379 after the next boot.
# When nothing is missing it does nothing; where it cannot install it names the packages and fails.
set -eu

policy=/usr/sbin/policy-rc.d
policy_is_ours=
before=

is_installed() {
	[ "$(dpkg-query -W -f '${db:Status-Status}' "$1" 2>/dev/null)" = installed ]
}

list_installed() {
	dpkg-query -W -f '${db:Status-Status} ${binary:Package}\n' | sed -n 's/^installed //p' | sort
}

apt() {
	$sudo env DEBIAN_FRONTEND=noninteractive apt-get -qq -o DPkg::Lock::Timeout=300 "$@"
}

refuse() {
	echo "missing: $missing" >&2
	echo "$1 install them with: apt-get install --no-install-recommends $missing" >&2
	exit 1
}

# Package scripts ask this program before they start a service (invoke-rc.d(8)): 101 is "forbidden".
forbid_starts() {
	[ ! -e "$policy" ] || return 0
	policy_is_ours=yes
	printf '#!/bin/sh\n# tests/deps.sh of redis-role-agent: removed when it ends\nexit 101\n' |
		$sudo sh -c "cat >$policy && chmod 755 $policy"
}

allow_starts() {
	[ -z "$policy_is_ours" ] || $sudo rm -f "$policy"
	policy_is_ours=
}

# The packages' scripts enable what they bring: systemd units, and links in /etc/rc?.d. The state that
# deb-systemd-helper keeps makes an upgrade leave them disabled too.
disable_new_services() {
	[ -n "$before" ] || return 0
	for package in $(list_installed | comm -13 "$before" -); do
		for path in $(dpkg-query -L "$package"); do
			case $path in
			*/lib/systemd/system/*@.*) ;;
			*/lib/systemd/system/*.service | */lib/systemd/system/*.socket | */lib/systemd/system/*.timer)
				disable_unit "$package" "${path##*/}" ;;
			/etc/init.d/?*)
				$sudo update-rc.d "${path##*/}" disable ;;
			esac
		done
	done
	[ ! -d /run/systemd/system ] || $sudo systemctl daemon-reload
}

# The helper speaks to package scripts only, and knows them by this variable.
disable_unit() {
	$sudo env DPKG_MAINTSCRIPT_PACKAGE="$1" deb-systemd-helper disable "$2" >/dev/null
}

finish() {
	status=$?
	trap - EXIT HUP INT TERM
	allow_starts
	disable_new_services
	[ -z "$before" ] || rm -f "$before"
	exit "$status"
}

install_missing() {
	before=$(mktemp)
	trap finish EXIT
	trap 'exit 129' HUP
	trap 'exit 130' INT
	trap 'exit 143' TERM
	list_installed >"$before"
	forbid_starts
	echo "installing: $missing"
	# The package lists may be absent, or older than what the mirror still has.
	# shellcheck disable=SC2086
	if ! apt install -y --no-install-recommends $missing >/dev/null 2>&1; then
		apt update
		apt install -y --no-install-recommends $missing
	fi
}

missing=
for package in "$@"; do
	is_installed "$package" || missing="$missing $package"
done
missing=${missing# }
[ -n "$missing" ] || exit 0

sudo=
[ -x "$(command -v apt-get)" ] || refuse "No apt-get here, and these are Debian's names for them;"
if [ "$(id -u)" -ne 0 ]; then
	sudo=sudo
	[ -x "$(command -v sudo)" ] || refuse "Not root, and no sudo;"
fi
install_missing
