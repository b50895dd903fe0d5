#!/usr/bin/env bats
# SPDX-License-Identifier: ISC
# Moving in with a Maildir that another server made: its clients notice no
# move.

bats_require_minimum_version 1.5.0

load room

setup() {
	room
	data=$BATS_TEST_DIRNAME/data
	mkdir -p control mail
}

# mbsyncrc COMMAND: the IMAP server on a pipe
mbsyncrc() {
	cat >rc <<-EOF
	IMAPStore far
	Tunnel "$1"
	UseNamespace yes
	EOF
	mbsync_near None >>rc
}

near() {
	find mail -type f -path '*/[cn]*/*' | sort
}

# Whatever is said of a message that is moved, or marked, or taken for lost.
moved() {
	grep -E 'rror|arning|pushing|pulling|\+[1-9]|\*[1-9]|#[1-9]|UIDVALIDITY' \
	    "$1"
}

# shows SEEN: lemon-imapd shows all that the clients saw, and nothing else
shows() {
	cat >shows.py <<-'END'
	import os, re, sys
	from imap_client import Imap, flags_of
	s, got = Imap(os.getcwd() + "/Maildir"), []
	delimiter = "." if os.environ.get("LEMON_NAMESPACE") else "/"
	def shown(name):
	    name = re.sub(r"^INBOX\.(?=.)", "", name) if delimiter == "." else name
	    return name.replace(delimiter, "/")
	boxes = []
	for r in s.ok('LIST "" *'):
	    m = re.fullmatch(rb'\* LIST \(([^)]*)\) "." "?([^"]*)"?', r)
	    if m and b"\\Noselect" not in m[1]:
	        boxes.append(m[2].decode())
	for r in s.ok('LSUB "" *'):
	    m = re.fullmatch(rb'\* LSUB \(([^)]*)\) "." "?([^"]*)"?', r)
	    if m and b"\\Noselect" not in m[1]:
	        got.append("sub " + shown(m[2].decode()))
	for box in boxes:
	    said = b"\n".join(s.ok('EXAMINE "%s"' % box))
	    got.append("box %s %d %d" % (shown(box),
	        int(re.search(rb"UIDVALIDITY (\d+)", said)[1]),
	        int(re.search(rb"UIDNEXT (\d+)", said)[1])))
	    if b"* 0 EXISTS" in said:
	        continue
	    for r in s.ok("UID FETCH 1:* (FLAGS INTERNALDATE RFC822.SIZE)")[:-1]:
	        date = re.search(rb'INTERNALDATE "([^"]*)"', r)[1].decode()
	        got.append("msg %d (%s) %s %d" % (
	            int(re.search(rb"UID (\d+)", r)[1]),
	            " ".join(sorted(flags_of(r))), re.sub("^ ", "0", date),
	            int(re.search(rb"RFC822.SIZE (\d+)", r)[1])))
	def canonical(lines):
	    """Each message behind its mailbox."""
	    box, out = "", set()
	    for line in lines:
	        if line.startswith("box "):
	            box = line.split()[1]
	        if line.startswith("msg "):
	            line = box + " " + line
	        out.add(line)
	    return out
	want = canonical(open(sys.argv[1]).read().splitlines())
	assert len(want) > 20, want
	assert canonical(got) == want, sorted(canonical(got) ^ want)
	END
	TZ=UTC python3 shows.py "$1"
}

# The same mail again through lemon-imapd, and nothing is transferred; then
# something is changed on either side, and just that is.
moves_in() {
	near >before
	[ "$(wc -l <before)" -ge 10 ]
	mbsyncrc "lemon-imapd $PWD/Maildir"
	for again in 1 2; do
		mbsync -V -c rc -a >out 2>&1 || { cat out; false; }
		[ "$(grep -c Synchronizing out)" -ge 9 ] || { cat out; false; }
		near | diff before - || { cat out; false; }
		! moved out || { cat out; false; }
	done
	printf 'Subject: new here\n\n' | lemon-deliver "$PWD/Maildir"
	mbsync -V -c rc -a >out 2>&1 || { cat out; false; }
	[ "$(near | wc -l)" = $(($(wc -l <before) + 1)) ]
	grep -rq 'new here' mail/INBOX
}

@test "mbsync notices no move from Dovecot" {
	tar -xzf "$data/dovecot/maildir.tar.gz"
	cat >dovecot.conf <<-EOF
	log_path = $PWD/log
	ssl = no
	mail_location = maildir:$PWD/Maildir
	mail_home = $PWD
	namespace inbox {
	  inbox = yes
	  separator = /
	}
	EOF
	mbsyncrc "env -i USER=alice HOME=$PWD /usr/lib/dovecot/imap -c $PWD/dovecot.conf"
	ordinary
	[ "$(id -u)" != 0 ] || chown -R nobody:nogroup Maildir mail .
	"${as[@]}" mbsync -c rc -a >out 2>&1 || { cat out log; false; }
	# A second time: Dovecot itself has nothing more to transfer.
	near >first
	"${as[@]}" mbsync -c rc -a >out 2>&1 || { cat out log; false; }
	near | diff first -
	[ "$(id -u)" != 0 ] || chown -R root:root mail Maildir
	moves_in
}

@test "mbsync notices no move from Courier" {
	tar -xzf "$data/courier/maildir.tar.gz"
	tar -xzf "$data/courier/mbsync.tar.gz"
	export LEMON_NAMESPACE='INBOX. .'
	moves_in
}

@test "what clients of Dovecot saw lemon-imapd shows" {
	tar -xzf "$data/dovecot/maildir.tar.gz"
	shows "$data/dovecot/seen.txt"
	rm -r Maildir/.lemon
	rm -f Maildir/dovecot-* Maildir/.*/dovecot-*
	shows "$data/dovecot/seen.txt"
}

@test "what clients of Courier saw lemon-imapd shows, in their namespace" {
	tar -xzf "$data/courier/maildir.tar.gz"
	export LEMON_NAMESPACE='INBOX. .'
	shows "$data/courier/seen.txt"
	rm -r Maildir/.lemon Maildir/{,.[!a]*/}courierimap{uiddb,keywords}
	shows "$data/courier/seen.txt"
}

@test "another server's list that cannot be read is told, by the log and by check" {
	for file in dovecot-uidlist courierimapuiddb; do
		rm -rf Maildir
		mkdir -p Maildir/cur Maildir/new Maildir/tmp
		printf 'Subject: x\n\n' >Maildir/cur/1.a:2,S
		printf '9 V1 N9\n3 1.a\n' >Maildir/$file
		run -1 lemon-store check ./Maildir
		[[ $output == *"the header of $file cannot be read: UIDs begin anew"*"put back a copy before the first session"* ]]
		printf 'a select inbox\r\nz logout\r\n' |
		    lemon-imapd ./Maildir >/dev/null 2>log
		[ "$(grep -c "warning: .*the header of $file cannot be read: UIDs begin anew" log)" = 1 ]
		printf 'a select inbox\r\nz logout\r\n' |
		    lemon-imapd ./Maildir >/dev/null 2>log
		! grep 'warning' log || false
		run -1 lemon-store check ./Maildir
		[[ $output == *"the header of $file cannot be read: UIDs began anew"*"remove it"* ]]
		rm Maildir/$file
		lemon-store check ./Maildir
	done
}
