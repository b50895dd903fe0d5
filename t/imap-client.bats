#!/usr/bin/env bats
# SPDX-License-Identifier: ISC
# The IMAP client of the library at servers that speak TLS, with
# certificates that are right and wrong.  BUILD/t/urlfetch is its program.

bats_require_minimum_version 1.5.0

load room

setup_file() {
	cd "$BATS_FILE_TMPDIR"
	openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes \
	    -keyout ca -out cert -days 2 -subj /CN=Authority 2>/dev/null
	leaf good IP:127.0.0.2 2
	leaf name IP:127.0.0.9,DNS:imap.example.org 2
	leaf expired IP:127.0.0.2 -1
	openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes \
	    -keyout key -out self -days 2 -subj /CN=127.0.0.2 \
	    -addext subjectAltName=IP:127.0.0.2 2>/dev/null
	cat self key >authority.pem
}

# leaf NAME FOR DAYS: NAME.pem, for whom the authority vouches
leaf() {
	openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes \
	    -keyout key -out request -subj /CN=x \
	    -addext "subjectAltName=$2" 2>/dev/null
	openssl x509 -req -in request -CA cert -CAkey ca -CAcreateserial \
	    -copy_extensions copy -days "$3" -out leaf 2>/dev/null
	cat leaf key >"$1.pem"
}

setup() {
	room
	export LEMON_AUTH_DELAY=0
	CA=$BATS_FILE_TMPDIR/cert
	BUILD=${LEMON_BUILD:-$BATS_TEST_DIRNAME/../build}
	PATH=$BUILD/t:$PATH
	mkdir -p control home/alice
	echo "$T/home/%u" >control/home
	echo sesame | lemon-user add alice 2>/dev/null
	[ "$(id -u)" != 0 ] || chown nobody:nogroup home/alice
	SERVERS=
}

teardown() {
	local s
	for s in $SERVERS; do
		kill "$s" && wait "$s" || :
	done
}

# serve CERTIFICATE [-s]: lemon-imapd on another address, its port in $PORT
serve() {
	cp "$BATS_FILE_TMPDIR/$1.pem" control/tls.pem
	mkfifo "port$1$2"
	tcpserver -1RHl0 127.0.0.2 0 lemon-imapd ${2:+"$2"} >"port$1$2" \
	    2>>log 3>&- &
	SERVERS="$SERVERS $!"
	read -r PORT <"port$1$2"
}

@test "a certificate for the address, from the authority, is good" {
	serve good
	run -0 urlfetch -C "$CA" "127.0.0.2:$PORT" alice sesame
	run -0 urlfetch -t must "127.0.0.2:$PORT" alice sesame
	run -2 urlfetch -C "$CA" "127.0.0.2:$PORT" alice wrong
	serve good -s
	run -0 urlfetch -I -C "$CA" "127.0.0.2:$PORT" alice sesame
	run -0 urlfetch -I -C "$CA" -a alice "127.0.0.2:$PORT" alice sesame
	grep -q 'login user=alice .*tls=TLSv1.3' log
}

@test "one for another name, from another authority, or of yesterday is not" {
	declare -A why=([name]='mismatch' [authority]='self-signed' [expired]='expired')
	for wrong in "${!why[@]}"; do
		serve $wrong
		run -2 urlfetch -C "$CA" "127.0.0.2:$PORT" alice sesame
		[[ $output == 'no TLS with the server: '*"${why[$wrong]}"* ]]
		serve $wrong -s
		run -2 urlfetch -I -C "$CA" "127.0.0.2:$PORT" alice sesame
		[[ $output == 'no TLS with the server: '*"${why[$wrong]}"* ]]
	done
	# The password was never said.
	run -1 grep 'login user' log
	# By the system's authorities, ours is nobody.
	serve good
	run -2 urlfetch "127.0.0.2:$PORT" alice sesame
	[[ $output == 'no TLS with the server: '* ]]
}

@test "a password is not said without TLS where TLS is wanted" {
	mkfifo port
	tcpserver -1RHl0 127.0.0.2 0 lemon-imapd >port 2>>log 3>&- &
	SERVERS=$!
	read -r PORT <port
	run -2 urlfetch -t must "127.0.0.2:$PORT" alice sesame
	[[ $output == 'the server does not offer TLS' ]]
	run -2 urlfetch -t none "127.0.0.2:$PORT" alice sesame
	[[ $output == 'the server takes no password without TLS' ]]
}

# deliver: a message of two parts for alice, with a large second one
deliver() {
	{
		printf 'Subject: two\nMIME-Version: 1.0\n'
		printf 'Content-Type: multipart/mixed; boundary=b\n\n--b\n\nhi\n'
		printf -- '--b\nContent-Type: text/x-large\n\n'
		seq 1 200000
		printf '\n--b--\n'
	} >message
	lemon-deliver -r alice@localhost alice <message
}

@test "URLs are fetched from lemon-imapd under TLS on another address" {
	deliver
	serve good
	at=imap://alice@127.0.0.2/INBOX
	urlfetch -g -C "$CA" "127.0.0.2:$PORT" alice sesame \
	    "$at/;UID=1/;SECTION=1;URLAUTH=authuser" \
	    "$at/;UID=1/;SECTION=2;URLAUTH=user+alice" \
	    "$at/;UID=1/;SECTION=9;URLAUTH=authuser" >signed
	mapfile -t url <signed
	[ ${#url[@]} = 3 ]
	run -0 urlfetch -C "$CA" "127.0.0.2:$PORT" alice sesame "${url[0]}"
	[ "$output" = hi ]
	urlfetch -C "$CA" "127.0.0.2:$PORT" alice sesame "${url[1]}" "${url[0]}" \
	    "${url[1]}" >got
	{ seq 1 200000; echo hi; seq 1 200000; } | sed 's/$/\r/' >want
	truncate -s -2 want
	[ "$(tr -d '\r\n' <got | cksum)" = "$(tr -d '\r\n' <want | cksum)" ]
	run -1 urlfetch -C "$CA" "127.0.0.2:$PORT" alice sesame "${url[2]}" \
	    "${url[0]}" "${url[0]}0" "${url[0]%?}"
	[[ $output == *hi* && $output == *"NIL ${url[2]}"* ]]
	[[ $output == *"NIL ${url[0]}0"* ]]
}

# A Debian has Dovecot or Cyrus: the latter is unpacked beside.
@test "URLs are fetched from Cyrus, in plain text and under TLS" {
	[ "$(id -u)" = 0 ] || skip "needs root for it"
	[ -x /usr/lib/cyrus/bin/master ] || skip "no cyrus-common"
	compgen -G "$BATS_TEST_DIRNAME/../build/peers/cyrus-imapd_*.deb" >/dev/null ||
	    [ -x /usr/lib/cyrus/bin/imapd ] || skip "no cyrus-imapd"
	export PYTHONPATH=$BATS_TEST_DIRNAME/../bench LEMON_BUILD=$BUILD
	mkdir cyrus
	python3 - <<-'END'
	import imaplib, os, random, subprocess, servers
	c = servers.Cyrus(os.getcwd() + "/cyrus/c",
	    20000 + random.randrange(20000))
	def fetch(*args):
	    return subprocess.run(["urlfetch", *args], check=True,
	        stdout=subprocess.PIPE).stdout
	try:
	    host = "localhost:%d" % c.imap
	    who = ["conn", servers.PASSWORD]
	    m = imaplib.IMAP4("127.0.0.1", c.imap)
	    m.login(*who)
	    large = b"".join(b"%d\r\n" % i for i in range(100000))
	    m.append("INBOX", None, None, b"Subject: two\r\n\r\n" + large)
	    rumps = ["imap://conn@localhost/INBOX/;UID=1" + s for s in
	        ("/;SECTION=HEADER;URLAUTH=user+conn", ";URLAUTH=authuser")]
	    urls = fetch("-g", "-t", "none", host, *who, *rumps).decode().split()
	    want = b"Subject: two\r\n\r\n"
	    want += want + large
	    for how in (["-t", "none", host], ["-t", "must", host],
	        ["-C", c.root + "/cert.pem", host],
	        ["-I", "-C", c.root + "/cert.pem", "localhost:%d" % c.imaps]):
	        assert fetch(*how, *who, *urls) == want, how
	    bad = subprocess.run(["urlfetch", "-t", "none", host, *who,
	        urls[0][:-1] + "x", urls[1]], stdout=subprocess.PIPE)
	    assert (bad.returncode, bad.stdout) == (1, want[16:]), bad
	    wrong = subprocess.run(["urlfetch", host, *who, *urls])
	    assert wrong.returncode == 2
	finally:
	    c.stop()
	END
}
