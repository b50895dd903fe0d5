#!/usr/bin/env bats
# SPDX-License-Identifier: ISC
# GNU SASL as client logs in to lemon-submit by every mechanism.

bats_require_minimum_version 1.5.0

# cert NAME FILE: a certificate of its own
cert() {
	openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 \
	    -nodes -days 2 -subj "/CN=$1" -addext "subjectAltName=DNS:$1" \
	    -keyout "$2.key" -out "$2.crt" 2>/dev/null
}

setup_file() {
	umask 022
	export T=$BATS_FILE_TMPDIR LEMON_CONTROL=$BATS_FILE_TMPDIR/control
	chmod 755 "$BATS_RUN_TMPDIR" "$BATS_RUN_TMPDIR"/* "$T"
	mkdir "$T/control" "$T/bin"
	cp "$(command -v lemon-submit)" "$T/bin"
	cp -r "$(dirname "$(command -v lemon-submit)")/../libexec" "$T"
	echo example.org >"$LEMON_CONTROL/locals"
	echo mx.example.org >"$LEMON_CONTROL/me"
	cert localhost "$T/server"
	cert alice "$T/alice"
	cert carol "$T/carol"
	cat "$T/server.crt" "$T/server.key" >"$LEMON_CONTROL/tls.pem"
	cat "$T/alice.crt" "$T/carol.crt" >"$T/ca.pem"
	as=
	if [ "$(id -u)" = 0 ]; then
		chown -R 65534:65534 "$T"
		as='-u 65534 -g 65534'
	fi
	echo secret | lemon-user add alice
	echo app | lemon-user app alice phone -s submit
	echo app | lemon-user app alice tv -s imap
	mkfifo "$T/port"
	CAFILE=$T/ca.pem tcpserver $as -1RHl0 127.0.0.1 0 \
	    "$T/bin/lemon-submit" >"$T/port" 2>"$T/log" 3>&- &
	export SERVER=$! PORT
	read -r PORT <"$T/port"
}

teardown_file() {
	[ -n "${SERVER:-}" ] || return 0
	kill "$SERVER"
	wait "$SERVER" || :
}

# login MECHANISM NAME PASSWORD [OPTION]…
login() {
	mech=$1 name=$2 password=$3
	shift 3
	run timeout 60 gsasl --smtp --connect "localhost:$PORT" \
	    --x509-ca-file="$T/server.crt" -m "$mech" -a "$name" \
	    -p "$password" -z '' "$@" </dev/null
	echo "$output"
	[ "$status" = 0 ]
}

# tried OPTION… : every mechanism with a password, by that client
tried() {
	for m in PLAIN LOGIN SCRAM-SHA-1-PLUS SCRAM-SHA-256-PLUS; do
		login $m "$@"
	done
	for m in SCRAM-SHA-1 SCRAM-SHA-256; do
		login $m "$@" --no-cb
	done
}

@test "every mechanism lets in by password, bound to TLS 1.3 or not at all" {
	tried alice secret
	grep -q 'mech=SCRAM-SHA-256-PLUS tls=TLSv1.3' "$T/log"
}

@test "and bound to TLS 1.2" {
	login SCRAM-SHA-256-PLUS alice secret \
	    --priority=NORMAL:-VERS-TLS1.3
	login SCRAM-SHA-1-PLUS alice secret \
	    --priority=NORMAL:-VERS-TLS1.3
	grep -q 'mech=SCRAM-SHA-1-PLUS tls=TLSv1.2' "$T/log"
}

@test "every mechanism takes a domain of ours and an app password" {
	tried alice@example.org secret
	tried alice+phone app
	tried alice+phone@example.org app
}

@test "every mechanism refuses the same way" {
	for m in PLAIN LOGIN SCRAM-SHA-1-PLUS SCRAM-SHA-256-PLUS; do
		for who in 'alice wrong' 'carol secret' 'alice+tv app' \
		    'alice+none app' 'alice@example.com secret'
		do
			run ! login $m $who
			[[ $output == *'535 5.7.8 '* ]]
		done
	done
}

@test "who was refused is in the log, on one line, with the reason" {
	echo app | lemon-user app alice old -e 2020-01-01
	for m in PLAIN LOGIN SCRAM-SHA-256-PLUS; do
		for who in 'alice wrong' 'mallory x' 'alice+tv app' 'alice+old app'
		do
			run ! login $m $who
		done
		for said in alice=credentials mallory=credentials \
		    alice+tv=scope alice+old=expired
		do
			grep "auth-failed user=${said%=*} .* mech=$m .*" \
			    "$T/log" | grep "why=${said#*=}$"
		done
	done
	run ! login PLAIN $'al ice\e[1m\xe2\x80\xae' x
	grep -qF 'auth-failed user=al\x20ice' "$T/log"
	run ! login PLAIN "$(printf '%0600d' 7)" x
	[ "$(awk 'length > 1000' "$T/log")" = "" ]
	run ! grep -q '[^ -~]' "$T/log"
}

@test "in clear there is SCRAM and no password" {
	login SCRAM-SHA-256 alice secret --no-starttls
	run ! login PLAIN alice secret --no-starttls
	[[ $output != *'235 2.7.0 '* ]]
	run ! login LOGIN alice secret --no-starttls
	[[ $output != *'235 2.7.0 '* ]]
}

@test "a client's certificate is a login" {
	login EXTERNAL x x --x509-cert-file="$T/alice.crt" \
	    --x509-key-file="$T/alice.key"
	grep -q 'login user=alice .*mech=EXTERNAL' "$T/log"
	run ! login EXTERNAL x x --x509-cert-file="$T/carol.crt" \
	    --x509-key-file="$T/carol.key"
	run ! login EXTERNAL x x
	[[ $output != *'235 2.7.0 '* ]]
}

@test "nothing else is offered" {
	login PLAIN alice secret
	[ "$(grep -a '^250.AUTH ' <<<"$output" | tr -d '\r')" = \
	    "250-AUTH SCRAM-SHA-256 SCRAM-SHA-1
250-AUTH SCRAM-SHA-256-PLUS SCRAM-SHA-1-PLUS SCRAM-SHA-256 SCRAM-SHA-1 PLAIN LOGIN" ]
	for m in CRAM-MD5 DIGEST-MD5 ANONYMOUS NTLM; do
		run ! login $m alice secret
		[[ $output != *'235 2.7.0 '* ]]
	done
}
