#!/usr/bin/env bats
# SPDX-License-Identifier: ISC
# Signed URLs in the shell.

bats_require_minimum_version 1.5.0

load room

setup() {
	room
	mkdir control home
	chmod 755 control home
	printf '%s\n' "$T/home/%u" >control/home
	echo example.org >control/locals
	echo mail.example.org >control/me
	SERVED=
}

teardown() {
	[ -z "$SERVED" ] || kill "$SERVED" 2>/dev/null || :
}

# account NAME…: with a home of its own, which an ordinary user of the system
# owns.
account() {
	local u
	for u; do
		mkdir -p "control/users/$u" "home/$u"
		[ "$(id -u)" != 0 ] || chown nobody:nogroup "home/$u"
	done
}

# A message of two parts, the second one of base64.
letter() {
	printf '%s\n' 'From: Alice <alice@example.org>' 'Subject: two parts' \
	    'MIME-Version: 1.0' 'Content-Type: multipart/mixed; boundary=b' '' \
	    --b '' "${1:-hello}" --b 'Content-Type: application/pdf' \
	    'Content-Transfer-Encoding: base64' '' aGVsbG8gd29ybGQK --b--
}

alice() {
	account alice
	letter | lemon-deliver alice
}

urlauth() {
	run --separate-stderr lemon-urlauth "$@"
}

mint() {
	lemon-urlauth mint "$@"
}

# invalid WHY: the last run said so, in one line without a token.
invalid() {
	[ "$status" = 1 ]
	[ -z "$output" ]
	[ "$(printf '%s\n' "$stderr" | wc -l)" = 1 ]
	[[ $stderr = "lemon-urlauth: $1: "* ]] || { echo "$stderr"; false; }
	[[ $stderr != *:internal:* ]]
}

imap() {
	printf '%s\r\n' "$@" 'z logout' | lemon-imapd alice 2>/dev/null
}

# cookbook WORD: that piece of the manual's
cookbook() {
	example lemon-urlauth.1 "$1" | sed 's/\\e/\\/g'
}

@test "the manual's cookbook: a link to an attachment, piped to a program" {
	alice
	mkdir bin
	printf '#!/bin/sh\n[ "$*" = "- -" ] && tr a-z A-Z\n' >bin/pdftotext
	chmod 755 bin/pdftotext
	cookbook pdftotext >recipe
	run --separate-stderr env PATH="$T/bin:$PATH" sh -e recipe
	[ "$output" = "HELLO WORLD" ]
	[ -z "$stderr" ]
}

@test "the manual's cookbook: what is in a message" {
	alice
	cookbook "explain alice '/INBOX/;UID=1'" >recipe
	sh -e recipe >both
	[ "$(head -n 1 both)" = "mailbox INBOX of alice: 1 message" ]
	tail -n +3 both >out
	diff - out <<-'X'
	message 1 in mailbox INBOX of alice: message/rfc822, 229 octets
	  part 1: text/plain, 7bit, 5 octets
	  part 2: application/pdf, base64, 16 octets
	not signed
	X
}

@test "the manual's cookbook: links to all parts, and which of them are good" {
	alice
	account bob
	cookbook '>links' >recipe
	sh -e recipe
	[ "$(wc -l <links)" = 2 ]
	grep -q 'SECTION=2;EXPIRE=2037-12-24T23:59:59Z;URLAUTH=authuser:' links
	sed '1s/.$/x/' links >x
	cookbook '2>bad' >recipe
	sh -e recipe
	cmp links good
	[ ! -s bad ]
	lemon-urlauth revoke alice
	! sh -e recipe || false
	[ ! -s good ]
	[ "$(grep -c 'revoked' bad)" = 2 ]
}

@test "the manual's cookbook: some of a message, a CGI program, BURL, revoke" {
	alice
	cookbook 0.1024 >recipe
	sh -e recipe >out
	grep -q '^Subject: two parts' out
	cookbook QUERY_STRING >cgi
	url=$(mint -u 1 -p 2 alice)
	QUERY_STRING=$url sh cgi >out
	printf 'Content-Type: application/octet-stream\r\n\r\nhello world\n' |
	    cmp - out
	QUERY_STRING=${url}0 sh cgi | grep -q '^Status: 403'
	LEMON_CONTROL=/dev/null QUERY_STRING=$url sh cgi | grep -q '^Status: 503'
	cookbook submit+alice >recipe
	sh -e recipe >burl
	run ! lemon-urlauth fetch -c alice alice <burl
	lemon-urlauth fetch -c submit+alice alice <burl | grep -q aGVsbG8
	cookbook 'revoke -m' >recipe
	sh -e recipe
	QUERY_STRING=$url sh cgi | grep -q '^Status: 403'
}

@test "mint makes a URL from a mailbox, a UID and a part, good for an hour" {
	alice
	before=$(date +%s)
	url=$(mint -u 1 -p 1 alice)
	[[ $url =~ ^imap://alice@mail.example.org/INBOX\;UIDVALIDITY=[0-9]+/\;UID=1/\;SECTION=1\;EXPIRE=([^\;]*)\;URLAUTH=anonymous:internal:[0-9a-f]{66}$ ]]
	until=$(date -d "${BASH_REMATCH[1]}" +%s)
	[ $((until - before)) -ge 3600 ]
	[ $((until - before)) -le 3700 ]
	[ "$(lemon-urlauth fetch alice "$url")" = hello ]
	[ "$(mint -u 1 -n localhost:10143 -e never alice |
	    sed 's/;UIDVALIDITY=[0-9]*//; s/:internal:.*//')" = \
	    'imap://alice@localhost:10143/INBOX/;UID=1;URLAUTH=anonymous' ]
}

@test "mint signs what it is given as it is written" {
	alice
	for rump in 'imap://alice@h/inbox/;uid=1;URLAUTH=anonymous' \
	    'imap://alice@h/%49NBOX/;UID=1/;SECTION=1;EXPIRE=2037-01-01t00:00:00.5+01:00;URLAUTH=anonymous'
	do
		url=$(mint alice "$rump")
		[ "${url%:internal:*}" = "$rump" ]
		lemon-urlauth verify alice "$url"
	done
	urlauth mint -e +1d alice "$rump"
	invalid "it says itself who may read it, and until when"
	urlauth mint alice "$url"
	invalid "it has a token already"
}

@test "what mint prints is what lemon-imapd takes, and the reverse" {
	alice
	url=$(mint -u 1 -p 1 alice)
	imap "a urlfetch \"$url\"" | grep -qxF "* URLFETCH \"$url\" {5}"$'\r'
	url=$(imap 'a genurlauth "imap://alice@h/INBOX/;UID=1/;SECTION=1;URLAUTH=authuser" INTERNAL' |
	    sed -n 's/^\* GENURLAUTH "\(.*\)".*/\1/p')
	[ "$(lemon-urlauth fetch -c alice alice "$url")" = hello ]
	imap 'a resetkey INBOX' >/dev/null
	urlauth fetch -c alice alice "$url"
	invalid "revoked, or never valid"
}

@test "URLs come one on a line, too" {
	alice
	printf '%s\n' '/INBOX/;UID=1/;SECTION=1' '' '/INBOX/;UID=1/;SECTION=2' |
	    mint alice >urls
	[ "$(wc -l <urls)" = 2 ]
	lemon-urlauth verify alice <urls | cmp - urls
	[ "$(tr '\n' '\t' <urls | sed 's/\t$//; s/\t/\r\n/' |
	    lemon-urlauth fetch alice)" = helloaGVsbG8gd29ybGQK ]
	[ "$(lemon-urlauth fetch alice $(cat urls))" = helloaGVsbG8gd29ybGQK ]
	urlauth fetch alice </dev/null
	[ "$status" = 0 ]
	[ -z "$output$stderr" ]
	head -c 100000 /dev/zero | tr '\0' x >long
	urlauth verify alice <long
	invalid "That URL is too long"
}

@test "folders are named as the server shows them" {
	alice
	imap 'a create "Lists/C &- D"' 'a create Entw&APw-rfe' \
	    'a copy 1 x' 'b select inbox' 'b copy 1 "Lists/C &- D"' \
	    'b copy 1 Entw&APw-rfe' >/dev/null
	for f in 'Lists/C & D' Entwürfe; do
		url=$(mint -u 1 -p 1 -m "$f" alice)
		[ "$(lemon-urlauth fetch alice "$url")" = hello ]
		imap "a urlfetch \"$url\"" | grep -q '^hello'
	done
	[[ $url = *'/Entw%C3%BCrfe;UIDVALIDITY='* ]]
	printf 'INBOX. .\n' >control/namespace
	url=$(mint -u 1 -p 1 -m 'Lists/C & D' alice)
	[[ $url = *'/INBOX.Lists.C%20%26%20D;UIDVALIDITY='* ]]
	[ "$(lemon-urlauth fetch alice "$url")" = hello ]
	imap "a urlfetch \"$url\"" | grep -q '^hello'
}

@test "-p names any section, -r some octets, -d takes the encoding off" {
	alice
	part() {
		lemon-urlauth fetch alice "$(mint -u 1 "$@" alice)"
	}
	[ "$(part -p 'HEADER.FIELDS (subject)')" = $'Subject: two parts\r\n\r' ]
	[ "$(part -p 2.MIME | wc -l)" = 3 ]
	[ "$(part -p 2 -r 4.3)" = bG8 ]
	[ "$(part -p 2 -r 99)" = "" ]
	url=$(mint -u 1 -p 2 alice)
	[ "$(lemon-urlauth fetch -d alice "$url")" = "hello world" ]
	url=$(mint -u 1 -p 2 -r 6 alice)
	[ "$(lemon-urlauth fetch -d alice "$url")" = world ]
	letter | sed s/base64/x-none/ | lemon-deliver alice
	url=$(mint -u 2 -p 2 alice)
	urlauth fetch -d alice "$url"
	invalid "its encoding is unknown or malformed"
}

@test "why a URL is not valid is one line, and exit 1" {
	alice
	account bob
	urlauth mint -u 9 alice
	invalid "no such message or part"
	urlauth mint -u 1 -p 3 alice
	invalid "no such message or part"
	urlauth mint -e 2020-01-01 -u 1 alice
	invalid expired
	urlauth mint alice 'imap://bob@h/INBOX/;UID=1'
	invalid "it is bob's mail, not alice's"
	urlauth mint alice /INBOX
	invalid "no URL of a message, which is as /INBOX/;UID=1"
	urlauth mint alice INBOX/1
	invalid "no URL of a message, which is as /INBOX/;UID=1"
	urlauth mint alice '/INBOX/;UID=1;SECTION=2'
	invalid 'a "/" stands before ;SECTION='
	urlauth mint alice -u 1
	invalid "options stand before the user"
	urlauth mint alice '/Nowhere/;UID=1'
	invalid "no such mailbox"
	urlauth revoke alice INBOX
	[ "$status" = 64 ]
	[[ $stderr == *'revoke takes a mailbox by -m, before the user' ]]
	urlauth mint alice http://h/
	invalid "That is no IMAP URL"
	urlauth explain alice '/Größe/;UID=1'
	invalid "A character in the URL has to be percent-encoded"
	urlauth fetch alice 'imap://alice@h/INBOX/;UID=1;URLAUTH=anonymous'
	invalid "it is not signed: lemon-urlauth mint signs it"
	urlauth fetch alice "$(mint -a user+bob -u 1 alice)"
	invalid "wrong access: it is for the user bob; -c says who wants to read"
	url=$(mint -a submit+bob -u 1 alice)
	for caller in alice bob submit+alice submit+; do
		urlauth fetch -c $caller alice "$url"
		invalid "wrong access"
	done
	lemon-urlauth verify -c submit+bob alice "$url"
	url=$(mint -u 1 alice)
	urlauth fetch bob "$url"
	[ "$status" = 75 ]	# bob has no mail
	letter | lemon-deliver bob
	urlauth fetch bob "$url"
	invalid "it is alice's mail, not bob's"
	urlauth verify bob "$url"
	invalid "it is alice's mail, not bob's"
	imap 'a select inbox' 'a store 1 +flags \deleted' 'a expunge' >/dev/null
	urlauth fetch alice "$url"
	invalid "no such message or part"
	lemon-urlauth revoke -m inbox alice
	urlauth fetch alice "$url"
	invalid "revoked, or never valid"
}

@test "who reads only the beginning of what is fetched hears no complaint" {
	account alice
	{
		printf 'Subject: long\n\n'
		yes 'so it goes' | head -n 100000
	} | lemon-deliver alice || :
	mint -u 1 alice >url
	{ lemon-urlauth fetch alice <url 2>err || echo $? >code; } | head -n 1
	[ ! -s err ]
	[ "$(cat code)" = 75 ]
}

@test "what a stranger calls a URL is no option" {
	alice
	url=$(mint -a user+bob -u 1 alice)
	for option in -h -cbob -s --; do
		run --separate-stderr lemon-urlauth verify alice "$option" <<<"$url"
		invalid "options stand before the user"
	done
}

@test "a URL expires after the second that it names" {
	alice
	url=$(mint -e +2s -u 1 -p 1 alice)
	until=${url##*;EXPIRE=}
	until=$(date -d "${until%%;*}" +%s)
	while now=$(date +%s); urlauth verify alice "$url"; [ "$status" = 0 ]
	do
		[ "$now" -le "$until" ]
	done
	[ "$(date +%s)" -gt "$until" ]
	invalid expired
}

@test "wrong usage is exit 64, nobody and no mailbox are 65, and later is 75" {
	alice
	url=$(mint -u 1 alice)
	for args in '' 'sign alice' 'mint' 'mint -u 0 alice' 'mint -u x alice' \
	    'mint -m INBOX alice /INBOX/;UID=1' 'mint -u 1 alice /INBOX/;UID=1' \
	    'mint -u 1 -a everybody alice' 'mint -u 1 -a user+ alice' \
	    'mint -u 1 -e tomorrow alice' 'mint -u 1 -e +1y alice' \
	    'mint -u 1 -e +99999999999999999999s alice' \
	    'mint -u 1 -e +999999w alice' 'mint -u 1 -p 0 alice' \
	    'mint -u 1 -p 1] alice' 'mint -u 1 -r 1.0 alice' \
	    'mint -u 1 -r 4294967296 alice' 'mint -u 1 -n a/b alice' \
	    'verify -u 1 alice' 'fetch -m x alice' 'revoke -d alice' \
	    'revoke alice x' 'explain -e +1h alice'
	do
		urlauth $args
		[ "$status" = 64 ] && [ -z "$output" ] ||
		    { echo "$args: $status $output"; false; }
	done
	urlauth mint -u 1 nobody
	[ "$status" = 65 ]
	urlauth mint -u 1 -m nowhere alice
	[ "$status" = 65 ]
	urlauth revoke -m nowhere alice
	[ "$status" = 65 ]
	# The key cannot be read.
	rm home/alice/Maildir/lemon-metadata
	mkdir home/alice/Maildir/lemon-metadata
	urlauth fetch alice "$url"
	[ "$status" = 75 ]
	[ -z "$output" ]
	urlauth explain alice "$url"
	[ "$status" = 75 ]
	urlauth verify ./none "$url"
	[ "$status" = 75 ]
	[ ! -e none ]
}

@test "explain says what a URL names, for whom, until when, and whether it is good" {
	alice
	urlauth explain alice "$(mint -a user+bob@example.org -u 1 -p 2 -r 4.8 \
	    -e 2037-12-24 alice)"
	[ "$status" = 0 ]
	[ -z "$stderr" ]
	diff - <(echo "$output") <<-'X'
	8 octets, from 4 on, of part 2 of message 1 in mailbox INBOX of alice: application/pdf, 8 octets
	for the user bob@example.org, until 2037-12-24 23:59:59 UTC
	good
	X
	url=$(mint -a submit+bob -u 1 -p TEXT -e never alice)
	urlauth explain alice "$url"
	[ "$status" = 0 ]
	[ "${lines[1]}" = "for the submission server in the name of bob, for ever" ]
	urlauth explain -c bob alice "$url"
	[ "$status" = 1 ]
	[ "${lines[2]}" = "not good: wrong access" ]
	lemon-urlauth revoke alice
	urlauth explain alice "$url"
	[ "$status" = 1 ]
	[ "${lines[2]}" = "not good: revoked, or never valid" ]
	urlauth explain alice $'imap://alice@h/%0A%1b[31m/;UID=1'
	[ "$status" = 1 ]
	[[ $output != *$'\e'* ]]
	urlauth explain alice /INBOX/\;UID=9
	[ "$status" = 1 ]
	[ "${lines[1]}" = "not signed: no such message or part" ]
	for url in '/Nowhere/;UID=9' /Nowhere; do
		urlauth explain alice "$url"
		[ "$status" = 1 ]
		[ "${lines[1]}" = "not signed: no such mailbox" ]
	done
}

@test "explain lists what a mailbox has, the newest twenty, on one line each" {
	alice
	urlauth explain alice /INBOX
	[ "$status" = 0 ]
	[ "$output" = $'mailbox INBOX of alice: 1 message\n  message 1: no date, Alice <alice@example.org>, two parts' ]
	printf '%s\n' 'From: =?utf-8?q?Bj=C3=B6rn?= <b@example.org>' \
	    'Date: Mon, 2 Jan 2006 23:04:05 -0500' \
	    'Subject: =?utf-8?q?a=0A=1B[31mplan?=' '' x | lemon-deliver alice
	urlauth explain alice /INBOX
	[ "${lines[2]}" = '  message 2: 2006-01-03, Björn <b@example.org>, a\x0a\x1b[31mplan' ]
	for ((i = 3; i <= 25; i++)); do
		printf 'From: %0200d\nSubject: %s\n\n' 0 $i | lemon-deliver alice
	done
	urlauth explain alice imap://alice@h/INBOX
	[ "${#lines[@]}" = 21 ]
	[ "${lines[0]}" = 'mailbox INBOX of alice: 25 messages, of which the newest are' ]
	[[ ${lines[1]} == '  message 6: no date, 000'*'000, 6' ]]
	[[ ${lines[20]} == '  message 25: no date, 000'*'000, 25' ]]
	urlauth explain alice imap://bob@h/INBOX
	[ "$status" = 1 ]
	[ "${#lines[@]}" = 2 ]
	urlauth explain alice '/INBOX;UIDVALIDITY=1'
	[ "$status" = 1 ]
}

@test "explain says each part's type, file name, encoding and octets" {
	account alice
	letter | sed 's,application/pdf,&; name="=?utf-8?q?Pl=C3=A4ne?=.pdf",' |
	    lemon-deliver alice
	urlauth explain alice '/INBOX/;UID=1'
	[ "${lines[1]}" = '  part 1: text/plain, 7bit, 5 octets' ]
	[ "${lines[2]}" = '  part 2: application/pdf, "Pläne.pdf", base64, 16 octets' ]
	letter | sed 's,^Content-Transfer.*,Content-Disposition: attachment; filename=a/\x27b\n&,' |
	    lemon-deliver alice
	urlauth explain alice '/INBOX/;UID=2'
	[[ ${lines[2]} == '  part 2: application/pdf, "a/'*'", base64, 16 octets' ]]
	printf 'Subject: x\n\nhi\n' | lemon-deliver alice
	urlauth explain alice '/INBOX/;UID=3'
	[ "${lines[1]}" = '  part 1: text/plain, 7bit, 4 octets' ]
}

@test "none of 10,000 forged, cut, re-cased or re-encoded URLs is good" {
	alice
	for a in anonymous authuser user+alice submit+alice; do
		mint -a $a -e never -u 1 -p 1 alice
	done >good
	cat >forge.py <<-'X'
	import random, sys
	random.seed(4467)
	good = [l.strip() for l in open("good")]
	seen = set(good)
	def out(u):
	    if u not in seen:
	        seen.add(u)
	        print(u)
	for u in good:
	    rump, token = u.rsplit(":internal:", 1)
	    for i, c in enumerate(token):
	        for d in "0123456789abcdef":
	            out(rump + ":internal:" + token[:i] + d + token[i + 1:])
	    for i in range(len(u)):
	        out(u[:i] + u[i].swapcase() + u[i + 1:]) if not (
	            rump + ":internal").find(":", len(rump)) <= i < len(
	            rump + ":internal:") else None
	        out(u[:i] + "%%%02X" % ord(u[i]) + u[i + 1:])
	        out(u[:i] + u[i + 1:])
	        out(u[:i])
	        out(u[:i] + u[i] + u[i:])
	    for v in good:
	        out(rump + ":internal:" + v.rsplit(":internal:", 1)[1])
	    for t in ("", "0" * 66, "01" + "0" * 64, token * 2, token[2:]):
	        out(rump + ":internal:" + t)
	while len(seen) < 10100:
	    u = list(random.choice(good))
	    for _ in range(random.randint(1, 4)):
	        i = random.randrange(len(u))
	        u[i] = chr(random.randint(33, 126))
	    s = "".join(u)
	    if s.lower().rsplit(":internal:", 1) != \
	        s.rsplit(":internal:", 1) and s.lower() in [g.lower() for g in good]:
	        continue
	    out(s)
	X
	python3 forge.py >forged
	[ "$(wc -l <forged)" -ge 10000 ]
	# These callers may have all that are good.
	{
		sed '$d' good | lemon-urlauth verify -c alice alice
		lemon-urlauth verify -c submit+alice alice <good
	} | sort -u | cmp - <(sort good)
	lemon-urlauth verify -c alice alice <forged >accepted 2>/dev/null || :
	lemon-urlauth verify -c submit+alice alice <forged >>accepted \
	    2>/dev/null || :
	[ ! -s accepted ] || { cat accepted; false; }
}

@test "no odd URL, of 200, makes anything look for a host" {
	alice
	python3 "$BATS_TEST_DIRNAME/odd_urls.py" >odd
	[ "$(wc -l <odd)" -ge 200 ]
	for act in verify explain 'mint -n h' fetch; do
		cp odd in
		# These stop at the first that is not valid.
		[ "$act" = verify ] || [ "$act" = explain ] || sed 1q odd >in
		# A sanitizer cannot look for leaks under another tracer.
		ASAN_OPTIONS=${ASAN_OPTIONS-}:detect_leaks=0 \
		    strace -f -qq -e trace=network,execve,openat -o trace \
		    lemon-urlauth $act alice <in >out 2>&1 || :
		! grep -E 'connect\(|AF_INET|AF_NETLINK|resolv\.conf|/etc/hosts|nsswitch' \
		    trace || false
		[ "$(grep -c execve trace)" = 1 ]
	done
	sed -n '0~9p' odd | while IFS= read -r u; do
		run lemon-urlauth fetch alice "$u" 3>&-
		[ "$status" = 1 ] || { echo "$u"; false; }
	done
	lemon-urlauth verify alice <odd >good 2>bad || :
	[ ! -s good ]
	[ "$(wc -l <bad)" = "$(wc -l <odd)" ]
}

@test "a token dies with its mailbox, not with its name" {
	alice
	imap 'a create Box' 'a select inbox' 'a copy 1 Box' >/dev/null
	url=$(mint -m Box -u 1 -p 1 alice)
	short=$(mint alice '/Box/;UID=1/;SECTION=1')
	imap 'a delete Box' >/dev/null
	for u in "$url" "$short"; do
		urlauth fetch alice "$u"
		invalid "revoked, or never valid"
	done
	imap 'a create Box' 'a select inbox' 'a copy 1 Box' >/dev/null
	for u in "$url" "$short"; do
		urlauth fetch alice "$u"
		invalid "revoked, or never valid"
	done
	# A rename takes the key along, but the rump says the old name.
	new=$(mint alice '/Box/;UID=1/;SECTION=1')
	imap 'a rename Box Chest' >/dev/null
	urlauth fetch alice "$new"
	invalid "revoked, or never valid"
	imap 'a rename Chest Box' >/dev/null
	[ "$(lemon-urlauth fetch alice "$new")" = hello ]
}

@test "the owner's right to read counts when it is signed and when it is used" {
	[ "$(id -u)" = 0 ] || skip "becoming the owner takes root"
	alice
	imap 'a create Box' 'a select inbox' 'a copy 1 Box' >/dev/null
	for a in anonymous authuser user+bob submit+bob; do
		case $a in
		submit+*) c=$a ;;
		*) c=bob ;;
		esac
		url=$(mint -a $a -m Box -u 1 -p 1 alice)
		[ "$(lemon-urlauth fetch -c $c alice "$url")" = hello ]
		chmod 000 home/alice/Maildir/.Box
		urlauth fetch -c $c alice "$url"
		[ "$status" = 75 ] || [ "$status" = 1 ]
		[ -z "$output" ]
		urlauth mint -a $a -e never alice '/Box/;UID=1'
		[ "$status" != 0 ]
		[ -z "$output" ]
		chmod 700 home/alice/Maildir/.Box
		[ "$(lemon-urlauth fetch -c $c alice "$url")" = hello ]
		# Of one message alone.
		chmod 000 home/alice/Maildir/.Box/cur/*
		urlauth fetch -c $c alice "$url"
		[ "$status" != 0 ]
		[ -z "$output" ]
		chmod 600 home/alice/Maildir/.Box/cur/*
		lemon-urlauth revoke -m Box alice
		urlauth fetch -c $c alice "$url"
		invalid "revoked, or never valid"
		again=$(mint -a $a -m Box -u 1 -p 1 alice)
		[ "$again" != "$url" ]
		lemon-urlauth revoke alice
		urlauth fetch -c $c alice "$again"
		invalid "revoked, or never valid"
	done
}

@test "a key that cannot be read or made now is later, and never is not" {
	alice
	imap 'a create Box' 'a select inbox' 'a copy 1 Box' >/dev/null
	url=$(mint -u 1 -p 1 alice)
	chmod 000 home/alice/Maildir/lemon-metadata
	urlauth fetch alice "$url"
	[ "$status" = 75 ]
	urlauth mint -u 1 alice
	[ "$status" = 75 ]
	chmod 600 home/alice/Maildir/lemon-metadata
	[ "$(lemon-urlauth fetch alice "$url")" = hello ]
	chmod 500 home/alice/Maildir
	urlauth mint -m Box -u 1 alice
	[ "$status" = 75 ]
	chmod 700 home/alice/Maildir
	[ "$(lemon-urlauth fetch alice "$(mint -m Box -u 1 -p 1 alice)")" = hello ]
}

@test "a big message takes no more memory than a small one" {
	alice
	{ letter | head -n 3; echo; head -c 20000000 /dev/urandom | base64; } |
	    lemon-deliver alice
	for uid in 1 2; do
		mint -u $uid alice
	done >urls
	cat >mem.py <<-'X'
	import os, subprocess, sys
	def rss(url):
	    p = subprocess.Popen(["lemon-urlauth", "fetch", "alice", url],
	                         stdout=subprocess.DEVNULL)
	    return os.wait4(p.pid, 0)[2].ru_maxrss
	small, big = [rss(l.strip()) for l in open("urls")]
	assert big - small < 4096, (small, big)
	X
	python3 mem.py
}

@test "a Maildir needs no account" {
	letter | lemon-deliver ./M
	url=$(USER=carol mint -u 1 -p 1 -e never ./M)
	[[ $url = imap://carol@* ]]
	[ "$(USER=carol lemon-urlauth fetch ./M "$url")" = hello ]
	USER=dora urlauth fetch ./M "$url"
	invalid "it is carol's mail, not dora's"
	unset USER
	url=$(mint -u 1 -p 1 ./M)
	printf '%s\r\n' "a urlfetch \"$url\"" 'z logout' |
	    lemon-imapd ./M 2>/dev/null | grep -q '^hello'
}

@test "a forged token costs the same whether its mailbox is there or not" {
	[ -n "$(command -v strace)" ] || skip "no strace here"
	strace -o /dev/null true 2>/dev/null || skip "strace may not trace"
	alice
	imap 'a create kept' 'b create keyless' >/dev/null
	url='imap://alice@h/kept/;UID=1;URLAUTH=anonymous'
	good=$(imap "a genurlauth \"$url\" INTERNAL" |
	    sed -n 's/^\* GENURLAUTH "\(.*\)"\r$/\1/p')
	bad=${good%?}$((1 - (0x${good: -1} > 0)))
	for box in kept keyless missing; do
		yes "${bad/kept/$box}" | head -n 100 >in || :
		LSAN_OPTIONS=detect_leaks=0 strace -f -o calls \
		    lemon-urlauth verify alice <in 2>err || :
		[ "$(grep -c 'revoked, or never valid' err)" = 100 ]
		# Between the fiftieth and the next.
		awk '/write\(2, / && ++n == 50 { from = NR }
			n == 50 { to = NR } END { print to - from }' calls
	done >each
	echo $(cat each)
	awk '{ if (NR == 1 || $1 < least) least = $1; if ($1 > most) most = $1 }
		END { exit !(NR == 3 && least > 5 && most <= least * 1.15) }' each
}

@test "what expires while standard input is waited for has expired" {
	alice
	lemon-urlauth mint -u 1 -e +1s alice >url
	(
		cat url
		# As long as a process that begins now says that it is good.
		for ((i = 0; i < 5000; i++)); do
			lemon-urlauth verify alice <url >/dev/null 2>&1 || break
		done
		cat url
	) | lemon-urlauth verify alice >good 2>err || :
	cmp url good
	grep -q '^lemon-urlauth: expired: ' err
}

@test "a caller without a name is nobody" {
	alice
	mint -u 1 -a authuser alice >url
	lemon-urlauth verify -c bob alice <url
	for c in '' submit+; do
		urlauth verify -c "$c" alice <url
		invalid 'wrong access'
	done
}
