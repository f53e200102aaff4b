#!/bin/bash
# A real Grid Engine on one Debian machine, for tests. Needs root; installs what it needs with apt-get.
#
#   grid-engine.sh up [NODES] [SLOTS]      a new, empty cluster: a submit host with the master, and NODES execution
#                                          hosts (2) of SLOTS slots (8). Every host is a network namespace with its own
#                                          address, host name and execution daemon; all share this machine's files.
#   grid-engine.sh ensure [NODES] [SLOTS]  as up, but a cluster of this size that is up and healthy is left as it is
#   grid-engine.sh down                    ends the cluster and its jobs, and leaves nothing behind but the apt packages
#   grid-engine.sh status                  queues and jobs
#
#   grid-engine.sh run CMD [ARG...]        runs CMD on the submit host (qsub, qstat, ... work only there)
#   grid-engine.sh run-as USER CMD...      the same as another user
#   grid-engine.sh wrappers DIRECTORY      writes qsub, qstat, qdel, ... that go to the submit host by themselves, for PATH
#   grid-engine.sh add-user NAME           makes an ordinary user, removed by down
#   grid-engine.sh add-queue NAME MODE     adds a queue of shell_start_mode MODE (posix_compliant, unix_behavior,
#                                          script_from_stdin); only jobs that ask for it by name are run in it
#
#   grid-engine.sh cut|heal NODE           takes a node off the network (after 10 to 15 s its queues show "u"), and back;
#                                          node1 is short for the full name
#   grid-engine.sh stop-node|start-node NODE   kills all processes of a node, as a power failure does; boots it
#   grid-engine.sh stop-master|start-master
#   grid-engine.sh max-jobs NUMBER         how many queue-jobs a user may have in the queue at once; 0 for any number
#   grid-engine.sh max-elements NUMBER     how many elements an array may have; 0 for any number
#
# GRID_ENGINE_INSTANCE=0..99 (0) tells clusters apart: each has its own addresses, ports, host names, group ids and
# directory, also apart from those of a Grid Engine that is installed on this machine.
set -eu

export PROGRAM=grid-engine.sh # for cluster.sh, as PREFIX, NET and STATE
INSTANCE=${GRID_ENGINE_INSTANCE:-0}
PREFIX=qmr$INSTANCE
MASTER=$PREFIX-master
NET=10.78.$INSTANCE
STATE=/var/lib/queue-map-reduce/grid-engine-$INSTANCE
# shellcheck source=test/engines/cluster.sh
. "$(dirname "$0")/cluster.sh"
check_instance GRID_ENGINE_INSTANCE "$INSTANCE"
UTS=$STATE/submit-host # the submit host's name space: its host name is $MASTER
MARK="# $PREFIX grid-engine.sh"
export SGE_ROOT=$STATE/root SGE_CELL=default SGE_QMASTER_PORT=$((16444 + 2 * INSTANCE)) SGE_EXECD_PORT=$((16445 + 2 * INSTANCE))
PROGRAMS='qacct qalter qconf qdel qhold qhost qmod qresub qrls qstat qsub'

is_up() { [ -e "$UTS" ] && [ "$(nsenter --uts="$UTS" uname -n 2>/dev/null)" = "$MASTER" ]; }

on_master() { nsenter --uts="$UTS" -- "$@"; }

# Grid Engine hands the environment of its daemons on to the jobs: it must not be that of whoever called this script.
as_daemon() {
	(cd / && umask 022 && exec env -i PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin SGE_ROOT="$SGE_ROOT" SGE_CELL="$SGE_CELL" \
		SGE_QMASTER_PORT="$SGE_QMASTER_PORT" SGE_EXECD_PORT="$SGE_EXECD_PORT" "$@" </dev/null)
}

install_packages() {
	are_there qconf sge_qmaster sge_execd ip unshare nsenter setpriv pgrep ||
		install_with_apt gridengine-master gridengine-exec gridengine-client iproute2 util-linux procps passwd
}

# --- the master

master_pid() { # empty when it does not run
	local pid
	pid=$(cat "$STATE/spool/qmaster/qmaster.pid" 2>/dev/null) || return 0
	if is_running "$pid" && [ "$(cat "/proc/$pid/comm")" = sge_qmaster ]; then echo "$pid"; fi
}

start_master() {
	[ -z "$(master_pid)" ] || return 0
	as_daemon nsenter --uts="$UTS" -- setpriv --reuid=sgeadmin --regid=sgeadmin --init-groups /usr/sbin/sge_qmaster
	for _ in $(seq 300); do
		on_master qconf -sh >/dev/null 2>&1 && return
		sleep 0.2
	done
	cat "$STATE/spool/qmaster/messages" >&2 || true
	die 'the master did not come up'
}

stop_master() { # at once, as a crash would
	local pid
	pid=$(master_pid)
	[ -z "$pid" ] || end_processes "$pid"
}

configure_master() { # before any node starts: a node reads its limits once, when it comes up
	local work
	work=$(mktemp -d)
	# root may submit; a silent host is "unknown" after 10 s instead of 5 minutes; accounting is written at once
	on_master qconf -sconf | sed -e '/^#/d' -e '/^ \{10,\}/d' \
		-e 's/^min_uid .*/min_uid 0/' -e 's/^min_gid .*/min_gid 0/' \
		-e 's/^max_unheard .*/max_unheard 00:00:10/' -e 's/^load_report_time .*/load_report_time 00:00:03/' \
		-e "s|^execd_spool_dir .*|execd_spool_dir $STATE/spool/execd|" \
		-e 's/^reporting_params .*/reporting_params accounting=true reporting=false flush_time=00:00:01 accounting_flush_time=00:00:01 joblog=false sharelog=00:00:00/' >"$work/global"
	quiet on_master qconf -Mconf "$work/global"
	# seqno: a job that asks for no queue goes to all.q, not to those of add-queue
	on_master qconf -ssconf | sed -e 's/^schedule_interval .*/schedule_interval 0:0:1/' -e 's/^flush_submit_sec .*/flush_submit_sec 1/' \
		-e 's/^flush_finish_sec .*/flush_finish_sec 1/' -e 's/^queue_sort_method .*/queue_sort_method seqno/' >"$work/scheduler"
	quiet on_master qconf -Msconf "$work/scheduler"
	rm -rf "$work"
}

set_limit() { # NAME NUMBER
	case "$2" in *[!0-9]*) die "Expected NUMBER to be a number, got $2" ;; esac
	local work
	work=$(mktemp -d)
	on_master qconf -sconf | sed -e '/^#/d' -e '/^ \{10,\}/d' -e "s/^$1 .*/$1 $2/" >"$work/global"
	quiet on_master qconf -Mconf "$work/global"
	rm -rf "$work"
}

# --- nodes

add_node() { # INDEX
	local name=$PREFIX-node$1 work
	echo "$NET.$((10 + $1)) $name $MARK" >>/etc/hosts
	add_network_of_node "$1"
	quiet on_master qconf -ah "$name"
	quiet on_master qconf -as "$name"
	work=$(mktemp -d)
	printf '%s\n' "hostname $name" 'load_scaling NONE' 'complex_values NONE' 'user_lists NONE' 'xuser_lists NONE' 'projects NONE' \
		'xprojects NONE' 'usage_scaling NONE' 'report_variables NONE' >"$work/host"
	quiet on_master qconf -Ae "$work/host"
	# A node knows the processes of a job by an additional group id. All nodes see all processes here, so each needs ids of its own.
	local gid=$((1000000 + INSTANCE * 100000 + $1 * 1000))
	echo "gid_range $gid-$((gid + 999))" >"$work/$name"
	quiet on_master qconf -Aconf "$work/$name"
	rm -rf "$work"
	start_node "$name"
}

start_node() { # NAME
	# shellcheck disable=SC2016 # the inner shell's $0
	as_daemon nsenter --net="/run/netns/$1" -- unshare --uts -- sh -c 'hostname "$0" && exec /usr/sbin/sge_execd' "$1"
}

# --- queues

add_all_queue() { # NODES SLOTS
	local work nodes
	work=$(mktemp -d)
	nodes=$(for i in $(seq "$1"); do printf '%s ' "$PREFIX-node$i"; done)
	printf 'group_name @allhosts\nhostlist %s\n' "${nodes:-NONE}" >"$work/group"
	quiet on_master qconf -Ahgrp "$work/group"
	{
		printf '%s\n' 'qname all.q' 'hostlist @allhosts' 'seq_no 0' "slots $2" 'qtype BATCH INTERACTIVE' 'pe_list make' 'rerun FALSE' 'shell /bin/sh' \
			'shell_start_mode posix_compliant' "tmpdir $STATE/tmp" 'priority 0' 'nsuspend 1' 'suspend_interval 00:05:00' 'min_cpu_interval 00:05:00' \
			'notify 00:00:60' 'processors UNDEFINED' 'initial_state default'
		for key in load_thresholds suspend_thresholds ckpt_list prolog epilog starter_method suspend_method resume_method terminate_method \
			owner_list user_lists xuser_lists subordinate_list complex_values projects xprojects calendar; do
			echo "$key NONE"
		done
		for limit in rt cpu fsize data stack core rss vmem; do printf 's_%s INFINITY\nh_%s INFINITY\n' "$limit" "$limit"; done
	} >"$work/queue"
	quiet on_master qconf -Aq "$work/queue"
	rm -rf "$work"
}

add_queue() { # NAME MODE
	case "$2" in
	posix_compliant | unix_behavior | script_from_stdin) ;;
	*) die "Expected MODE to be posix_compliant, unix_behavior or script_from_stdin, got $2" ;;
	esac
	local work verb=-Aq
	work=$(mktemp -d)
	on_master qconf -sq "$1" >/dev/null 2>&1 && verb=-Mq
	on_master qconf -sq all.q | sed -e "s/^qname .*/qname $1/" -e 's/^seq_no .*/seq_no 10/' -e "s/^shell_start_mode .*/shell_start_mode $2/" >"$work/queue"
	quiet on_master qconf "$verb" "$work/queue"
	rm -rf "$work"
}

# --- programs on the submit host

write_wrappers() { # DIRECTORY
	mkdir -p "$1"
	local program real
	for program in $PROGRAMS; do
		real=/usr/bin/$program
		cat >"$1/$program" <<WRAPPER
#!/bin/sh
# Written by grid-engine.sh: the real $program, on the submit host of cluster $PREFIX; on a host of another cluster, of that one.
case \$(uname -n) in $PREFIX-*) ;; qmr[0-9]*-*) exec $real "\$@" ;; esac
export SGE_ROOT=$SGE_ROOT SGE_CELL=$SGE_CELL SGE_QMASTER_PORT=$SGE_QMASTER_PORT SGE_EXECD_PORT=$SGE_EXECD_PORT
case \$(uname -n) in $PREFIX-*) exec $real "\$@" ;; esac
[ "\$(id -u)" = 0 ] || { echo "$program: only root gets to the submit host from here; use grid-engine.sh run-as USER CMD" >&2; exit 1; }
exec nsenter --uts=$UTS -- $real "\$@"
WRAPPER
		chmod 755 "$1/$program"
	done
}

# --- all of it

is_healthy() { # NODES SLOTS: this size, made by this very script, every node answers, no queue is in trouble
	is_up && [ "$(cat "$STATE/made" 2>/dev/null)" = "$(made_of "$1" "$2")" ] && all_nodes_answer "$1"
}

made_of() { echo "$1 nodes, $2 slots, $(cat "$0" "$(dirname "$0")/cluster.sh" | cksum)"; }

all_nodes_answer() { # NODES
	[ "$(on_master qstat -f -q all.q 2>/dev/null | awk '/^all.q@/ && NF == 5 && $5 !~ /NA/' | wc -l)" -eq "$1" ]
}

# By rename: while the file is written anew, no host of any cluster would be known. In some containers it is a mounted file, and can only be written:
# then over what is there, so that it is never empty.
forget_hosts() {
	grep -q "$MARK\$" /etc/hosts || return 0
	local hosts
	hosts=$(mktemp /etc/hosts.XXXXXX)
	grep -v "$MARK\$" /etc/hosts >"$hosts" || true
	chmod 644 "$hosts"
	mv -f "$hosts" /etc/hosts 2>/dev/null && return
	dd if="$hosts" of=/etc/hosts bs=1M conv=notrunc status=none
	truncate --size="$(stat -c %s "$hosts")" /etc/hosts
	rm -f "$hosts"
}

down() {
	remove_nodes
	stop_master
	forget_hosts
	remove_users
	umount "$UTS" 2>/dev/null || true
	rm -rf "$STATE"
	rmdir "${STATE%/*}" 2>/dev/null || true
}

up() { # NODES SLOTS
	check_size "$1" "$2"
	install_packages
	down
	mkdir -p "$SGE_ROOT/$SGE_CELL/common" "$STATE/spool/qmaster/job_scripts" "$STATE/spool/execd" "$STATE/spool/spooldb" "$STATE/tmp"
	# For queue-jobs: one that is killed with its node leaves its scratch directory behind.
	chmod 1777 "$STATE/tmp"
	local name
	for name in bin lib utilbin; do ln -s "/var/lib/gridengine/$name" "$SGE_ROOT/$name"; done
	ln -s /usr/share/gridengine/util "$SGE_ROOT/util"
	printf '%s\n' 'admin_user sgeadmin' 'default_domain none' 'ignore_fqdn false' 'spooling_method berkeleydb' 'spooling_lib libspoolb' \
		"spooling_params $STATE/spool/spooldb" 'binary_path /usr/sbin' "qmaster_spool_dir $STATE/spool/qmaster" 'security_mode none' \
		'listener_threads 2' 'worker_threads 2' 'scheduler_threads 1' >"$SGE_ROOT/$SGE_CELL/common/bootstrap"
	echo "$MASTER" >"$SGE_ROOT/$SGE_CELL/common/act_qmaster"
	chown -R sgeadmin:sgeadmin "$SGE_ROOT/$SGE_CELL" "$STATE/spool"

	echo "$NET.1 $MASTER $MARK" >>/etc/hosts
	add_bridge
	touch "$UTS"
	unshare --uts="$UTS" hostname "$MASTER"
	quiet setpriv --reuid=sgeadmin --regid=sgeadmin --init-groups \
		/usr/share/gridengine/scripts/init_cluster "$SGE_ROOT" "$SGE_CELL" "$STATE/spool/spooldb" sgeadmin
	start_master
	quiet on_master qconf -as "$MASTER"
	configure_master
	local i
	for i in $(seq "$1"); do add_node "$i"; done
	add_all_queue "$1" "$2"
	for _ in $(seq 300); do
		if all_nodes_answer "$1"; then
			made_of "$1" "$2" >"$STATE/made"
			return
		fi
		sleep 0.2
	done
	on_master qstat -f >&2
	die 'not every node came up'
}

ensure() { # NODES SLOTS
	local name
	for name in $(node_names); do heal_node "$name"; done
	is_healthy "$1" "$2" || up "$1" "$2"
}

verb=${1:-help}
[ $# -eq 0 ] || shift
case "$verb:$#" in
up:[0-2] | ensure:[0-2] | down:0 | status:0 | run:[1-9]* | run-as:[2-9] | run-as:[1-9][0-9]* | wrappers:1 | add-user:1 | add-queue:2) ;;
cut:1 | heal:1 | stop-node:1 | start-node:1 | stop-master:0 | start-master:0 | max-jobs:1 | max-elements:1) ;;
*) usage ;;
esac
[ "$(id -u)" = 0 ] || [ "$verb" = wrappers ] || die 'needs root'
case "$verb" in
up | ensure | down) one_at_a_time "$verb" "$@" ;;
wrappers) ;;
*) is_up || die 'no cluster is up: grid-engine.sh up' ;;
esac
case "$verb" in
up) up "${1:-2}" "${2:-8}" ;;
ensure) ensure "${1:-2}" "${2:-8}" ;;
down) down ;;
status) on_master qstat -f -u '*' ;;
run) on_master "$@" ;;
run-as) as_user on_master "$@" ;;
wrappers) write_wrappers "$1" ;;
add-user) add_user "$1" ;;
add-queue) add_queue "$1" "$2" ;;
cut) cut_node "$1" ;;
heal) heal_node "$1" ;;
stop-node) stop_node "$(node_name "$1")" ;;
start-node) start_node "$(node_name "$1")" ;;
stop-master) stop_master ;;
start-master) start_master ;;
max-jobs) set_limit max_u_jobs "$1" ;;
max-elements) set_limit max_aj_tasks "$1" ;;
esac
