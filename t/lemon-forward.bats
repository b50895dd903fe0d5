#!/usr/bin/env bats
# SPDX-License-Identifier: ISC
# Forwarding without a download.
bats_require_minimum_version 1.5.0

load serve

setup_file() {
	unset "${!TCP@}" "${!SSL@}" LEMON_CONTROL
	serve -u alice:secret -u bob:secret
	cd "$BATS_FILE_TMPDIR"
	# A photo of 5 MB, as base64.
	head -c 5242880 /dev/urandom | base64 -w 76 >photo
	{
		printf 'From: carol@example.net\nSubject: photos\nMIME-Version: 1.0\n'
		printf 'Content-Type: multipart/mixed; boundary=b\n\n--b\n'
		printf 'Content-Type: text/plain\n\nhi\n--b\nContent-Type: image/png\n'
		printf 'Content-Transfer-Encoding: base64\n\n'
		cat photo
		printf -- '--b--\n'
	} >message
	LEMON_CONTROL=$DIR/control lemon-deliver alice <message
	mkfifo fifo
	python3 "$BATS_TEST_DIRNAME/fake_forward.py" . >fifo 2>fake.err 3>&- &
	export FAKE=$! IPORT SPORT LEMON_PASSWORD=secret
	read -r IPORT SPORT <fifo
}

teardown_file() {
	kill "$FAKE" 2>/dev/null || :
	unserve
}

setup() {
	cd "$BATS_FILE_TMPDIR"
}

# fake ORDER…: servers of our own do that, and have heard nothing so far.
fake() {
	[ $# = 0 ] && : >orders || printf '%s\n' "$@" >orders
	rm -f imap smtp
	touch imap smtp
}

# forward ARG…: with a cover text, to these servers.
forward() {
	printf 'see below\n' | lemon-forward -t none -i 127.0.0.1:$IPORT \
	    -s 127.0.0.1:$SPORT -u alice -f alice@example.org "$@"
}

# heard FILE PATTERN: that line was heard.
heard() {
	tr -d '\r' <"$1" | grep -qE -- "$2" || {
		tr -d '\r' <"$1"
		return 1
	}
}

# really ARG…: the same with the servers of lemon-serve
really() {
	printf 'see below\n' | lemon-forward -i localhost:$IMAP \
	    -s localhost:$SUBMISSION -u alice "$@" bob@localhost
}

# keywords FOLDER: those of its messages, as lemon-imapd tells them
keywords() {
	printf '1 LOGIN alice secret\r\n2 SELECT %s\r\n3 FETCH 1:* FLAGS\r\n4 LOGOUT\r\n' "$1" |
	    LEMON_CONTROL=$DIR/control LEMON_PLAINTEXT=1 lemon-imapd |
	    tr -d '\r' | sed -n 's/^\* .* FETCH (FLAGS (\(.*\)))/\1/p'
}

# arrived: what bob has got since the last time, whole and with the photo
arrived() {
	local got
	got=$(find "$DIR/users/bob/Maildir/new" -type f)
	[ "$(echo "$got" | wc -l)" = 1 ]
	mv "$got" got
	grep -q '^Subject: Fwd: photos$' got
	grep -q '^see below$' got
	# From the first line of the photo on.
	[ "$(grep -Fxf <(head -n 1 photo) -A "$(($(wc -l <photo) - 1))" got | cksum)" = \
	    "$(cksum <photo)" ]
}

unheard() {
	if tr -d '\r' <"$1" | grep -E -- "$2"; then
		return 1
	fi
}

@test "by CATENATE the message is put together in Sent, and submitted by its URL" {
	fake
	run -0 --separate-stderr forward -c -v -p 2 INBOX 5 bob@example.net
	heard imap '^4 STATUS Sent \(UIDNEXT\)$'
	heard imap '^5 APPEND Sent \(\\Seen \$SubmitPending \$Submitted\) CATENATE \(TEXT \{[0-9]+\+\}$'
	heard imap '^Subject: Fwd: photos$'
	heard imap '^Content-Type: text/plain; format=flowed; delsp=yes$'
	heard imap '^ URL ;UID=5/;SECTION=2.MIME URL ;UID=5/;SECTION=2 TEXT'
	heard imap '^6 GENURLAUTH imap://alice@127.0.0.1/Sent/;UID=40;EXPIRE=[-0-9]+T[:0-9]+Z;URLAUTH=submit\+alice INTERNAL$'
	heard smtp '^BURL imap://alice@127.0.0.1/Sent/;UID=40;EXPIRE=[-0-9]+T[:0-9]+Z;URLAUTH=submit\+alice:internal:00 LAST$'
	heard imap '^7 UID STORE 5 \+FLAGS.SILENT \$Forwarded$'
	heard imap '^8 SELECT Sent$'
	heard imap '^9 UID STORE 40 -FLAGS.SILENT \$SubmitPending$'
	[[ $stderr == *'imap 3 round trips'*'submission 3 round trips'* ]]
}

@test "by BURL the submission server puts the message together" {
	fake
	run -0 --separate-stderr forward --burl -v -p 2,3.1 INBOX 5 bob@example.net
	heard smtp '^BDAT [0-9]+$'
	heard smtp '^BURL imap://alice@127.0.0.1/INBOX;UIDVALIDITY=7/;UID=5/;SECTION=2.MIME;EXPIRE=.*:internal:00$'
	heard smtp '^BURL imap://alice@127.0.0.1/INBOX;UIDVALIDITY=7/;UID=5/;SECTION=2;EXPIRE=.*:internal:01$'
	heard smtp '^BURL imap://alice@127.0.0.1/INBOX;UIDVALIDITY=7/;UID=5/;SECTION=3.1;EXPIRE=.*:internal:03$'
	heard smtp '^BDAT [0-9]+ LAST$'
	unheard imap 'APPEND'
	heard imap 'UID STORE 5 \+FLAGS.SILENT \$Forwarded$'
	[[ $stderr == *'imap 3 round trips'*'submission 3 round trips'* ]]
}

@test "a subject that is given costs no look at the message" {
	fake
	forward -j 'Grüße' INBOX 5 bob@example.net
	unheard imap 'FETCH'
	heard imap '^Subject: =\?utf-8\?B\?R3LDvMOfZQ==\?=$'
	heard imap ' URL /INBOX/;UID=5 TEXT'
	heard imap '^[0-9]+ UID STORE 40 -FLAGS.SILENT \$SubmitPending$'
	heard imap '^[0-9]+ UID STORE 5 \+FLAGS.SILENT \$Forwarded$'
}

@test "a message can be named by a URL, and so can one part" {
	fake
	forward "imap://alice@127.0.0.1:$IPORT/Entw%C3%BCrfe;UIDVALIDITY=7/;UID=5/;SECTION=2" bob@example.net
	heard imap '^2 SELECT Entw&APw-rfe$'
	heard imap 'URL ;UID=5/;SECTION=2.MIME URL'
	run -65 forward "/INBOX;UIDVALIDITY=8/;UID=5" bob@example.net
	[[ $output == *'made anew'* ]]
}

@test "a URL of another owner or server is refused, and nothing of one's own is sent" {
	fake
	for owner in carl carl@example.org alice@example.net; do
		run -65 forward -u alice@example.org "imap://${owner/@/%40}@127.0.0.1/INBOX/;UID=5" bob@example.net
		[[ $output == *"the URL is of $owner's mail and you are alice@example.org; lemon-forward forwards your own mail" ]]
	done
	run -65 forward "imap://carl%1B@127.0.0.1/INBOX/;UID=5" bob@example.net
	[[ $output != *$'\e'* ]]
	run -64 forward 'imap://alice@mail.example.org/INBOX/;UID=5' bob@example.net
	[[ $output == *'the URL is of the server mail.example.org and -i says 127.0.0.1' ]]
	[ ! -s imap ]
	[ ! -s smtp ]
	# The same owner, as far as can be told here.
	for owner in alice Alice alice@example.org alice+phone; do
		forward "imap://${owner/@/%40}@127.0.0.1:143/INBOX/;UID=5" bob@example.net
	done
}

@test "who logs in with an app password is the account in URLs and From" {
	for user in alice+phone alice+phone@127.0.0.1; do
		account=${user/+phone}
		account=${account/@/%40}
		fake
		printf 'hi\n' | lemon-forward -t none -i 127.0.0.1:$IPORT \
		    -s 127.0.0.1:$SPORT -u $user -c INBOX 5 bob@example.net
		heard imap "^[0-9]+ LOGIN \"?${user/+/[+]}\"? "
		heard imap "GENURLAUTH \"?imap://$account@127.0.0.1/Sent/;UID=40;.*;URLAUTH=submit\+$account\"? INTERNAL"
		heard imap '^From: alice@127.0.0.1$'
		heard smtp '^MAIL FROM:<alice@127.0.0.1>'
	done
}

@test "what a server lacks is said, and the message goes the long way" {
	for lacks in CATENATE URLAUTH UIDPLUS BURL; do
		fake "lacks $lacks"
		run -0 forward -c -p 2 INBOX 5 bob@example.net
		[[ $output == *"lacks $lacks: what is forwarded is downloaded and uploaded"* ]]
		heard smtp '^photo of 2$'
		heard smtp '^photo of 2.MIME$'
		heard imap '^photo of 2$'
		heard imap '\$Forwarded'
		unheard smtp 'BURL imap'
		unheard imap GENURLAUTH
	done
	fake 'lacks CHUNKING'
	run -0 forward -b INBOX 5 bob@example.net
	[[ $output == *"lacks CHUNKING"* ]]
}

@test "without LITERAL+ and PIPELINING it takes longer and works as well" {
	fake 'lacks LITERAL+' 'lacks PIPELINING'
	forward -c INBOX 5 bob@example.net
	heard imap 'CATENATE \(TEXT \{[0-9]+\}$'
	heard smtp '^BURL .* LAST$'
	forward -b INBOX 5 bob@example.net
	heard smtp '^BDAT [0-9]+ LAST$'
}

@test "the copy's UID may be another than was likely" {
	fake 'APPEND OK [APPENDUID 7 41] there'
	forward -c INBOX 5 bob@example.net
	heard imap 'GENURLAUTH imap://alice@127.0.0.1/Sent/;UID=40;'
	heard imap 'GENURLAUTH imap://alice@127.0.0.1/Sent/;UID=41;'
	heard smtp '^BURL imap://alice@127.0.0.1/Sent/;UID=41;'
	heard imap 'UID STORE 41 -FLAGS'
}

@test "Sent is made where there is none" {
	fake 'STATUS NO [NONEXISTENT] none' 'APPEND OK [APPENDUID 9 1] there'
	forward -c INBOX 5 bob@example.net
	heard imap '^6 CREATE Sent$'
	heard smtp '^BURL imap://alice@127.0.0.1/Sent/;UID=1;'
}

@test "where all folders have a prefix so has Sent, but not one that was named" {
	for how in -c -d; do
		fake 'STATUS NO [NONEXISTENT] none' 'NAMESPACE * NAMESPACE (("INBOX." ".")) NIL NIL\nOK' 'APPEND OK [APPENDUID 9 1] there'
		run -0 --separate-stderr forward $how -v INBOX 5 bob@example.net
		heard imap ' CREATE INBOX.Sent$'
		heard imap ' APPEND INBOX.Sent '
		[[ $stderr == *', copy in INBOX.Sent'* ]]
	done
	for way in '-c -m Sent' '-b'; do
		fake 'STATUS NO [NONEXISTENT] none' 'APPEND OK [APPENDUID 9 1] there'
		forward $way INBOX 5 bob@example.net
		unheard imap NAMESPACE
	done
	# What is no prefix.
	for answer in 'NIL NIL NIL' '(("" "/")) NIL NIL' '(("&" ".")) NIL NIL'; do
		fake 'STATUS NO [NONEXISTENT] none' "NAMESPACE * NAMESPACE $answer\nOK" 'APPEND OK [APPENDUID 9 1] there'
		forward -c INBOX 5 bob@example.net
		heard imap ' CREATE Sent$'
	done
}

@test "-v says which way was taken, and how many have it" {
	for how in '-c|catenate, copy in Sent' '-b|burl, no copy' '-d|download, copy in Sent'; do
		fake
		run -0 --separate-stderr forward ${how%|*} -v INBOX 5 bob@example.net eve@example.net
		[[ $stderr == *"lemon-forward: ${how#*|}"$'\n'*'sent to 2 of 2'* ]]
		run -0 forward ${how%|*} INBOX 5 bob@example.net
		[ -z "$output" ]
	done
}

@test "a sender who is not taken is told once, and no recipient is blamed" {
	for how in -c -b -d; do
		fake 'MAIL 553 5.7.1 not yours'
		run -65 forward $how INBOX 5 bob@example.net eve@example.net
		[[ $output == *'the sender alice@example.org is not taken: 553 5.7.1 not yours; may you send as'* ]]
		[ "${#lines[@]}" = 1 ]
		[[ $output != *@example.net* ]]
	done
}

@test "a URL is relative only to the message's own mailbox" {
	fake 'SELECT NO [NONEXISTENT] none' 'APPEND OK [APPENDUID 9 1] there'
	run -0 forward -c -j hi INBOX 5 bob@example.net
	[[ $output == *'it is sent, but not marked so'* ]]
	heard imap '^2 SELECT Sent$'
	heard imap 'URL /INBOX/;UID=5 TEXT'
	heard imap '^[0-9]+ SELECT INBOX$'
}

@test "a message can be in the mailbox of sent mail" {
	fake
	forward -c Sent 5 bob@example.net
	[ "$(grep -c SELECT imap)" = 1 ]
	heard imap 'UID STORE 5 \+FLAGS.SILENT \$Forwarded$'
	heard imap 'UID STORE 40 -FLAGS.SILENT \$SubmitPending$'
	fake
	forward -c -j hi Sent 5 bob@example.net
	[ "$(grep -c SELECT imap)" = 1 ]
	heard imap 'UID STORE 5 \+FLAGS.SILENT \$Forwarded$'
}

@test "the copy of what was refused is taken back, and nothing is marked" {
	for how in 'BURL 554 5.6.6 no such message' 'RCPT 550 5.1.1 nobody' 'MAIL 451 4.3.0 later' 'GENURLAUTH BAD no'; do
		fake "$how"
		code=65
		[ "${how%% *}" != MAIL ] || code=75
		run -$code forward -c INBOX 5 bob@example.net
		heard imap 'UID STORE 40 \+FLAGS.SILENT \\Deleted$'
		heard imap 'UID EXPUNGE 40$'
		unheard imap 'Forwarded'
	done
}

@test "what took the place of Sent since then is left alone" {
	fake 'SELECT/2 * OK [UIDVALIDITY 8] v\nOK selected' 'BURL 554 5.6.6 no such message'
	run -65 forward -c INBOX 5 bob@example.net
	heard imap '^[0-9]+ SELECT Sent$'
	unheard imap 'STORE|EXPUNGE'
}

@test "one of two recipients who is refused is named, and the other has it" {
	fake 'RCPT/2 550 5.1.1 nobody'
	run -65 forward -c INBOX 5 bob@example.net eve@example.net
	[[ $output == *'eve@example.net: 550 5.1.1 nobody'* ]]
	[[ $output == *'sent to 1 of 2'* ]]
	[[ $output != *'bob@example.net'* ]]
	heard imap 'SubmitPending$'
	unheard imap 'EXPUNGE'
}

@test "where nobody knows whether it was sent the copy stays and says so" {
	# What comes before BURL was pipelined with it.
	for how in BURL RCPT MAIL; do
		fake $how
		run -75 forward -c INBOX 5 bob@example.net
		[[ $output == *'may have been sent'*'$SubmitPending'* ]]
		unheard imap 'EXPUNGE|-FLAGS|Forwarded'
	done
	for how in 'lacks PIPELINING' 'MAIL 421 4.3.2 closing'; do
		fake "$how" RCPT
		run -75 forward -c INBOX 5 bob@example.net
		[[ $output != *'may have been sent'* ]]
		heard imap 'UID EXPUNGE 40$'
	done
}

@test "each trouble has its exit code, and says what to do" {
	fake 'LOGIN NO [AUTHENTICATIONFAILED] no.' 'AUTHENTICATE NO [AUTHENTICATIONFAILED] no.'
	run -77 forward INBOX 5 bob@example.net
	[[ $output == *': no; are -u and the password right?'* ]]
	fake 'AUTH 535 5.7.8 no'
	run -77 forward INBOX 5 bob@example.net
	fake 'AUTH 454 4.7.0 not now'
	run -75 forward INBOX 5 bob@example.net
	fake 'SELECT NO [NONEXISTENT] no such mailbox'
	run -65 forward INBOX 5 bob@example.net
	[[ $output == *'no such mailbox; is its name right?'* ]]
	fake 'FETCH OK nothing'
	run -65 forward INBOX 5 bob@example.net
	[[ $output == *'there is none with that UID'* ]]
	fake 'APPEND NO [BADURL /INBOX;UID=5/;SECTION=9] no such part'
	run -65 forward -c -p 9 INBOX 5 bob@example.net
	[[ $output == *'no such part; has it such a part? -p names them' ]]
	fake 'MAIL 553 5.7.1 not yours'
	run -65 forward -b INBOX 5 bob@example.net
	[[ $output == *"may you send as alice@example.org? -f gives another address" ]]
	fake 'BURL 451 4.3.5 burlhosts cannot be read'
	run -75 forward -c INBOX 5 bob@example.net
	[[ $output == *': 451 4.3.5 burlhosts cannot be read' ]]
	fake 'BURL 554 5.6.6 not there'
	run -65 forward -b -p 9 INBOX 5 bob@example.net
	[[ $output == *'not there; is there such a part?'* ]]
	fake 'APPEND NO [OVERQUOTA] full'
	run -75 forward -c INBOX 5 bob@example.net
	IPORT=1
	run -75 forward INBOX 5 bob@example.net
	[[ $output == *"server 127.0.0.1:1: cannot reach the server"*'-i names another'* ]]
}

# calls PORT ARG…: with these it wants to talk to that port of 127.0.0.9.
calls() {
	ASAN_OPTIONS=${ASAN_OPTIONS-}:detect_leaks=0 strace -f -o calls \
	    -e trace=connect lemon-forward "${@:2}" -u alice \
	    -f alice@localhost INBOX 1 bob@example.net </dev/null || :
	grep -qF "sin_port=htons($1), sin_addr=inet_addr(\"127.0.0.9\")" calls
}

@test "ports that are not named are 143 and 587, or 993 and 465 under TLS" {
	[ -n "$(command -v strace)" ] || skip "no strace here"
	strace -o /dev/null true 2>/dev/null || skip "strace may not trace"
	fake
	calls 143 -t none -i 127.0.0.9
	calls 993 -I -t must -i 127.0.0.9
	calls 587 -t none -i 127.0.0.1:$IPORT -s 127.0.0.9
	calls 465 -I -t must -i localhost:$IMAPS -s 127.0.0.9
}

# greeted PORT ARG…: the first octet that comes to that port of 127.0.0.9 is
# that of TLS.
greeted() {
	rm -f first
	mkfifo listens
	python3 - "$1" >listens 2>/dev/null 3>&- <<-'END' &
	import socket, sys
	s = socket.create_server(("127.0.0.9", int(sys.argv[1])))
	s.settimeout(20)
	print(flush=True)
	c = s.accept()[0]
	c.settimeout(20)
	open("first", "wb").write(c.recv(1))
	END
	read -r _ <listens || :
	rm listens
	lemon-forward "${@:2}" -u alice -f alice@localhost INBOX 1 \
	    bob@example.net </dev/null || :
	wait $!
	[ "$(od -An -tx1 first)" = " 16" ]
}

@test "ports 993 and 465 are TLS from the first octet without -I" {
	python3 -c 'import socket
for p in 993, 465: socket.create_server(("127.0.0.9", p))' 2>/dev/null || skip "may not listen there"
	greeted 993 -i 127.0.0.9:993
	greeted 465 -i localhost:$IMAP -s 127.0.0.9:465
}

@test "a wrong command line is 64, and no password is one" {
	IPORT=1 SPORT=1
	run -64 forward INBOX
	run -64 forward INBOX 0 bob@example.net
	run -64 forward INBOX 5 'bob@example.net>'
	run -64 forward -p 0 INBOX 5 bob@example.net
	run -64 forward -t maybe INBOX 5 bob@example.net
	run -64 forward 'imap://x/INBOX' bob@example.net
	unset LEMON_PASSWORD
	run -64 forward INBOX 5 bob@example.net
	[[ $output == *'LEMON_PASSWORD'* ]]
	run -64 forward -w 9 INBOX 5 bob@example.net 9<&-
	run -75 forward -w 7 INBOX 5 bob@example.net 7<<<wrong
	run -0 lemon-forward --help
}

@test "a hostile IMAP server gets no command of its own into the submission" {
	fake 'GENURLAUTH * GENURLAUTH imap://alice@127.0.0.1/Sent/;UID=40 LAST"\nOK'
	run -75 forward -c INBOX 5 bob@example.net
	unheard smtp 'BURL'
	fake 'GENURLAUTH * GENURLAUTH {20}\nimap://x\r\nRSET\r\nab\nOK'
	run -75 forward -c INBOX 5 bob@example.net
	unheard smtp 'BURL'
}

@test "no octet of a hostile message becomes a line of its own" {
	fake 'FETCH * 3 FETCH (UID 5 BODY[HEADER.FIELDS (SUBJECT)] {35}\nSubject: a\rBcc: eve@example.net\n\n)\nOK'
	forward -b -p 2 INBOX 5 bob@example.net
	heard smtp '^Subject: Fwd: a Bcc: eve@example.net$'
	# What is downloaded goes by DATA, where it could end.
	fake 'FETCH/3 * 3 FETCH (UID 5 BODY[x] {8}\na\r.\rb\n\r)\nOK'
	run -65 forward -d -p 2 INBOX 5 bob@example.net
	[[ $output == *'ends no line'* ]]
	unheard smtp 'MAIL'
	unheard imap 'APPEND'
}

@test "the size of what is uploaded is declared, and none where URLs bring it" {
	fake
	forward -d INBOX 5 bob@example.net
	n=$(sed -n '/^DATA/,/^\.\r$/p' smtp | sed '1d; $d; s/^\.//' | wc -c)
	heard smtp "^MAIL FROM:<alice@example.org> SIZE=$n "
	for how in -b -c; do
		fake
		forward $how INBOX 5 bob@example.net
		heard smtp '^MAIL FROM:<alice@example.org> BODY='
	done
}

@test "a cover text with a lone CR is quoted-printable" {
	fake
	printf 'a\r.\rb\n' | lemon-forward -t none -i 127.0.0.1:$IPORT \
	    -s 127.0.0.1:$SPORT -u alice -f a@b -d -p 2 INBOX 5 bob@example.net
	heard smtp '^a=0D.=0Db$'
}

@test "a cover text that is no text is refused" {
	fake
	run -65 bash -c 'printf "\\377" | lemon-forward -t none -i 127.0.0.1:$1 -s 127.0.0.1:$2 -u alice -f a@b INBOX 5 bob@example.net' x $IPORT $SPORT
	[[ $output == *'not UTF-8'* ]]
	printf 'Grüße\n' | lemon-forward -t none -i 127.0.0.1:$IPORT -s 127.0.0.1:$SPORT -u alice -f a@b INBOX 5 bob@example.net
	heard imap '^Gr=C3=BC=C3=9Fe$'
	lemon-forward -t none -i 127.0.0.1:$IPORT -s 127.0.0.1:$SPORT -u alice -f a@b INBOX 5 bob@example.net </dev/null
}

@test "5 MB reach the recipient by CATENATE, URLAUTH and BURL for 2,400 octets, keywords apart" {
	really -c -p 2 INBOX 1		# makes Sent
	arrived
	[[ $(keywords INBOX) == *'$Forwarded'* ]]
	[ "$(keywords Sent)" = '\Seen $Submitted' ]
	# TLS from the first octet: STARTTLS costs round trips.
	IMAP=$IMAPS SUBMISSION=$SUBMISSIONS run -0 --separate-stderr \
	    really -I -v -c -p 2 INBOX 1
	arrived
	[[ $stderr =~ imap\ ([0-9]+)\ round\ trips,\ ([0-9]+)\ octets\ out,\ ([0-9]+)\ in ]]
	trips=${BASH_REMATCH[1]} octets=$((BASH_REMATCH[2] + BASH_REMATCH[3]))
	[[ $stderr =~ these\ ([0-9]+)\ and\ ([0-9]+) ]]
	octets=$((octets - BASH_REMATCH[1] - BASH_REMATCH[2]))
	[[ $stderr =~ submission\ ([0-9]+)\ round\ trips,\ ([0-9]+)\ octets\ out,\ ([0-9]+)\ in ]]
	octets=$((octets + BASH_REMATCH[2] + BASH_REMATCH[3]))
	echo "# $octets octets, $trips and ${BASH_REMATCH[1]} round trips" >&3
	[ $octets -le 2400 ]
	[ $trips = 3 ]
	[ "${BASH_REMATCH[1]}" = 3 ]
}

@test "5 MB reach the recipient by BDAT and BURL, whole or in part" {
	really -b -p 2 INBOX 1
	arrived
	really --burl INBOX 1
	arrived
	grep -q '^Content-Type: message/rfc822$' got
}

@test "5 MB reach the recipient with an app password" {
	printf '%s\n' another | lemon-user -c "$DIR/control" app alice phone
	LEMON_PASSWORD=another really -u alice+phone -c -p 2 INBOX 1
	arrived
	LEMON_PASSWORD=another really -u alice+phone -b -p 2 INBOX 1
	arrived
}

@test "5 MB reach the recipient by download and upload, if that is wanted" {
	run -0 --separate-stderr really -v -d -p 2 INBOX 1
	arrived
	[[ $stderr =~ imap\ [0-9]+\ round\ trips,\ 7[0-9]{6}\ octets\ out,\ 7[0-9]{6}\ in ]]
}

@test "mailboxes with odd names, and a Sent of another name" {
	wire=('Entw&APw-rfe' '"Lists/C d"' '"a%b;c=d"' 'q&-a')
	names=('Entwürfe' 'Lists/C d' 'a%b;c=d' 'q&a')
	{
		echo '1 LOGIN alice secret'
		for w in "${wire[@]}"; do
			printf '2 CREATE %s\n3 APPEND %s {38+}\n' "$w" "$w"
			printf 'Subject: photos\n\nin a mailbox here\n\n'
		done
		echo '4 LOGOUT'
	} | sed 's/$/\r/' | LEMON_CONTROL=$DIR/control LEMON_PLAINTEXT=1 lemon-imapd >said
	[ "$(grep -c APPENDUID said)" = 4 ] || cat said
	for n in "${names[@]}"; do
		really -c -m "Gesendet: $n" -j 'Fwd: photos' "$n" 1
		really -c "$n" 1
		really -b "$n" 1
	done
	[ "$(grep -l 'in a mailbox here' "$DIR"/users/bob/Maildir/new/* | wc -l)" = 12 ]
	rm -f "$DIR"/users/bob/Maildir/new/*
}

@test "TLS from the first octet, and a certificate that must fit" {
	sed -n '/BEGIN CERT/,$p' "$DIR/control/tls.pem" >ca || skip "tls.pem is the servers' own"
	for how in "-c localhost" "-b localhost" "-d 127.0.0.1"; do
		printf 'hi\n' | lemon-forward -I -t verify -C ca ${how% *} \
		    -i ${how#* }:$IMAPS -s ${how#* }:$SUBMISSIONS -u alice \
		    -f alice@localhost INBOX 1 bob@localhost
	done
	run -75 really -t verify INBOX 1
	[[ $output == *'no TLS with the server: '*certificate*'-C a file of certificates'* ]]
	run -65 forward -t must -i 127.0.0.1:$IMAP -s localhost:$SUBMISSION -f alice@localhost -c INBOX 1 bob@localhost
	[[ $output == *'by the name of -i?'* ]]
	[ "$(find "$DIR/users/bob/Maildir/new" -type f | wc -l)" = 3 ]
	rm -f "$DIR"/users/bob/Maildir/new/*
}

@test "no such message, part or mailbox sends nothing and leaves nothing" {
	before=$(keywords Sent | wc -l)
	run -65 really -c INBOX 9999
	run -65 really -c -p 7 INBOX 1
	run -65 really -b -p 7 INBOX 1
	run -65 really -d -p 7 INBOX 1
	run -65 really -c Nowhere 1
	LEMON_PASSWORD=wrong run -77 really -c INBOX 1
	[ "$(keywords Sent | wc -l)" = "$before" ]
	[ -z "$(find "$DIR/users/bob/Maildir/new" -type f)" ]
}

@test "Dovecot's mail is forwarded too, though it answers in an order of its own" {
	[ "$(id -u)" = 0 ] && command -v dovecot >/dev/null || skip "needs Dovecot, and root for it"
	fake
	mkdir dovecot
	chmod 755 . dovecot
	PYTHONPATH=$BATS_TEST_DIRNAME/../bench python3 - <<-'END'
	import imaplib, os, random, re, subprocess, servers
	c = servers.Dovecot(os.getcwd() + "/dovecot/d",
	    20000 + random.randrange(20000))
	try:
	    m = imaplib.IMAP4("127.0.0.1", c.imap)
	    m.login("conn", servers.PASSWORD)
	    m.append("INBOX", None, None, b"Subject: photos\r\n\r\nhi\r\n")
	    m.create("Sent")
	    for way in ("-c", "-b", "-d"):
	        r = subprocess.run(["lemon-forward", "-v", way, "-t", "none",
	            "-i", "localhost:%d" % c.imap, "-s",
	            "localhost:" + os.environ["SPORT"], "-u", "conn",
	            "INBOX", "1", "bob@example.net"], input=b"see below\n",
	            stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
	        assert r.returncode == 0, r
	        if way != "-d":
	            assert b"imap 3 round trips" in r.stdout, r
	    m.select("INBOX")
	    assert b"$Forwarded" in m.fetch("1", "FLAGS")[1][0]
	    m.select("Sent")
	    sent = m.fetch("1:*", "(FLAGS RFC822.SIZE)")[1]
	    assert len(sent) == 2 and all(re.search(
	        rb"\(\\Seen \$Submitted\)", s) for s in sent), sent
	    assert b"see below" in m.fetch("1", "BODY[]")[1][0][1]
	finally:
	    c.stop()
	END
	[ "$(grep -c '^BURL imap://conn@localhost/' smtp)" = 2 ]
}
