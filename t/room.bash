# SPDX-License-Identifier: ISC
# For bats files that run the programs themselves.  room, in setup, makes the
# test's own directory $T the current one, and one that an account which we
# become can enter; nothing of our own environment says who a client is.

room() {
	umask 022
	cd "$BATS_TEST_TMPDIR"
	chmod 755 "$BATS_RUN_TMPDIR" "$BATS_RUN_TMPDIR/test" . || :
	export T=$BATS_TEST_TMPDIR HOME=$BATS_TEST_TMPDIR
	export LEMON_CONTROL=$T/control PYTHONPATH=$BATS_TEST_DIRNAME
	export PYTHONDONTWRITEBYTECODE=1
	unset "${!TCP@}" "${!SSL@}" PROTO REMOTE_ADDR REMOTE_HOST
}

# client <<PYTHON: with what imap_client.py has; T is the directory and M a
# Maildir there, unless the Python in $PRELUDE, which comes first, says
# otherwise.
client() {
	(cat <<-'X'
	import os, re, shutil, subprocess, sys, time
	from imap_client import *
	T = os.environ["T"]
	M = T + "/Maildir"
	X
	printf '%s\n' "${PRELUDE-}"
	cat) >client.py
	python3 client.py
}

# ordinary: "${as[@]}" before a command is then an account that permissions
# keep out, where we are root
ordinary() {
	as=()
	[ "$(id -u)" != 0 ] ||
	    as=(setpriv --reuid nobody --regid nogroup --clear-groups --)
}

# example PAGE WORD: the literal display of a manual page that has that word
example() {
	awk -v want="$2" '
		/^\.Bd/ { on = 1; text = ""; next }
		/^\.Ed/ { if (on && index(text, want)) printf "%s", text
			on = 0; next }
		on { text = text $0 "\n" }
	' "$BATS_TEST_DIRNAME/../doc/$1"
}

# mbsync_near EXPUNGE: the rest of a configuration of mbsync, behind the store
# far: all of it comes to mail/ below here
mbsync_near() {
	cat <<-EOF

	MaildirStore near
	Path $PWD/mail/
	Inbox $PWD/mail/INBOX
	SubFolders Verbatim

	Channel all
	Far :far:
	Near :near:
	Patterns *
	Create Both
	Expunge $1
	SyncState *
	EOF
}
