# SPDX-License-Identifier: ISC
# For bats files that want everything running: serve [-u USER:PASSWORD]…
# starts lemon-serve on free ports, in $DIR, and sets $IMAP $IMAPS
# $SUBMISSION $SUBMISSIONS $LMTP to them; unserve stops it.  The usual place
# is setup_file and teardown_file.

serve() {
	export DIR=${DIR:-$BATS_FILE_TMPDIR/serve} SERVE_PID
	local try base line word
	chmod 755 "$BATS_RUN_TMPDIR" "$BATS_FILE_TMPDIR" 2>/dev/null || :
	for try in 1 2 3 4 5 6 7 8; do
		base=$((10000 + (RANDOM * 32768 + RANDOM) % 40000))
		mkfifo "$BATS_FILE_TMPDIR/ready.$try"
		lemon-serve -d "$DIR" -p "$base" "$@" \
		    >"$BATS_FILE_TMPDIR/ready.$try" \
		    2>>"$BATS_FILE_TMPDIR/serve.log" 3>&- &
		SERVE_PID=$!
		if read -r line <"$BATS_FILE_TMPDIR/ready.$try"; then
			break
		fi
		wait "$SERVE_PID" || [ $? = 75 ] || return 1
		line=
	done
	case $line in
	ready\ *) ;;
	*) cat "$BATS_FILE_TMPDIR/serve.log"; return 1 ;;
	esac
	for word in $line; do
		case $word in
		imap=*) export IMAP=${word#*=} ;;
		imaps=*) export IMAPS=${word#*=} ;;
		submission=*) export SUBMISSION=${word#*=} ;;
		submissions=*) export SUBMISSIONS=${word#*=} ;;
		lmtp=*) export LMTP=${word#*=} ;;
		esac
	done
}

unserve() {
	kill "$SERVE_PID" 2>/dev/null || return 0
	wait "$SERVE_PID" 2>/dev/null || :
}

# What it said, for a test that fails: bats shows it.
serve_log() {
	cat "$BATS_FILE_TMPDIR/serve.log"
}
