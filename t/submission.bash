# SPDX-License-Identifier: ISC
# For bats files about submission: a server for alice and bob of example.org,
# next hops that misbehave, and somebody to talk to it.

setup_file() {
	cd "$BATS_FILE_TMPDIR"
	# An authority, and whom it vouches for.
	openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes \
	    -keyout ca -out cert -days 2 -subj /CN=Authority 2>/dev/null
	openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes \
	    -keyout key -out request -subj /CN=localhost \
	    -addext subjectAltName=DNS:localhost,IP:127.0.0.1 2>/dev/null
	openssl x509 -req -in request -CA cert -CAkey ca -CAcreateserial \
	    -copy_extensions copy -days 2 -out leaf 2>/dev/null
	cat leaf key >tls.pem
	mkdir control home
	export LEMON_CONTROL=$PWD/control
	cp tls.pem control/tls.pem
	printf 'example.org\n' >control/locals
	echo 0 >control/auth-delay
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
	mkdir -p spool
	TMPDIR=$PWD/spool tcpserver -HRl0 -1 127.0.0.1 0 lemon-submit "$@" >submit.fifo \
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

# say LINE…: a session as alice; the replies in $output.
say() {
	run python3 "$BATS_TEST_DIRNAME/submit_say.py" -l alice:secret \
	    "$SUBMIT" "$@"
}

count() {
	find "$1" -name '*.eml' 2>/dev/null | wc -l
}

FROM='MAIL FROM:<alice@example.org>'
BOB='RCPT TO:<bob@example.org>'
CAROL='RCPT TO:<carol@example.net>'
