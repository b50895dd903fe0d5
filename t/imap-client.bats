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
	PATH=${LEMON_BUILD:-build}/t:$PATH
	case $PATH in /*) ;; *) PATH=$OLDPWD/$PATH ;; esac
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
	for wrong in name authority expired; do
		serve $wrong
		run -2 urlfetch -C "$CA" "127.0.0.2:$PORT" alice sesame
		[[ $output == 'no TLS with the server: '* ]]
		serve $wrong -s
		run -2 urlfetch -I -C "$CA" "127.0.0.2:$PORT" alice sesame
		[[ $output == 'no TLS with the server: '* ]]
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
