#!/usr/bin/env bats
# SPDX-License-Identifier: ISC
# Real mail programs from Debian, against everything running.

load room
load serve

setup_file() {
	serve -u alice:secret -u bob:hush
}

teardown_file() {
	unserve
}

setup() {
	cd "$BATS_TEST_TMPDIR"
	export HOME=$BATS_TEST_TMPDIR
}

# A letter in wire form: letter SUBJECT >file
letter() {
	printf 'From: Alice <alice@localhost>\r\n'
	printf 'To: Bob <bob@localhost>\r\n'
	printf 'Subject: %s\r\nDate: Sun, 1 Nov 2026 12:00:00 +0000\r\n' "$1"
	printf 'Message-ID: <%s@localhost>\r\n\r\nHello, Bob.\r\n' "${1// /.}"
}

imap() {
	curl -sS --max-time 30 -u "$1" "imap://127.0.0.1:$IMAP/$2" \
	    --ssl-reqd -k "${@:3}"
}

lmtp() {
	swaks --protocol LMTP --server 127.0.0.1 --port "$LMTP" \
	    --to "$1" --from sender@example.org --data "@$2" \
	    --suppress-data >swaks.out || { cat swaks.out; false; }
}

@test "curl sends through the submission port and reads it over IMAP" {
	letter "by curl" >m
	curl -sS --max-time 30 --ssl-reqd -k -u alice:secret \
	    "smtp://127.0.0.1:$SUBMISSION" --mail-from alice@localhost \
	    --mail-rcpt bob@localhost -T m
	imap bob:hush 'INBOX?SUBJECT%20%22by%20curl%22' >found
	uid=$(tr -dc 0-9 <found)
	[ -n "$uid" ]
	imap bob:hush "INBOX;MAILINDEX=$uid" >got
	sed -n '/^From:/,$p' got | cmp - m
}

@test "curl appends a message, and fetches the very octets" {
	letter "appended" >m
	imap alice:secret '' -X 'CREATE Drafts' >/dev/null
	imap alice:secret Drafts -T m
	imap alice:secret 'Drafts;MAILINDEX=1' >got
	cmp got m
}

@test "curl logs in with PLAIN and LOGIN, and a wrong password is refused" {
	for m in PLAIN LOGIN; do
		imap bob:hush '' --login-options AUTH=$m -X NOOP || {
			echo "$m"
			false
		}
	done
	run imap bob:wrong '' --login-options AUTH=PLAIN -X NOOP
	[ "$status" = 67 ]
}

@test "curl speaks implicit TLS" {
	curl -sS --max-time 30 -k -u bob:hush "imaps://127.0.0.1:$IMAPS/" \
	    >list
	grep -q INBOX list
}

mbsyncrc() {
	cat >rc <<-EOF
	IMAPAccount bob
	Host localhost
	Port $IMAP
	User bob
	Pass hush
	SSLType STARTTLS
	CertificateFile $DIR/control/tls.pem
	AuthMechs LOGIN

	IMAPStore far
	Account bob
	EOF
	mbsync_near Both >>rc
	mkdir -p mail
}

@test "mbsync syncs both ways, and a second run transfers nothing" {
	for i in 1 2 3 4 5; do
		letter "sync $i" | tr -d '\r' >m
		lmtp bob@localhost m
	done
	mbsyncrc
	mbsync -c rc -a >1 2>&1 || { cat 1; serve_log; false; }
	[ "$(ls mail/INBOX/new mail/INBOX/cur | grep -c U=)" -ge 5 ]

	# Here: a flag, a new message, a new folder; there: a new message.
	f=$(ls mail/INBOX/new mail/INBOX/cur | grep U= | head -1)
	for d in new cur; do
		[ ! -e "mail/INBOX/$d/$f" ] ||
		    mv "mail/INBOX/$d/$f" "mail/INBOX/cur/${f%%:2,*}:2,FS"
	done
	mkdir -p mail/Here/cur mail/Here/new mail/Here/tmp
	letter "from here" | tr -d '\r' >mail/Here/new/1.2.here
	letter "from there" | tr -d '\r' >m
	lmtp bob@localhost m
	mbsync -c rc -a >2 2>&1 || { cat 2; false; }
	imap bob:hush 'INBOX?FLAGGED%20SEEN' | grep -q 'SEARCH [0-9]'
	imap bob:hush 'Here?ALL' | grep -q 'SEARCH 1'
	grep -rq 'from there' mail/INBOX

	find mail -type f -path '*/[cn]*/*' | sort >before
	mbsync -c rc -a -V >3 2>&1 || { cat 3; false; }
	find mail -type f -path '*/[cn]*/*' | sort >after
	cmp before after
	! grep -E 'pushing|pulling|\+[1-9]|\*[1-9]|#[1-9]' 3 || false
}

@test "mbsync runs lemon-imapd as its tunnel" {
	mkdir -p M/cur M/new M/tmp mail
	letter "tunnelled" | lemon-deliver "$PWD/M"
	cat >rc <<-EOF
	IMAPStore far
	Tunnel "lemon-imapd $PWD/M"
	
	MaildirStore near
	Path $PWD/mail/
	Inbox $PWD/mail/INBOX
	
	Channel all
	Far :far:
	Near :near:
	Create Both
	SyncState *
	EOF
	mbsync -c rc all >out 2>&1 || { cat out; false; }
	grep -rq tunnelled mail/INBOX
}

# A terminal for programs that want one: tty SECONDS COMMAND
tty() {
	TERM=vt100 timeout "$1" script -qefc "$2" tty.out >/dev/null </dev/null
}

muttrc() {
	cat >rc <<-EOF
	set folder = "$1"
	set spoolfile = "$1INBOX"
	set imap_user = "bob"
	set imap_pass = "hush"
	set ssl_starttls = yes
	set ssl_force_tls = yes
	set certificate_file = "$DIR/control/tls.pem"
	set sort = mailbox-order
	set confirmappend = no
	set confirmcreate = no
	set delete = yes
	set move = no
	set header_cache = ""
	set wait_key = no
	set mail_check = 1
	set copy = no
	EOF
}

for_each_mutt() {
	letter "read by $1" | tr -d '\r' >m
	lmtp bob@localhost m
	muttrc "imap://127.0.0.1:$IMAP/"
	echo "push '<limit>~s \"read by $1\"<enter><flag-message><tag-pattern>~s \"read by $1\"<enter><tag-prefix><copy-message>$PWD/copied<enter><sync-mailbox><quit>'" >>rc
	tty 40 "$1 -n -F rc" || { cat tty.out; serve_log; false; }
	grep -q 'Hello, Bob.' copied
	imap bob:hush "INBOX?SUBJECT%20%22read%20by%20$1%22%20FLAGGED" |
	    grep -q 'SEARCH [0-9]'
}

@test "mutt reads, copies and flags a message" {
	for_each_mutt mutt
}

@test "neomutt reads, copies and flags a message" {
	for_each_mutt neomutt
}

@test "Python's imaplib makes its round: folders, flags, copies, expunge" {
	python3 "$BATS_TEST_DIRNAME/imaplib_tour.py" "$IMAP" alice secret
}

@test "swaks submits with AUTH and STARTTLS, and is refused a foreign sender" {
	swaks --server 127.0.0.1 --port "$SUBMISSION" --tls --auth PLAIN \
	    --auth-user alice --auth-password secret \
	    --from alice@localhost --to bob@localhost \
	    --header 'Subject: by swaks' >out || { cat out; false; }
	imap bob:hush 'INBOX?SUBJECT%20%22by%20swaks%22' |
	    grep -q 'SEARCH [0-9]'
	run swaks --server 127.0.0.1 --port "$SUBMISSION" --tls \
	    --auth PLAIN --auth-user alice --auth-password secret \
	    --from bob@localhost --to bob@localhost
	[ "$status" != 0 ]
	[[ $output == *"<** 55"* || $output == *"<~* 55"* ]]
}

@test "swaks delivers to several recipients over LMTP, one reply each" {
	swaks --protocol LMTP --server 127.0.0.1 --port "$LMTP" \
	    --to alice@localhost,bob@localhost --from '<>' \
	    --header 'Subject: for both' >out || { cat out; false; }
	imap alice:secret 'INBOX?SUBJECT%20%22for%20both%22' |
	    grep -q 'SEARCH [0-9]'
	imap bob:hush 'INBOX?SUBJECT%20%22for%20both%22' |
	    grep -q 'SEARCH [0-9]'
}

@test "msmtp sends over STARTTLS and over implicit TLS" {
	for port in $SUBMISSION $SUBMISSIONS; do
		starttls=on
		[ "$port" = "$SUBMISSION" ] || starttls=off
		cat >msmtprc <<-EOF
		account default
		host 127.0.0.1
		port $port
		tls on
		tls_starttls $starttls
		tls_trust_file $DIR/control/tls.pem
		auth plain
		user alice
		password secret
		from alice@localhost
		EOF
		chmod 600 msmtprc
		letter "by msmtp $starttls" | tr -d '\r' |
		    msmtp -C msmtprc bob@localhost
		imap bob:hush "INBOX?SUBJECT%20%22by%20msmtp%20$starttls%22" |
		    grep -q 'SEARCH [0-9]'
	done
}

@test "gsasl logs in with SCRAM-SHA-256-PLUS over TLS" {
	for m in SCRAM-SHA-256-PLUS SCRAM-SHA-1-PLUS; do
		echo | timeout 20 gsasl --imap --mechanism $m \
		    --authentication-id bob --authorization-id '' \
		    --password hush --x509-ca-file "$DIR/control/tls.pem" \
		    --connect "127.0.0.1:$IMAP" >out 2>&1 ||
		    { echo $m; cat out; false; }
		grep -q 'OK' out
	done
}

@test "Horde puts a message together of parts, and gets one decoded" {
	cat >t.php <<-'END'
	<?php
	error_reporting(E_ALL & ~E_DEPRECATED);
	spl_autoload_register(function ($class) {
		$f = '/usr/share/php/' . strtr($class, '_\\', '//') . '.php';
		if (file_exists($f))
			require_once $f;
	});
	$c = new Horde_Imap_Client_Socket(['username' => 'alice',
	    'password' => 'secret', 'hostspec' => '127.0.0.1',
	    'port' => getenv('IMAP'), 'secure' => 'tls', 'debug' => 'debug',
	    'context' => ['ssl' => ['verify_peer' => false,
	    'verify_peer_name' => false]]]);
	$c->createMailbox('Horde');
	$text = "Subject: x\r\nMIME-Version: 1.0\r\nContent-Type: image/x\r\n" .
	    "Content-Transfer-Encoding: base64\r\n\r\nAAEKAg3/\r\n";
	$uid = $c->append('Horde', [['data' => $text]])->ids[0];
	$ids = $c->append('Horde', [['data' => [
	    ['t' => 'text', 'v' => "Subject: y\r\n"],
	    ['t' => 'url', 'v' => "/Horde/;UID=$uid/;SECTION=1.MIME"],
	    ['t' => 'url', 'v' => "/Horde/;UID=$uid/;SECTION=1"]]]]);
	$q = new Horde_Imap_Client_Fetch_Query();
	$q->bodyPart('1', ['peek' => true, 'decode' => true]);
	$q->bodyPartSize('1');
	foreach ($c->fetch('Horde', $q, ['ids' => $ids]) as $m)
		echo bin2hex($m->getBodyPart('1')), ' ',
		    $m->getBodyPartDecode('1'), ' ', $m->getBodyPartSize('1');
	END
	run php t.php
	echo "$output"
	cat debug
	[ "$output" = '00010a020dff 8bit 6' ]
	grep -q '^C: .* CATENATE (TEXT ' debug
	grep -q '^C: .*BINARY.PEEK\[1\] BINARY.SIZE\[1\]' debug
}
