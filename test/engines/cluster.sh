# shellcheck shell=bash
# What the scripts that bring up a cluster on one machine have in common. To be sourced; these variables must be set before:
#   PROGRAM  the script, for messages
#   PREFIX   what everything of this cluster is named with, as qmr0
#   NET      the first three numbers of its addresses, as 10.78.0
#   STATE    its directory

# shellcheck disable=SC2153 # see above
die() {
	echo "$PROGRAM: $*" >&2
	exit 1
}

quiet() {
	local said
	said=$("$@" 2>&1) || die "${*:1:6}: $said"
}

node_name() { # node1 -> qmr0-node1
	case "$1" in
	"$PREFIX"-node*) echo "$1" ;;
	*) echo "$PREFIX-$1" ;;
	esac
}

node_names() { ip netns list 2>/dev/null | awk -v prefix="$PREFIX-node" 'index($1, prefix) == 1 {print $1}'; }

# --- processes

end_processes() { # kills, and waits until they are gone
	local pid
	kill -9 "$@" 2>/dev/null || true
	for pid; do
		for _ in $(seq 600); do
			is_running "$pid" || continue 2
			sleep 0.1
		done
		die "process $pid does not end"
	done
}

is_running() { # a dead process that nobody has waited for yet has ended too
	[ -e "/proc/$1" ] && ! grep -q '^State:[[:space:]]*[ZX]' "/proc/$1/status" 2>/dev/null
}

stop_node() { # NAME
	local pids
	pids=$(ip netns pids "$1")
	# shellcheck disable=SC2086 # several numbers
	[ -z "$pids" ] || end_processes $pids
}

# --- the network

add_bridge() {
	ip link add "${PREFIX}br" type bridge || die 'network namespaces can not be made here: a container needs --privileged'
	ip addr add "$NET.1/24" dev "${PREFIX}br"
	ip link set "${PREFIX}br" up
}

add_network_of_node() { # INDEX
	local name=$PREFIX-node$1 link=${PREFIX}v$1
	ip netns add "$name"
	ip link add "$link" type veth peer name eth0 netns "$name"
	ip link set "$link" master "${PREFIX}br" up
	ip -n "$name" addr add "$NET.$((10 + $1))/24" dev eth0
	ip -n "$name" link set eth0 up
	ip -n "$name" link set lo up
}

remove_nodes() { # with all their processes
	local name link
	for name in $(node_names); do
		stop_node "$name"
		ip netns delete "$name"
	done
	# A veth pair goes with its namespace, though not at once.
	for link in $(ip -o link 2>/dev/null | grep -o "${PREFIX}v[0-9]*"); do ip link delete "$link" 2>/dev/null || true; done
	ip link delete "${PREFIX}br" 2>/dev/null || true
}

cut_node() { ip -n "$(node_name "$1")" link set eth0 down; }

heal_node() { ip -n "$(node_name "$1")" link set eth0 up; }

# --- users

add_user() { # NAME
	! id "$1" >/dev/null 2>&1 || return 0
	mkdir -p "$STATE/home"
	quiet useradd --create-home --home-dir "$STATE/home/$1" --shell /bin/bash "$1"
	echo "$1" >>"$STATE/users"
}

remove_users() {
	local user pids
	[ -e "$STATE/users" ] || return 0
	while read -r user; do
		pids=$(pgrep -u "$user" || true)
		# shellcheck disable=SC2086 # several numbers
		[ -z "$pids" ] || end_processes $pids
		userdel "$user" 2>/dev/null || true
	done <"$STATE/users"
}

as_user() { # WAY USER CMD... where WAY is a command that runs one in the right place
	local way=$1 user=$2 home
	shift 2
	home=$(getent passwd "$user" | cut -d: -f6)
	[ -n "$home" ] || die "there is no user $user: $PROGRAM add-user $user"
	"$way" setpriv --reuid="$user" --regid="$(id -g "$user")" --init-groups env HOME="$home" USER="$user" LOGNAME="$user" "$@"
}

# --- packages

install_with_apt() { # PACKAGE... of which none may start a service of its own
	command -v apt-get >/dev/null || die "needs Debian or Ubuntu, or these already installed: $*"
	local policy=/usr/sbin/policy-rc.d made='' ok=yes
	[ -e "$policy" ] || {
		printf '#!/bin/sh\nexit 101\n' >"$policy"
		chmod 755 "$policy"
		made=yes
	}
	{
		apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$@"
	} </dev/null >/dev/null || ok=
	[ -z "$made" ] || rm -f "$policy"
	[ -n "$ok" ] || die "apt-get could not install $*"
}

are_there() { # PROGRAM...
	local program
	for program; do command -v "$program" >/dev/null || return 1; done
}

# --- the command line

usage() {
	sed -n '2,/^set -eu/{/^#/s/^# \{0,1\}//p}' "$0"
	exit 2
}

check_instance() { # NAME VALUE
	case "$2" in
	[0-9] | [1-9][0-9]) ;;
	*) die "Expected $1 to be 0 to 99, got $2" ;;
	esac
}

check_size() { # NODES SLOTS
	case "$1$2" in *[!0-9]*) die "Expected NODES and SLOTS to be numbers, got $1 and $2" ;; esac
	{ [ "$1" -ge 1 ] && [ "$1" -le 90 ] && [ "$2" -ge 1 ]; } || die "Expected 1 to 90 NODES and at least 1 slot, got $1 and $2"
}

# Starts the calling script anew while nobody else brings a cluster up or down, of any kind and instance: they share /etc/hosts
# and apt. The lock is closed before daemons start, or they would hold it for ever.
one_at_a_time() { # VERB ARG...
	if [ -z "${CLUSTER_LOCKED:-}" ]; then
		CLUSTER_LOCKED=yes exec flock --close /run/lock/queue-map-reduce-clusters "$0" "$@"
	fi
	unset CLUSTER_LOCKED
}
