#!/usr/bin/env bats
# SPDX-License-Identifier: ISC
# The recipes of README.md do what they say: they are cut out of it and run,
# with this machine's paths, ports and users in place of the real ones.

load room

setup() {
	umask 022
	T=$BATS_TEST_TMPDIR
	chmod 755 "$BATS_RUN_TMPDIR" "$BATS_RUN_TMPDIR/test" "$T"
	export HOME=$T/home LEMON_CONTROL=$T/etc
	mkdir -p "$HOME/Mail"		# mutt and mbsync want one
	mkdir "$LEMON_CONTROL" "$T/bin"
	# The checkout may be where the mail's account cannot go.
	cp "$(dirname "$(command -v lemon-imapd)")"/lemon-* "$T/bin"
	cp -r "$(dirname "$(command -v lemon-imapd)")/../libexec" "$T"
	PATH=$T/bin:$PATH
	SERVERS=
	ME=$(id -un) GROUP=$(id -gn)
	if [ "$(id -u)" = 0 ]; then
		ME=nobody GROUP=$(id -gn nobody)
	fi
	printf 'From: a@example.org\nSubject: by the book\n\nbody\n' \
	    >"$T/message"
	cd "$T"
}

teardown() {
	for s in $SERVERS; do
		kill "$s" && wait "$s" || :
	done
}

# recipe HEADING [N]: the Nth piece of indented text below that bold heading
recipe() {
	awk -v head="**$1" -v want="${2:-1}" '
		index($0, "**") == 1 { on = index($0, head) == 1; n = 0 }
		!on { next }
		/^    / { if (!in_piece) n++; in_piece = 1
			if (n == want) print substr($0, 5); next }
		/^$/ && in_piece { held = 1; if (n == want) print ""; next }
		{ in_piece = 0 }
	' "$BATS_TEST_DIRNAME/../README.md" | sed "s,/etc/lemon,$T/etc,g
		s,/srv/mail,$T/mail,g
		s,/run/lemon,$T/run,g
		s,-g vmail -m,-g $GROUP -m,g
		s,vmail,$ME,g"
}

# manual PAGE WORD: that example, with this machine's paths and users
manual() {
	example "$1" "$2" | sed "s,/etc/lemon,$T/etc,g
		s,vmail,$ME,g"
}

@test "recipe: no set-up at all, with mbsync" {
	recipe "No set-up" | grep '^lemon-deliver' >deliver
	sh -e deliver
	printf '#!/bin/sh\nshift 2\ncd && exec "$@"\n' >bin/ssh
	chmod 755 bin/ssh
	recipe "No set-up" | sed -n '/^IMAPStore/,$p' >"$HOME/.mbsyncrc"
	grep -q '^Create Near' "$HOME/.mbsyncrc"
	mbsync mail
	grep -rq 'by the book' "$HOME/Mail/INBOX"
}

@test "recipe: no set-up at all, with mutt" {
	recipe "No set-up" | grep '^lemon-deliver' >deliver
	sh -e deliver
	printf "%s\n" 'set wait_key = no' 'set timeout = 1' \
	    "push '<pipe-message>cat >$T/seen<enter><exit>'" >rc
	recipe "No set-up" | grep '^mutt' | sed 's/$/ -n -F rc/' >read
	TERM=vt100 timeout 40 script -qefc "sh read" /dev/null </dev/null \
	    >screen || { cat screen; false; }
	grep -q 'by the book' seen
}

@test "recipes: accounts, tcpserver, and a socket for what users submit" {
	openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 \
	    -nodes -keyout key.pem -out chain.pem -subj /CN=localhost \
	    2>/dev/null
	recipe Accounts | sed '/^useradd/d' >accounts
	sh -e accounts >listed
	grep -q '^alice' listed

	recipe tcpserver 2 >socket
	sed '/^unixserver/d' socket | sh -e
	recipe tcpserver >services
	sed -n 's/ ::0 [0-9]* / 127.0.0.1 0 /;s/ 127.0.0.1 24 / 127.0.0.1 0 /
		s/ -vRHl0/ -1RHl0/;p' services |
	    awk '/^tcpserver/ { $0 = "exec " $0 } { print }' >line
	[ "$(grep -c '^exec tcpserver' line)" = 5 ]
	serve() {
		{ head -n 1 line; grep -e "$1" line; } >"run.$2"
		mkfifo "port.$2"
		sh "run.$2" >"port.$2" 2>"log.$2" 3>&- &
		SERVERS="$SERVERS $!"
		read -r PORT <"port.$2" || { cat "log.$2"; return 1; }
	}
	# on_socket PIECE SOCKET
	on_socket() {
		{ head -n 1 line; sed -n 's/^unixserver/exec &/p' "$1"; } \
		    >"run.$1"
		sh "run.$1" 2>"log.$1" 3>&- &
		SERVERS="$SERVERS $!"
		until [ -S "run/$2" ]; do
			kill -0 "${SERVERS##* }"
			sleep 0.05
		done
	}
	serve 'lemon-imapd$' imap
	imap=$PORT
	serve 'lemon-imapd -s$' imaps
	imaps=$PORT
	serve 'lemon-submit$' submit
	submit=$PORT
	on_socket socket lmtp

	recipe tcpserver 3 >urls
	sed '/^unixserver/d' urls | sh -e
	on_socket urls urlfetch
	printf '0:,0:,1:x,' >request
	[ "$(unixclient "$(cat etc/urlfetch-socket)" \
	    sh -c 'cat request >&7; head -c 1 <&6')" = - ]

	swaks --silent 2 --server 127.0.0.1 --port "$submit" --tls \
	    --auth PLAIN --auth-user alice+phone --auth-password moresecret \
	    --from alice@example.org --to alice@example.org \
	    --h-Subject 'by the book'
	curl -sS -k --ssl-reqd -u alice:secret \
	    "imap://127.0.0.1:$imap/INBOX;UID=1" | grep 'by the book'
	curl -sS -k -u alice@example.org:secret \
	    "imaps://127.0.0.1:$imaps/INBOX;UID=1" | grep 'by the book'
}

@test "recipe: a link to one attachment" {
	mkdir -p mail/alice etc/users/alice
	[ "$ME" = "$(id -un)" ] || chown "$ME:$GROUP" mail/alice
	printf '%s\n' "$T/mail/%u" >etc/home
	printf '%s\n' 'MIME-Version: 1.0' \
	    'Content-Type: multipart/mixed; boundary=b' '' --b '' text --b \
	    'Content-Transfer-Encoding: base64' '' aGVsbG8= --b-- |
	    lemon-deliver alice
	recipe "A link to one attachment" >link
	sh -e link >out
	grep -q '^  part 2: ' out
	[ "$(cat attachment)" = hello ]
	url=$(sed -n 's/^url=\$(\(.*\))$/\1/p' link | sh -e)
	[[ $url = *"/;UID=1/;SECTION=2;EXPIRE="* ]]
}

@test "README names the packages that a build needs" {
	want=$(sed -n '/^# build/,/^# demo/{/^#/d;p}' \
	    "$BATS_TEST_DIRNAME/../.ci/packages" | paste -sd' ')
	grep -qx "    apt-get install $want" "$BATS_TEST_DIRNAME/../README.md"
}

@test "manual: ticket keys are made, and then rotated, for the servers alone" {
	manual lemon-control.5 tickets.new >rotate
	sh -e rotate
	[[ $(<etc/tickets) =~ ^[0-9a-f]{160}$ ]]
	first=$(<etc/tickets)
	sh -e rotate
	[ "$(wc -l <etc/tickets)" = 2 ]
	[ "$(sed -n 2p etc/tickets)" = "$first" ]
	[ "$(stat -c %a:%U etc/tickets)" = "600:$ME" ]
	[ "$(ls etc)" = tickets ]
}

@test "manual: a verifier made by hand, and what the relay wants of us" {
	echo secret >password
	install -d -o "$ME" -m 700 etc/users
	manual lemon-verifier.1 lemon-verifier | sh -e
	[ "$(stat -c %a:%U etc/users/alice/verifier)" = "400:$ME" ]
	[ ! -e verifier ]
	[ "$(lemon-user list)" = alice ]
	manual lemon-submit.8 relay-auth | sh -e
	[ "$(stat -c %a:%U etc/relay-auth)" = "600:$ME" ]
}

@test "manual and README tell Postfix the same" {
	flat() { tr -s ' \n' '  ' | grep -o 'lemon unix .*'; }
	recipe "Postfix delivers" 2 | flat >there
	manual lemon-deliver.8 'lemon unix' | flat | cmp - there
}
