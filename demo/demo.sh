#!/bin/sh
# SPDX-License-Identifier: ISC
# A letter with an attachment goes from alice to bob: through the submission
# port with STARTTLS and a password, and back over IMAP.  Then bob sends on
# 5 MB that he never had on his machine.  make demo.
set -u
export LC_ALL=C
cd "$(dirname "$0")/.." || exit 1
place=$(mktemp -d "${TMPDIR:-/tmp}/lemon-demo.XXXXXX") || exit 1
chmod 755 "$place"
server=

finish() {
	[ -z "$server" ] || { kill "$server"; wait "$server"; } 2>/dev/null
	rm -rf "$place"
}
trap finish EXIT
trap 'exit 1' INT TERM HUP

fail() {
	echo "demo: $*" >&2
	[ ! -s "$place/log" ] || sed 's/^/  log: /' "$place/log" >&2
	exit 1
}

say() {
	printf '%s\n' "$@"
}

# --- everything runs ---

mkfifo "$place/ready"
ready= base=10000 tries=10
while [ -z "$ready" ] && [ $tries -gt 0 ]
do
	bin/lemon-serve -d "$place/mail" -p $base -u alice:wonderland \
		-u bob:builder >"$place/ready" 2>"$place/log" </dev/null &
	server=$!
	read -r ready <"$place/ready" || {
		wait $server
		server=
		grep -q taken "$place/log" || break
	}
	base=$((base + 1117)) tries=$((tries - 1))
done
[ -n "$ready" ] || fail "lemon-serve does not start"
port() {
	expr " $ready " : ".* $1=\([0-9]*\) "
}
imap=$(port imap) submission=$(port submission)
[ -n "$imap" ] && [ -n "$submission" ] || fail "not all runs: $ready"
say "Running on 127.0.0.1: IMAP on port $imap, submission on port $submission."

# --- the letter ---

mail_of() {
	curl -sS --max-time 30 --ssl-reqd --cacert "$place/mail/control/tls.pem" \
		"$@"
}

# send SUBJECT TEXT TYPE NAME: that file of $place goes from alice to bob.
send() {
	{
		cat <<-END
		From: Alice <alice@localhost>
		To: Bob <bob@localhost>
		Subject: $1
		Date: $(date -R)
		Message-ID: <$4@localhost>
		MIME-Version: 1.0
		Content-Type: multipart/mixed; boundary="lemon"

		--lemon
		Content-Type: text/plain; charset=utf-8
		Content-Transfer-Encoding: 8bit

		$2
		--lemon
		Content-Type: $3; name="$4"
		Content-Disposition: attachment; filename="$4"
		Content-Transfer-Encoding: base64

		END
		base64 "$place/$4"
		echo "--lemon--"
	} | sed 's/$/\r/' >"$place/letter"
	mail_of -u alice:wonderland "smtp://127.0.0.1:$submission/demo" \
		--mail-from alice@localhost --mail-rcpt bob@localhost \
		-T "$place/letter" || fail "alice cannot send $4"
}

gzip -9c README.md >"$place/readme.gz"
size=$(wc -c <"$place/readme.gz")
send "the papers you asked for" "Dear Bob, here they are.  Grüße, Alice" \
	application/gzip readme.gz
say "Alice sent Bob a letter of $(wc -c <"$place/letter") octets, an\
 attachment of $size in it, over TLS."

file=$(ls "$place/mail/users/bob/Maildir/new" \
	"$place/mail/users/bob/Maildir/cur" | grep 'S=') ||
	fail "nothing arrived"
say "It lies in Bob's Maildir, a plain file:" "    $file"

# --- and back ---

bob() {
	mail_of -u bob:builder "imap://127.0.0.1:$imap/$1"
}

bob 'INBOX;MAILINDEX=1' >"$place/got" || fail "bob cannot read it"
tail -c "$(wc -c <"$place/letter")" "$place/got" |
	cmp - "$place/letter" || fail "it is not what alice sent"
bob 'INBOX;MAILINDEX=1;SECTION=2' | base64 -di >"$place/attachment" ||
	fail "bob cannot read the attachment"
cmp "$place/attachment" "$place/readme.gz" ||
	fail "the attachment is not what alice sent"
say "Bob read it over IMAP.  Above what Alice wrote there is now:"
head -c "$(($(wc -c <"$place/got") - $(wc -c <"$place/letter")))" \
	"$place/got" | tr -d '\r' | sed 's/^/    /'
say "The rest is the same, octet for octet, and so is the attachment:" \
	"    sha256 $(sha256sum <"$place/attachment" | cut -c 1-64)"

# --- sent on ---

head -c 3800000 /dev/urandom >"$place/film.mp4"
send "our film" "Have you seen this?" video/mp4 film.mp4
say "" "Alice sent Bob a film of $(wc -c <"$place/letter") octets.  He has a\
 phone on a bad network," "and sends it on to her three times without having it\
 there; lemon-forward -v counts:"

# send_on WHAT OPTION: by bob, and what it cost to $cost.
send_on() {
	echo "Look at this!" | LEMON_PASSWORD=builder bin/lemon-forward -v \
		"-$2" -i "localhost:$imap" -s "localhost:$submission" \
		-u bob -f bob@localhost -j film -p 2 INBOX 2 alice@localhost \
		2>"$place/said" || {
		cat "$place/said" >&2
		fail "bob cannot send the film on"
	}
	say "  $1"
	sed 's/^lemon-forward: /    /' "$place/said"
	cost=$(sed -n 's/.* round trips, \([0-9]*\) octets out, \([0-9]*\) in/\1 + \2/p' \
		"$place/said" | paste -sd + | sed 's/ //g')
	cost=$(($cost))
}

send_on "put together in his mailbox (CATENATE, URLAUTH), then fetched from\
 there (BURL):" c
catenate=$cost
send_on "put together while it is sent (BDAT, BURL):" b
burl=$cost
send_on "downloaded and uploaded, as with any server:" d
say "That is $catenate and $burl octets over the phone's line, in place of\
 $cost."

for n in 1 2 3
do
	mail_of -u alice:wonderland \
		"imap://127.0.0.1:$imap/INBOX;MAILINDEX=$n;SECTION=2" |
		base64 -di | cmp - "$place/film.mp4" ||
		fail "film $n is not what alice sent"
done
say "All three are in Alice's mailbox, octet for octet."
kill "$server"
wait "$server" || fail "lemon-serve does not stop"
server=
say "All is stopped, and nothing is left behind."
