#!/bin/bash
# A real Slurm on one Debian machine, for tests. Needs root; installs what it needs with apt-get.
#
#   slurm.sh up [NODES] [SLOTS]      a new, empty cluster: a controller, and NODES nodes (2) of SLOTS processors (8; there need
#                                    not be so many). Every node is a network namespace with its own address, host name and
#                                    daemon; all share this machine's files. No accounting database, as on many real sites.
#   slurm.sh ensure [NODES] [SLOTS]  as up, but a cluster of this size that is up and healthy is left as it is
#   slurm.sh down                    ends the cluster and its jobs, and leaves nothing behind but the apt packages
#   slurm.sh status                  nodes and jobs
#
#   slurm.sh run CMD [ARG...]        runs CMD where sbatch, squeue, ... talk to this cluster
#   slurm.sh run-as USER CMD...      the same as another user
#   slurm.sh wrappers DIRECTORY      writes sbatch, squeue, scancel, ... that talk to this cluster, for PATH
#   slurm.sh add-user NAME           makes an ordinary user, removed by down
#
#   slurm.sh cut|heal NODE           takes a node off the network (after about 10 s it is "not responding"), and back;
#                                    node1 is short for the full name
#   slurm.sh stop-node|start-node NODE   kills all processes of a node, as a power failure does; boots it
#   slurm.sh stop-master|start-master
#   slurm.sh break-prolog|mend-prolog    every job fails before it begins, and its node is drained; all is well again
#   slurm.sh node-timeout SECONDS    after how long (600) a node that does not respond is given up, with its jobs
#   slurm.sh max-jobs NUMBER         how many jobs a user may have in the queue at once; 0 for any number
#
# SLURM_INSTANCE=0..99 (0) tells clusters apart: each has its own addresses, ports, host names and directory, also apart
# from those of a Slurm that is installed on this machine.
set -eu

export PROGRAM=slurm.sh # for cluster.sh, as the next three
INSTANCE=${SLURM_INSTANCE:-0}
PREFIX=qmrs$INSTANCE
NET=10.79.$INSTANCE
STATE=/var/lib/queue-map-reduce/slurm-$INSTANCE
# shellcheck source=test/engines/cluster.sh
. "$(dirname "$0")/cluster.sh"
check_instance SLURM_INSTANCE "$INSTANCE"
export SLURM_CONF=$STATE/slurm.conf
CLIENTS='sacct sacctmgr salloc sbatch scancel scontrol sinfo squeue srun'

# The environment of whoever called this script must not get into the jobs.
as_daemon() {
	(cd / && umask 022 && exec env -i PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin "$@" </dev/null)
}

install_packages() {
	are_there slurmctld slurmd munged sbatch ip unshare nsenter setpriv pgrep ||
		install_with_apt slurm-wlm munge iproute2 util-linux procps passwd
}

# --- daemons

pid_of() { # PIDFILE COMMAND: empty when it does not run
	local pid
	pid=$(cat "$1" 2>/dev/null) || return 0
	if is_running "$pid" && [ "$(cat "/proc/$pid/comm")" = "$2" ]; then echo "$pid"; fi
}

# One for each cluster: it checks who has sent a message.
start_munge() {
	mkdir -p "$STATE/munge"
	[ -f /etc/munge/munge.key ] || quiet /usr/sbin/mungekey --create
	# Its own copy: on this machine there may be none that it may read.
	cp /etc/munge/munge.key "$STATE/munge/key"
	chmod 600 "$STATE/munge/key"
	chown -R munge: "$STATE/munge"
	as_daemon setpriv --reuid=munge --regid="$(id -g munge)" --init-groups munged --key-file="$STATE/munge/key" \
		--socket="$STATE/munge/socket" --pid-file="$STATE/munge/pid" --log-file="$STATE/munge/log" --seed-file="$STATE/munge/seed"
}

master_pid() { pid_of "$STATE/slurmctld.pid" slurmctld; }

start_master() {
	[ -z "$(master_pid)" ] || return 0
	as_daemon slurmctld -f "$SLURM_CONF"
	for _ in $(seq 300); do
		scontrol ping 2>/dev/null | grep -q 'is UP' && return
		sleep 0.2
	done
	tail -n 20 "$STATE/log/slurmctld" >&2 || true
	die 'the controller did not come up'
}

# In good order: it writes down what it knows every five seconds, and after a crash in between it gives numbers out again that
# are in use, and drains the nodes for that.
stop_master() {
	local pid
	pid=$(master_pid)
	[ -n "$pid" ] || return 0
	kill "$pid"
	for _ in $(seq 200); do
		is_running "$pid" || return 0
		sleep 0.1
	done
	end_processes "$pid"
}

start_node() { # NAME
	# shellcheck disable=SC2016 # the inner shell's words
	as_daemon nsenter --net="/run/netns/$1" -- unshare --uts -- sh -c 'hostname "$0" && exec slurmd -f "$1" -N "$0"' "$1" "$SLURM_CONF"
}

# --- settings

write_settings() { # NODES SLOTS
	local i host
	host=$(uname -n)
	mkdir -p "$STATE/spool/slurmctld" "$STATE/log"
	{
		# What is nobody's wish is as it is by default at other sites. What is used of memory is looked at every second; of what nobody
		# asks for there is more than this machine has.
		cat <<CONF
ClusterName=$PREFIX
SlurmctldHost=${host%%.*}($NET.1)
SlurmctldPort=$((26800 + INSTANCE))
SlurmdPort=$((26900 + INSTANCE))
AuthType=auth/munge
AuthInfo=socket=$STATE/munge/socket
CredType=cred/munge
SlurmUser=root
SlurmdUser=root
StateSaveLocation=$STATE/spool/slurmctld
SlurmdSpoolDir=$STATE/spool/%n
SlurmctldPidFile=$STATE/slurmctld.pid
SlurmdPidFile=$STATE/%n.pid
SlurmctldLogFile=$STATE/log/slurmctld
SlurmdLogFile=$STATE/log/%n
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/linux
JobAcctGatherFrequency=task=1
JobAcctGatherParams=OverMemoryKill
SchedulerType=sched/builtin
SchedulerParameters=batch_sched_delay=0,sched_min_interval=100000
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU_Memory
DefMemPerCPU=16000
SlurmdParameters=config_overrides
ReturnToService=2
MpiDefault=none
MaxArraySize=1001
MaxJobCount=100000
KillWait=2
OverTimeLimit=0
AccountingStorageType=accounting_storage/none
JobCompType=jobcomp/none
Prolog=$STATE/prolog
CONF
		for i in $(seq "$1"); do echo "NodeName=$PREFIX-node$i NodeAddr=$NET.$((10 + i)) CPUs=$2 RealMemory=$((16000 * $2)) State=UNKNOWN"; done
		echo 'PartitionName=main Nodes=ALL Default=YES MaxTime=INFINITE State=UP'
		echo "Include $STATE/changing.conf"
	} >"$SLURM_CONF"
	# Nodes take over a changed configuration when they like: this is the same always.
	printf '#!/bin/sh\n[ ! -e "%s" ]\n' "$STATE/prolog-is-broken" >"$STATE/prolog"
	chmod 755 "$STATE/prolog"
	write_changing
}

write_changing() { # what is changed while the cluster is up
	local timeout max
	timeout=$(cat "$STATE/node-timeout" 2>/dev/null || echo 600)
	max=$(cat "$STATE/max-jobs" 2>/dev/null || echo 0)
	echo "SlurmdTimeout=$timeout" >"$STATE/changing.conf"
	[ "$max" = 0 ] || echo 'JobSubmitPlugins=lua' >>"$STATE/changing.conf"
}

mend_prolog() {
	local name
	rm -f "$STATE/prolog-is-broken"
	# Those that are not drained say that they need not be resumed.
	for name in $(node_names); do scontrol update nodename="$name" state=resume 2>/dev/null || true; done
}

node_timeout() { # SECONDS
	case "$1" in *[!0-9]*) die "Expected SECONDS to be a number, got $1" ;; esac
	echo "$1" >"$STATE/node-timeout"
	write_changing
	quiet scontrol reconfigure
}

# Without an accounting database Slurm has no limits by user: a script counts, and refuses with Slurm's own code and words for it.
max_jobs() { # NUMBER
	case "$1" in *[!0-9]*) die "Expected NUMBER to be a number, got $1" ;; esac
	cat >"$STATE/job_submit.lua" <<LUA
local ESLURM_ACCOUNTING_POLICY = 2050
local waiting = {[0] = true, [1] = true, [2] = true} -- pending, running, suspended
local accepted = {} -- slurm.jobs is as old as a second
function slurm_job_submit(job_desc, part_list, submit_uid)
	local count, now = 0, os.time()
	for _, job in pairs(slurm.jobs) do
		if job.user_id == submit_uid and waiting[job.job_state] then count = count + 1 end
	end
	for _, at in ipairs(accepted) do
		if now - at < 2 then count = count + 1 end
	end
	if count < $1 then
		table.insert(accepted, now)
		return slurm.SUCCESS
	end
	slurm.log_user("QOSMaxSubmitJobPerUserLimit")
	return ESLURM_ACCOUNTING_POLICY
end
function slurm_job_modify(job_desc, job_rec, part_list, modify_uid) return slurm.SUCCESS end
LUA
	echo "$1" >"$STATE/max-jobs"
	write_changing
	quiet scontrol reconfigure
}

# --- users and programs

write_wrappers() { # DIRECTORY
	mkdir -p "$1"
	local program
	for program in $CLIENTS; do
		cat >"$1/$program" <<WRAPPER
#!/bin/sh
# Written by slurm.sh: the real $program, for the cluster $PREFIX; in a job of another cluster, for that one.
export SLURM_CONF="\${SLURM_CONF:-$SLURM_CONF}"
exec /usr/bin/$program "\$@"
WRAPPER
		chmod 755 "$1/$program"
	done
}

# --- all of it

is_up() { [ -e "$STATE/made" ]; }

is_healthy() { # NODES SLOTS: this size, made by this very script, and every node can take jobs
	is_up && [ "$(cat "$STATE/made")" = "$(made_of "$1" "$2")" ] && all_nodes_answer "$1"
}

made_of() { echo "$1 nodes, $2 slots, $(cat "$0" "$(dirname "$0")/cluster.sh" | cksum)"; }

all_nodes_answer() { # NODES
	[ "$(sinfo -h -N -o %T 2>/dev/null | grep -cE '^(idle|mixed|allocated|completing)$')" -eq "$1" ]
}

down() {
	local pid
	remove_nodes
	for pid in $(master_pid) $(pid_of "$STATE/munge/pid" munged); do end_processes "$pid"; done
	remove_users
	rm -rf "$STATE"
	rmdir "${STATE%/*}" 2>/dev/null || true
}

up() { # NODES SLOTS
	check_size "$1" "$2"
	install_packages
	down
	mkdir -p "$STATE"
	local i
	add_bridge
	write_settings "$1" "$2"
	start_munge
	start_master
	for i in $(seq "$1"); do
		add_network_of_node "$i"
		start_node "$PREFIX-node$i"
	done
	for _ in $(seq 300); do
		if all_nodes_answer "$1"; then
			made_of "$1" "$2" >"$STATE/made"
			return
		fi
		sleep 0.2
	done
	sinfo -N -l >&2
	tail -n 20 "$STATE"/log/* >&2
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
up:[0-2] | ensure:[0-2] | down:0 | status:0 | run:[1-9]* | run-as:[2-9] | run-as:[1-9][0-9]* | wrappers:1 | add-user:1) ;;
cut:1 | heal:1 | stop-node:1 | start-node:1 | stop-master:0 | start-master:0 | break-prolog:0 | mend-prolog:0 | node-timeout:1 | max-jobs:1) ;;
*) usage ;;
esac
case "$verb" in
wrappers | run) ;;
*) [ "$(id -u)" = 0 ] || die 'needs root' ;;
esac
case "$verb" in
up | ensure | down) one_at_a_time "$verb" "$@" ;;
wrappers) ;;
*) is_up || die 'no cluster is up: slurm.sh up' ;;
esac
case "$verb" in
up) up "${1:-2}" "${2:-8}" ;;
ensure) ensure "${1:-2}" "${2:-8}" ;;
down) down ;;
status)
	sinfo -N -l
	squeue
	;;
run) "$@" ;;
run-as) as_user command "$@" ;;
wrappers) write_wrappers "$1" ;;
add-user) add_user "$1" ;;
cut) cut_node "$1" ;;
heal) heal_node "$1" ;;
stop-node) stop_node "$(node_name "$1")" ;;
start-node) start_node "$(node_name "$1")" ;;
stop-master) stop_master ;;
start-master) start_master ;;
break-prolog) touch "$STATE/prolog-is-broken" ;;
mend-prolog) mend_prolog ;;
node-timeout) node_timeout "$1" ;;
max-jobs) max_jobs "$1" ;;
esac
