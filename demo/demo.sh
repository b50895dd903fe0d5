#!/bin/sh
# SPDX-License-Identifier: ISC
# A letter with an attachment goes from alice to bob: through the submission
# port with STARTTLS and a password, and back over IMAP.  make demo.
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

gzip -9c README.md >"$place/readme.gz"
size=$(wc -c <"$place/readme.gz")
{
	cat <<-'END'
	From: Alice <alice@localhost>
	To: Bob <bob@localhost>
	Subject: the papers you asked for
	END
	echo "Date: $(date -R)"
	cat <<-'END'
	Message-ID: <demo@localhost>
	MIME-Version: 1.0
	Content-Type: multipart/mixed; boundary="lemon"

	--lemon
	Content-Type: text/plain; charset=utf-8
	Content-Transfer-Encoding: 8bit

	Dear Bob, here they are.  Grüße, Alice
	--lemon
	Content-Type: application/gzip; name="readme.gz"
	Content-Disposition: attachment; filename="readme.gz"
	Content-Transfer-Encoding: base64

	END
	base64 "$place/readme.gz"
	echo "--lemon--"
} | sed 's/$/\r/' >"$place/letter"

mail_of() {
	curl -sS --max-time 30 --ssl-reqd --cacert "$place/mail/control/tls.pem" \
		"$@"
}

mail_of -u alice:wonderland "smtp://127.0.0.1:$submission/demo" \
	--mail-from alice@localhost --mail-rcpt bob@localhost \
	-T "$place/letter" || fail "alice cannot send"
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
kill "$server"
wait "$server" || fail "lemon-serve does not stop"
server=
say "All is stopped, and nothing is left behind."
