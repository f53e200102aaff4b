#!/bin/bash
# A real network file system with stale caches on one Debian machine, for tests. Needs root and FUSE; installs what it needs with apt-get.
# It is sshfs on pipes to an sftp-server: no port, no key, no daemon that outlives it.
#
#   late-files.sh run DIRECTORY SECONDS CMD [ARG...]
#                                    runs CMD where it sees DIRECTORY, an existing one, through the network file system; to all other
#                                    processes it is what it was. So a process-node sees late what worker-nodes write there.
#   late-files.sh up STORE MOUNT [SECONDS]
#                                    MOUNT shows everybody STORE through the network file system
#   late-files.sh down MOUNT         ends it; fine when there is none
#   late-files.sh install            only the apt packages
#
# What is seen through it, names, attributes and listings, may be up to SECONDS (10) old; a missing file stays missing as long.
set -eu

die() {
	echo "late-files.sh: $*" >&2
	exit 1
}

SFTP_SERVER=/usr/lib/openssh/sftp-server

install_packages() {
	[ -e /dev/fuse ] || die 'there is no /dev/fuse here: a container needs --privileged, or --device /dev/fuse --cap-add SYS_ADMIN'
	if command -v sshfs >/dev/null && command -v fusermount3 >/dev/null && [ -x "$SFTP_SERVER" ]; then return; fi
	command -v apt-get >/dev/null || die 'needs Debian or Ubuntu, or sshfs and openssh-sftp-server already installed'
	{
		apt-get update -qq &&
			DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends sshfs fuse3 openssh-sftp-server util-linux
	} </dev/null >/dev/null || die 'apt-get could not install sshfs, openssh-sftp-server'
}

check_seconds() {
	case "$1" in
	'' | *[!0-9]*) die "Expected SECONDS to be a whole number, got $1" ;;
	esac
}

# set_arguments STORE MOUNT SECONDS STATE: sets ARGUMENTS for sshfs. STATE is an empty directory, needed as long as the mount is there.
set_arguments() {
	# sshfs calls it in place of ssh, with ssh's arguments.
	printf '#!/bin/sh\nexec %s\n' "$SFTP_SERVER" >"$4/ssh"
	chmod 700 "$4/ssh"
	local timeouts
	timeouts=$(printf ",%s_timeout=$3" dcache dcache_dir dcache_stat dcache_link entry attr negative)
	ARGUMENTS=(-o "ssh_command=$4/ssh$timeouts" "store:$1" "$2")
}

up() { # STORE MOUNT SECONDS
	install_packages
	mkdir -p "$1" "$2"
	! mountpoint -q "$2" || die "$2 is a mount already"
	local state=$2.late-files
	rm -rf "$state"
	mkdir -m 700 "$state"
	set_arguments "$(realpath "$1")" "$(realpath "$2")" "$3" "$state"
	sshfs -o allow_other "${ARGUMENTS[@]}" || {
		rm -rf "$state"
		die "sshfs can't mount $2"
	}
}

down() { # MOUNT
	if mountpoint -q "$1"; then fusermount3 -u "$1" 2>/dev/null || umount -l "$1"; fi
	rm -rf "$1.late-files"
}

run() { # DIRECTORY SECONDS CMD...
	[ -d "$1" ] || die "Expected DIRECTORY to be a directory, got $1"
	install_packages
	exec unshare --mount --propagation private -- "$0" inside "$(realpath "$1")" "${@:2}"
}

inside() { # DIRECTORY SECONDS CMD...: in a mount namespace of its own
	local code=0 pid
	STATE=$(mktemp -d)
	trap leave EXIT
	mkdir "$STATE/store"
	# The sftp-server goes by this name: the other one is about to lead to itself.
	mount --bind "$1" "$STATE/store"
	set_arguments "$STATE/store" "$1" "$2" "$STATE"
	# In the foreground, and ended with this shell, however that ends.
	setpriv --pdeathsig TERM sshfs -f "${ARGUMENTS[@]}" &
	pid=$!
	for _ in $(seq 100); do
		if mountpoint -q "$1" && [ "$(stat -f -c %T "$1")" = fuseblk ]; then break; fi
		kill -0 "$pid" 2>/dev/null || die "sshfs can't mount $1"
		sleep 0.1
	done
	"${@:3}" || code=$?
	fusermount3 -u "$1" 2>/dev/null || umount -l "$1"
	wait "$pid" || true
	exit "$code"
}

leave() {
	umount -l "$STATE/store" 2>/dev/null || true
	# Not what is in it, should it still be mounted.
	rm -f "$STATE/ssh"
	rmdir "$STATE/store" "$STATE"
}

usage() {
	sed -n '2,/^set -eu/{/^#/s/^# \{0,1\}//p}' "$0"
	exit 2
}

verb=${1:-help}
[ $# -eq 0 ] || shift
case "$verb:$#" in
run:[3-9] | run:[1-9][0-9]* | inside:[3-9] | inside:[1-9][0-9]* | up:[23] | down:1 | install:0) ;;
*) usage ;;
esac
[ "$(id -u)" = 0 ] || die 'needs root'
case "$verb" in
run)
	check_seconds "$2"
	run "$@"
	;;
inside) inside "$@" ;;
up)
	check_seconds "${3:-10}"
	up "$1" "$2" "${3:-10}"
	;;
down) down "$1" ;;
install) install_packages ;;
esac
