# Read by .ci/run and .ci/long: steps, test suites, and the count of their results as the very last line.
# shellcheck shell=bash

RESULTS=$(mktemp -d)
chmod 1777 "$RESULTS" # suites also run as an ordinary user
TO_DO_AT_THE_END=:
trap 'finish $?' EXIT
trap 'exit 143' HUP INT TERM # or bash would end with the code of whatever came before

heading() { printf '\n=== %s (after %d s)\n' "$*" "$SECONDS"; }

# step TITLE COMMAND...: a failure is counted, and the rest goes on
step() {
	heading "$1"
	"${@:2}" || failed "$1"
}

failed() {
	echo "FAILED: $1"
	echo "$1" >>"$RESULTS/failed-steps"
}

# suite NAME COMMAND...: the command is a vitest, and takes more arguments at its end. A test that is skipped in every
# suite named engines* or long* counts as failed.
suite() {
	heading "$1: ${*:2}"
	local code=0
	echo 'not finished' >"$RESULTS/$1.exit-code"
	timeout --foreground 60m "${@:2}" --reporter=default --reporter=json "--outputFile.json=$RESULTS/$1.json" || code=$?
	echo "$code" >"$RESULTS/$1.exit-code"
}

finish() {
	trap - EXIT
	$TO_DO_AT_THE_END || true
	[ "$1" -eq 0 ] || failed "the script itself ended with exit code $1"
	local code=0
	node .ci/count.js "$RESULTS" || code=1
	rm -rf "$RESULTS"
	exit $code
}

TESTER=qmr-tester

# An ordinary user of the Grid Engine that is up, with a copy of what the tests need; `as_tester` runs a command as that user.
make_tester() {
	local home copy
	"$GRID_ENGINE" add-user "$TESTER"
	home=$(getent passwd "$TESTER" | cut -d: -f6)
	copy=$home/queue-map-reduce
	mkdir "$copy" "$copy/node_modules"
	cp -a dist src dummy-queue engine-contract examples test package.json tsconfig.json vitest*.ts "$copy"
	cp -a node_modules/. "$copy/node_modules"
	chown -R "$TESTER:" "$copy"

	as_tester=("$GRID_ENGINE" run-as "$TESTER" env -C "$copy")
	"${as_tester[@]}" node --version || failed "the user $TESTER can't run $(command -v node)"
}
