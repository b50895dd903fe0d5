#!/usr/bin/env bats
# SPDX-License-Identifier: ISC
# The submission server between real clients and next hops that misbehave.

setup_file() {
	cd "$BATS_FILE_TMPDIR"
	openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes \
	    -keyout key -out cert -days 2 -subj /CN=localhost \
	    -addext subjectAltName=DNS:localhost,IP:127.0.0.1 2>/dev/null
	cat cert key >tls.pem
	mkdir control home
	export LEMON_CONTROL=$PWD/control
	cp tls.pem control/tls.pem
	printf 'example.org\n' >control/locals
	printf '%s\n' "$PWD/home/%u" >control/home
	for u in alice:secret bob:hush; do
		echo "${u#*:}" | lemon-user add "${u%:*}"
	done
}

setup() {
	cd "$BATS_TEST_TMPDIR"
	cp -R "$BATS_FILE_TMPDIR/control" control
	export LEMON_CONTROL=$PWD/control
	PIDS=
	echo mail.example.org >control/me
}

teardown() {
	[ -z "$PIDS" ] || kill $PIDS 2>/dev/null || :
}

# fake NAME OPTION…: a next hop that writes to NAME/; its port is in $PORT.
fake() {
	mkfifo "$1.fifo"
	python3 "$BATS_TEST_DIRNAME/fake_smtp.py" "${@:2}" "$1" >"$1.fifo" \
	    2>"$1.err" 3>&- &
	PIDS="$PIDS $!"
	read -r PORT <"$1.fifo"
}

lmtp() {
	fake lmtp -l -u "$PWD/lmtp.sock" "$@"
	echo "$PWD/lmtp.sock" >control/lmtp-socket
}

relay() {
	fake relay "$@"
	echo "127.0.0.1:$PORT" >control/relay
}

# submission OPTION…: the server, its port in $SUBMIT, its log in submit.log.
submission() {
	mkfifo submit.fifo
	tcpserver -HRl0 -1 127.0.0.1 0 lemon-submit "$@" >submit.fifo \
	    2>submit.log 3>&- &
	PIDS="$PIDS $!"
	read -r SUBMIT <submit.fifo
}

letter() {
	printf '%s\r\n' "From: Alice <alice@example.org>" \
	    "To: someone@example.net" "Subject: ${1:-hello}" \
	    "Date: Mon, 2 Jan 2006 15:04:05 +0000" \
	    "Message-ID: <1@example.org>" "" "Hi." ".dot" "" "Bye."
}

# send OPTION…: the letter in m, by swaks.
send() {
	[ -e m ] || letter >m
	swaks --server 127.0.0.1 --port "$SUBMIT" --tls --auth PLAIN \
	    --auth-user alice --auth-password secret \
	    --from alice@example.org --data @m "$@" >out 2>&1
}

count() {
	find "$1" -name '*.eml' 2>/dev/null | wc -l
}

@test "swaks submits to a local user and to the relay, octet for octet" {
	lmtp
	relay
	submission
	send --to bob@example.org,carol@example.net || { cat out; false; }
	[ "$(count lmtp)" = 1 ]
	[ "$(count relay)" = 1 ]
	cmp lmtp/1.eml relay/1.eml
	grep -q 'RCPT TO:<bob@example.org>' lmtp/1.env
	grep -q 'RCPT TO:<carol@example.net>' relay/1.env
	head -1 relay/1.eml | grep -q '^Received: from '
	sed -n '/^From:/,$p' relay/1.eml | head -c "$(stat -c %s m)" |
	    cmp - m
	grep -q 'submit user=alice rip=127.0.0.1' submit.log
}
