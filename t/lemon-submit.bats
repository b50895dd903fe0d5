#!/usr/bin/env bats
# SPDX-License-Identifier: ISC
# The submission server between real clients and next hops that misbehave.

load submission

@test "swaks submits to a local user and to the relay, octet for octet" {
	lmtp
	relay
	submission
	send --to bob@example.org,carol@example.net || { cat out; false; }
	[ "$(count lmtp)" = 1 ]
	[ "$(count relay)" = 1 ]
	cmp lmtp/1.eml relay/1.eml
	grep -q 'RCPT TO:<bob@example.org>' lmtp/1.env
	grep -q 'RCPT TO:<carol@example.net>' relay/1.env
	head -1 relay/1.eml | grep -q '^Received: from '
	sed -n '/^From:/,$p' relay/1.eml | head -c "$(stat -c %s m)" |
	    cmp - m
	grep -q 'submit user=alice rip=127.0.0.1' submit.log
	grep -q 'login user=alice rip=127.0.0.1 .*confined=' submit.log
}

@test "curl submits over implicit TLS, msmtp over both" {
	lmtp
	submission -s
	letter >m
	curl -sS --max-time 20 -k -u alice:secret "smtps://127.0.0.1:$SUBMIT" \
	    --mail-from alice@example.org --mail-rcpt bob@example.org -T m
	for tls in off on; do
		rm -f submit.fifo
		[ $tls = off ] || submission
		msmtp -C /dev/null --host=127.0.0.1 --port="$SUBMIT" --tls=on \
		    --tls-starttls=$tls --tls-certcheck=off --auth=plain \
		    --user=alice --passwordeval='echo secret' \
		    --from=alice@example.org bob@example.org <m
	done
	[ "$(count lmtp)" = 3 ]
}

@test "a message is completed: Date, Message-ID, Received; Bcc in all its folds is gone" {
	lmtp
	submission
	printf '%s\r\n' 'From: alice@example.org' 'bCC: secret@example.net,' \
	    ' also@example.net,' '	more@example.net' 'Subject: x' \
	    'Resent-Bcc : hidden@example.net' ' again' '' 'Bcc: in the text' >m
	say "$FROM" "$BOB" DATA @m
	[[ ${lines[3]} == 250\ 2.* ]]
	[ "$(grep -c '^Date: ' lmtp/1.eml)" = 1 ]
	[ "$(grep -c '^Message-ID: <.*@mail.example.org>' lmtp/1.eml)" = 1 ]
	grep -q '^Received: from client.example' lmtp/1.eml
	grep -q 'with ESMTPSA' lmtp/1.eml
	! grep -E 'secret|also|more|hidden|again' lmtp/1.eml || false
	printf 'From: alice@example.org\nSubject: x\n\nBcc: in the text\n' >want
	sed -n '/^From:/,$p' lmtp/1.eml | tr -d '\r' | diff - want
}

@test "the envelope sender must belong to the user" {
	lmtp
	submission
	say 'MAIL FROM:<bob@example.org>' 'MAIL FROM:<x@example.net>' \
	    'MAIL FROM:<"bob"@example.org>' 'MAIL FROM:<>' RSET \
	    'MAIL FROM:<"alice"@EXAMPLE.org>' RSET \
	    'MAIL FROM:<alice+tag@example.org>'
	[[ ${lines[0]} == "553 5.7.1 "* ]]
	[[ ${lines[1]} == "553 5.7.1 "* ]]
	[[ ${lines[2]} == "553 5.7.1 "* ]]
	[[ ${lines[3]} == "250 "* ]]
	[[ ${lines[5]} == "250 "* ]]
	[[ ${lines[7]} == "250 "* ]]
}

@test "From and Sender of the header must belong to the user, and one of each" {
	lmtp
	submission
	i=0 all=() wants=() heads=()
	while IFS='|' read -r want head; do
		i=$((i + 1))
		printf "$head\r\nSubject: x\r\n\r\nx\r\n" >"m$i"
		all+=("$FROM" "$BOB" DATA "@m$i")
		wants+=("$want") heads+=("$head")
	done <<-'END'
	550 5.7.1|From: bob@example.org
	550 5.7.1|From: alice@example.org, bob@example.org
	550 5.7.1|From: "alice@example.org" <bob@example.org>
	550 5.7.1|From: alice@example.org\r\n , bob@example.org
	550 5.7.1|From: alice@example.org\r\nSender: bob@example.org
	550 5.7.1|From: nobody
	550 5.7.1|From:
	554 5.6.0|From: alice@example.org\r\nFrom: bob@example.org
	554 5.6.0|To: bob@example.org
	550 5.7.1|From: bob@example.org <alice@example.org>
	550 5.7.1|From: <alice@example.org bob@example.org>
	550 5.7.1|From: <bob@example.org alice@example.org>
	550 5.7.1|From: <@bob.example.org:alice@example.org>
	550 5.7.1|From: <alice@example.org@example.net>
	550 5.7.1|From: <bob@example.org> alice@example.org
	550 5.7.1|From: <alice@example.org> bob@example.org
	550 5.7.1|From: alice@example.org <bob@example.org
	550 5.7.1|From: "bob@example.org <alice@example.org>
	550 5.7.1|From: (bob@example.org <alice@example.org>
	550 5.7.1|From: alice@example.org\000 <bob@example.org>
	550 5.7.1|From: bob@example.org\000, alice@example.org
	550 5.7.1|From: alice@example.org; bob@example.org
	550 5.7.1|From: alice@example.org) bob@example.org
	550 5.7.1|From: bob:alice@example.org, bob@example.org;
	550 5.7.1|From: undisclosed:;
	550 5.7.1|From: "bob"@example.org
	550 5.7.1|From: b(alice)ob@example.org
	550 5.7.1|From: bob@example.org (alice@example.org)
	550 5.7.1|From: =?utf-8?q?alice=40example=2Eorg?= <bob@example.org>
	550 5.7.1|From: =?utf-8?q?bob?=@example.org
	550 5.7.1|From:\r\n\t<alice@example.org>,\r\n <bob@example.org>
	550 5.7.1|From: alice@example.org\r\nSender: <bob@example.org> (alice@example.org)
	554 5.6.0|FROM : alice@example.org\r\nfrOM\t: bob@example.org
	554 5.6.0|Sender: alice@example.org\r\nFrom: alice@example.org\r\nsender: alice@example.org
	250 2.0.0|From: alice@example.org <alice@example.org>
	250 2.0.0|From: "Smith, Bob" <alice@example.org> (at work)
	250 2.0.0|From: A. Smith (x) <alice @ example.org>
	250 2.0.0|From: Team: alice@example.org, Alice <alice+y@example.org>;
	250 2.0.0|From: alice@example.org
	250 2.0.0|from : "Bob" <ALICE@example.org>
	250 2.0.0|From: =?utf-8?q?A?= <alice+x@example.org>\r\nSender: alice@example.org
	END
	say "${all[@]}"
	for i in "${!wants[@]}"; do
		[[ ${lines[4 * i + 3]} == "${wants[i]} "* ]] || {
			echo "${heads[i]}: ${lines[4 * i + 3]}"
			false
		}
	done
	[ "$(count lmtp)" = 7 ]
}

@test "nothing goes without AUTH, and no password goes without TLS" {
	lmtp
	submission
	run python3 "$BATS_TEST_DIRNAME/submit_say.py" -p "$SUBMIT" \
	    'EHLO x' "$FROM" 'AUTH PLAIN AGFsaWNlAHNlY3JldA=='
	[[ $output != *PLAIN* ]]
	[[ $output == *STARTTLS* ]]
	[[ $output == *"530 5.7.0 Must issue STARTTLS"* ]]
	[[ $output == *"538 5.7.11"* ]]
	run python3 "$BATS_TEST_DIRNAME/submit_say.py" "$SUBMIT" \
	    'EHLO x' "$FROM"
	[[ $output == *"AUTH "*PLAIN* ]]
	[[ $output != *STARTTLS* ]]
	[[ $output == *"530 5.7.0 Auth"* ]]
	run python3 "$BATS_TEST_DIRNAME/submit_say.py" -l alice:wrong "$SUBMIT"
	[[ $output == "535 5.7.8"* ]]
	grep -q 'auth-failed user=.* rip=127.0.0.1' submit.log
	! grep -E 'secret|wrong|AGFsaWNl' submit.log || false
}

@test "recipients: unknown here 550 5.1.1, elsewhere without a relay 550 5.4.4" {
	lmtp
	submission
	say "$FROM" 'RCPT TO:<nobody@example.org>' "$CAROL" DATA "$BOB"
	[[ ${lines[1]} == "550 5.1.1 "* ]]
	[[ ${lines[2]} == "550 5.4.4 "* ]]
	[[ ${lines[3]} == "554 5.5.0 "* ]]
	[[ ${lines[4]} == "250 2.1.5 "* ]]
}

@test "the answer of the relay to RCPT is passed on at once" {
	lmtp
	relay -r 'rcpt:no@example.net=550 5.7.27 not to that one' \
	    -r 'rcpt:later@example.net=450 wait a bit'
	submission
	letter >m
	say "$FROM" 'RCPT TO:<no@example.net>' 'RCPT TO:<later@example.net>' \
	    "$CAROL" DATA @m
	[ "${lines[1]}" = "550 5.7.27 not to that one" ]
	[ "${lines[2]}" = "450 4.0.0 wait a bit" ]
	[[ ${lines[5]} == "250 2."* ]]
	[ "$(grep -c RCPT relay/1.env)" = 1 ]
}

@test "a relay that refuses at any stage: its code, and nobody has the message" {
	lmtp
	submission
	letter >m
	for stage in greeting helo mail rcpt data end; do
		for reply in '450 4.3.2 later' '554 5.3.2 never'; do
			rm -rf relay relay.fifo
			relay -r "$stage=$reply"
			say "$FROM" "$BOB" "$CAROL" DATA @m
			case $stage,$reply in
			greeting,5*|helo,5*) want='451 4.4.1' ;;
			*) want=${reply% *} ;;
			esac
			[[ $output == *$'\n'"$want"* ]] || {
				echo "$stage $reply: $output"
				false
			}
			[ "$(count relay)" = 0 ]
			case $stage in
			data|end) [ "$(count lmtp)" = 0 ] ;;
			*)	# bob was accepted, carol was not
				[ "$(count lmtp)" = 1 ]
				rm lmtp/*.eml ;;
			esac
		done
	done
}

@test "a relay that dies at any stage: 451, and nobody has the message" {
	lmtp
	submission
	letter >m
	for stage in greeting mail rcpt data mid end; do
		rm -rf relay relay.fifo lmtp/*.eml
		relay -d "$stage"
		say "$FROM" "$CAROL" "$BOB" DATA @m
		[[ $output == *$'\n'"451 4.4."* ]] || {
			echo "$stage: $output"
			false
		}
		case $stage in
		data|mid|end) [ "$(count lmtp)" = 0 ] ;;
		esac
	done
}

@test "a next hop that is not there is named in the log, and not to users" {
	echo 127.0.0.1:9 >control/relay
	echo "$PWD/nowhere.sock" >control/lmtp-socket
	submission
	say "$FROM" "$BOB" "$CAROL"
	[[ ${lines[1]} == "451 4.4.1 "* && ${lines[2]} == "451 4.4.1 "* ]]
	[[ $output != *nowhere* && $output != *127.0.0.1* ]]
	grep -q "warning: next hop 127.0.0.1:9: 451 4.4.1 " submit.log
	grep -q "warning: next hop $PWD/nowhere.sock: 451 4.4.1 " submit.log
}

@test "a way out that cannot be is in the log with the first login" {
	echo bin/qmail-queue >control/qmail-queue
	submission
	say NOOP
	grep -q "warning: $PWD/control: qmail-queue is no absolute path" \
	    submit.log
}

@test "a queue that is not there is told at once, by its path in the log" {
	echo "$PWD/no/qmail-queue" >control/qmail-queue
	submission
	say "$FROM" "$CAROL"
	[[ ${lines[1]} == "451 4.3.5 qmail-queue cannot be run" ]]
	grep -q "warning: qmail-queue: $PWD/no/qmail-queue: No such file" \
	    submit.log
}

@test "a relay that did not wait for the message is told again" {
	relay -d idle
	submission
	letter >m
	say "$FROM" "$CAROL" 'RCPT TO:<dave@example.net>' DATA @m
	[[ ${lines[4]} == "250 2."* ]]
	[ "$(grep -c RCPT relay/1.env)" = 2 ]
}

@test "who fails after others were served is reported to the sender" {
	lmtp -r 'end:bob@example.org=552 5.2.2 mailbox full'
	relay
	submission
	letter >m
	say "$FROM ENVID=Q+2B1 RET=FULL" "$CAROL" \
	    "$BOB ORCPT=rfc822;b+2Bob@example.org" DATA @m
	[[ ${lines[4]} == "250 2."* ]]
	[ "$(count relay)" = 1 ]
	[ "$(count lmtp)" = 1 ]
	grep -q 'MAIL FROM:<>' lmtp/1.env
	grep -q 'RCPT TO:<alice@example.org>' lmtp/1.env
	tr -d '\r' <lmtp/1.eml >bounce
	grep -q '^Content-Type: multipart/report' bounce
	grep -q '^Original-Envelope-Id: Q+1' bounce
	grep -q '^Original-Recipient: rfc822; *b+ob@example.org' bounce
	grep -q '^Final-Recipient: rfc822; *bob@example.org' bounce
	grep -q '^Action: failed' bounce
	grep -q '^Status: 5.2.2' bounce
	grep -q '552 5.2.2 mailbox full' bounce
	grep -q '^Bye\.' bounce
	! grep -q 'carol' bounce || false
	# The header alone, if that is enough, or all is too much.
	say "$FROM RET=HDRS" "$CAROL" "$BOB" DATA @m
	[[ ${lines[4]} == "250 2."* ]]
	yes "$(printf 'x%.0s' {1..70})" | head -n 4000 | sed 's/$/\r/' >>m
	say "$FROM RET=FULL" "$CAROL" "$BOB" DATA @m
	[[ ${lines[4]} == "250 2."* ]]
	for i in 2 3; do
		grep -q '^Action: failed' lmtp/$i.eml
		grep -q '^Subject: hello' lmtp/$i.eml
		! grep -q '^Bye\.\|^xxx' lmtp/$i.eml || false
	done
}

@test "where the report cannot be stored the answer is 451" {
	relay
	submission
	letter >m
	for trouble in '-r rcpt:alice@example.org=452' '-d mail2' '-d data2' \
	    '-r end:alice@example.org=554' '-d end2'; do
		rm -rf lmtp lmtp.fifo lmtp.sock
		# One answer for each; the second is that to the report.
		lmtp -r 'end:bob@example.org=552 5.2.2 mailbox full' \
		    ${trouble% *} "${trouble##* }"
		say "$FROM" "$CAROL" "$BOB" DATA @m
		[[ ${lines[4]} == "451 4.3.0 "* ]] || {
			echo "$trouble: $output"
			false
		}
	done
}

@test "NOTIFY=NEVER and the null sender get no report" {
	lmtp -r 'end:bob@example.org=552 5.2.2 mailbox full'
	relay
	submission
	letter >m
	say "$FROM" "$CAROL" "$BOB NOTIFY=NEVER" DATA @m
	[[ ${lines[4]} == "250 2."* ]]
	say 'MAIL FROM:<>' "$CAROL NOTIFY=SUCCESS" "$BOB" DATA @m
	[[ ${lines[4]} == "552 5.2.2 "* ]]
	[ "$(count lmtp)" = 0 ]
}

@test "who wants to hear of success only loses nothing to a hop that says later" {
	lmtp -r 'end:bob@example.org=452 4.2.2 full for now'
	relay
	submission
	letter >m
	all=()
	for n in NEVER SUCCESS DELAY SUCCESS,DELAY; do
		all+=("$FROM" "$CAROL" "$BOB NOTIFY=$n" DATA @m)
	done
	say "${all[@]}"
	for i in 4 9 14 19; do
		[[ ${lines[i]} == "452 4.2.2 "* ]]
	done
}

@test "AUTH= of MAIL goes to a relay that knows us: the user's own, else <>" {
	fake relay -a me:word
	echo "127.0.0.1:$PORT none" >control/relay
	(umask 077; echo me:word >control/relay-auth)
	submission
	letter >m
	i=0
	while read -r said want; do
		i=$((i + 1))
		say "$FROM $said" "$CAROL" DATA @m
		[[ ${lines[3]} == "250 2."* ]]
		[ "$(sed -n 's/^MAIL.* AUTH=//p' relay/$i.env)" = "$want" ]
	done <<-'END'
	AUTH=<> <>
	AUTH=alice@example.org alice@example.org
	AUTH=alice+2Bx@example.org alice+2Bx@example.org
	AUTH=bob@example.org <>
	SIZE=1
	END
	fake other
	echo "127.0.0.1:$PORT" >control/relay
	rm control/relay-auth
	say "$FROM AUTH=<>" "$CAROL" DATA @m
	[[ ${lines[3]} == "250 2."* ]]
	! grep AUTH other/1.env || false
}

@test "DSN parameters are passed on to a hop that has DSN" {
	lmtp
	relay
	submission
	letter >m
	p='NOTIFY=SUCCESS,DELAY ORCPT=rfc822;x+2By@example.net'
	say "$FROM RET=HDRS ENVID=a+3Db" "$CAROL $p" "$BOB $p" DATA @m
	[[ ${lines[4]} == "250 2."* ]]
	for d in relay lmtp; do
		grep -q 'RET=HDRS ENVID=a+3Db' $d/1.env
		grep -q "$p" $d/1.env
	done
	[ "$(count lmtp)" = 1 ]
}

@test "a hop without DSN: the parameters stay here, and success is reported as relayed" {
	lmtp
	relay -n DSN
	submission
	letter >m
	say "$FROM ENVID=e1" "$CAROL NOTIFY=SUCCESS" \
	    'RCPT TO:<dave@example.net> NOTIFY=FAILURE' DATA @m
	[[ ${lines[4]} == "250 2."* ]]
	! grep -E 'NOTIFY|ENVID' relay/1.env || false
	[ "$(count lmtp)" = 1 ]
	tr -d '\r' <lmtp/1.eml >dsn
	grep -q '^Action: relayed' dsn
	grep -q '^Final-Recipient: rfc822; *carol@example.net' dsn
	grep -q '^Original-Envelope-Id: e1' dsn
	! grep -q dave dsn || false
	! grep -q '^Bye\.' dsn || false
}

@test "8-bit headers and UTF-8 addresses are never sent where they are not taken" {
	lmtp
	relay -n 8BITMIME -n SMTPUTF8
	submission
	printf 'From: alice@example.org\r\nX: \303\251\r\n\r\nx\r\n' >body
	printf 'From: alice@example.org\r\nSubject: \303\251\r\n\r\nx\r\n' >head
	say "$FROM BODY=8BITMIME" "$CAROL" DATA @body "$FROM SMTPUTF8" \
	    'RCPT TO:<ä@example.net>' "$CAROL" DATA @head "$FROM" \
	    'RCPT TO:<ä@example.net>' RSET "$FROM SMTPUTF8" "$BOB" DATA @head
	[[ ${lines[3]} == "554 5.6.3 "* ]]
	[[ ${lines[5]} == "553 5.6.7 "* ]]
	[[ ${lines[6]} == "250 "* ]]
	[[ ${lines[8]} == "554 5.6.9 "* ]]
	[[ ${lines[10]} == "553 5.6.7 "* ]]
	[[ ${lines[15]} == "250 2."* ]]
	! LC_ALL=C grep -q $'\303' relay/log || false
	[ "$(count relay)" = 0 ]
	grep -q SMTPUTF8 lmtp/1.env
	grep -q UTF8SMTPSA lmtp/1.eml
	tail -c 40 lmtp/1.eml | cmp - <(tail -c 40 head)
}

@test "the relay is reached by STARTTLS and AUTH, and never without them" {
	cp "$BATS_FILE_TMPDIR/tls.pem" .
	fake relay -t tls.pem -a 'me:pass:word'
	echo "localhost:$PORT verify" >control/relay
	echo 'me:pass:word' >control/relay-auth
	submission
	letter >m
	chmod 644 control/relay-auth
	say "$FROM" "$CAROL"
	[[ ${lines[1]} == "451 4.3.5 relay-auth can be read by others"* ]]
	chmod 600 control/relay-auth
	say "$FROM" "$CAROL"
	[[ ${lines[1]} == "451 4.7.5 "* ]]
	cp "$BATS_FILE_TMPDIR/cert" control/ca
	echo "$PWD/control/ca" >control/relay-ca
	say "$FROM" "$CAROL" DATA @m
	[[ ${lines[3]} == "250 2."* ]]
	echo 'me:wrong' >control/relay-auth
	say "$FROM" "$CAROL"
	[[ ${lines[1]} == "451 4.7.0 "* ]]
	! grep -E 'pass|wrong' submit.log || false
	fake plain -a 'me:pass'
	echo 'me:pass' >control/relay-auth
	for policy in may must verify; do
		echo "localhost:$PORT $policy" >control/relay
		say "$FROM" "$CAROL"
		[[ ${lines[1]} == "451 4.7.4 "* ]]
	done
	! grep AUTH plain/log || false
	echo "localhost:$PORT none" >control/relay
	say "$FROM" "$CAROL" DATA @m
	[[ ${lines[3]} == "250 2."* ]]
}

@test "a program with the qmail-queue interface takes the mail" {
	lmtp
	cat >queue <<-'END'
	#!/bin/sh
	cat >queue.message
	cat <&1 >queue.envelope
	[ -s queue.say ] && cat queue.say >&6
	read -r code <queue.code
	exit $code
	END
	chmod +x queue
	echo "$PWD/queue" >control/qmail-queue
	submission
	letter >m
	while read -r code want; do
		echo "$code" >queue.code
		[ "$code" != 82 ] || printf 'D%s' 'Not that, thank you.' >queue.say
		say "$FROM" "$CAROL NOTIFY=SUCCESS" \
		    'RCPT TO:<"d e"@example.net>' DATA @m
		[[ ${lines[4]} == "$want"* ]] || {
			echo "$code: ${lines[4]}"
			false
		}
	done <<-'END'
	0 250 2.0.0
	11 554 5.3.0
	31 554 5.3.0
	40 554 5.3.0
	53 451 4.3.0
	81 451 4.3.0
	111 451 4.3.0
	82 554 5.3.0 Not that, thank you.
	END
	tr '\0' '\n' <queue.envelope >envelope
	printf '%s\n' Falice@example.org Tcarol@example.net \
	    'T"d e"@example.net' '' | cmp - envelope
	tr -d '\r' <m | cmp - <(sed -n '/^From:/,$p' queue.message)
	! grep -q $'\r' queue.message || false
	# The queue knows no DSN, so we say "relayed" for it.
	[ "$(count lmtp)" = 1 ]
	grep -q '^Action: relayed' lmtp/1.eml
	chmod -x queue
	say "$FROM" "$CAROL"
	[[ ${lines[1]} == "451 4.3.5 "* ]]
}

@test "too big is refused by what is announced and by what comes" {
	lmtp
	echo 1000 >control/databytes
	submission
	letter >m
	yes "$(printf 'xxxxxxxxxxxxxxxxxxx\r')" | head -100 >>m
	say "$FROM SIZE=1001" "$FROM SIZE=10" "$BOB" DATA @m NOOP
	[[ ${lines[0]} == "552 5.3.4 "* ]]
	[[ ${lines[4]} == "552 5.3.4 "* ]]
	[[ ${lines[5]} == "250 "* ]]
	[ "$(count lmtp)" = 0 ]
}

@test "a big message streams through a file, and a full disk is 452" {
	lmtp -n SIZE
	submission
	letter >m
	head -c 600000 /dev/urandom | base64 | sed 's/$/\r/' >>m
	say "$FROM" "$BOB" DATA @m
	[[ ${lines[3]} == "250 2."* ]] || { cat submit.log lmtp.err; false; }
	sed -n '/^From:/,$p' lmtp/1.eml | cmp - m
	mkfifo small.fifo
	(ulimit -f 300; TMPDIR=$PWD/spool exec tcpserver -HRl0 -1 127.0.0.1 0 lemon-submit \
	    >small.fifo 2>small.log 3>&-) &
	PIDS="$PIDS $!"
	read -r SUBMIT <small.fifo
	say "$FROM" "$BOB" DATA @m
	[[ ${lines[3]} == "452 4.3.1 "* ]]
	[ "$(count lmtp)" = 1 ]
}

@test "a header of any length streams, and a Bcc of any length is left out" {
	lmtp -n SIZE
	submission
	python3 - >m <<-'END'
	n = "\r\n"
	print("From: alice@example.org" + n + "X-Long: " + "y" * 1500000 + n +
	    "Bcc: " + "secret@example.net," * 20000 + n +
	    (" secret@example.net," + n) * 20000 + "X-Last: z" + n + n +
	    "text" + n, end="")
	END
	say "$FROM" "$BOB" DATA @m
	[[ ${lines[3]} == "250 2."* ]]
	! grep -q secret lmtp/1.eml || false
	grep -q '^X-Last: z' lmtp/1.eml
	[ "$(grep '^X-Long' lmtp/1.eml | wc -c)" = 1500010 ]
	printf 'From: %s\r\n\r\nx\r\n' "$(printf '%070000d' 1)" >long
	say "$FROM" "$BOB" DATA @long
	[[ ${lines[3]} == "554 5.6.0 "* ]]
}

@test "a message that has been round too often is refused" {
	lmtp
	submission
	{
		for i in $(seq 101); do
			printf 'Received: from x by y; now\r\n'
		done
		letter
	} >m
	say "$FROM" "$BOB" DATA @m
	[[ ${lines[3]} == "554 5.4.6 "* ]]
}

@test "a bare LF or CR in the message ends the session, and nothing is sent" {
	lmtp
	relay
	submission
	for text in 'x\n.\r\n' 'x\r.\r\n' 'x\r\n.\n' 'x\r\n.\r' '\n' '\r\r\n'; do
		say "$FROM" "$BOB" "$CAROL" DATA \
		    "=From: alice@example.org\r\n\r\n$text$FROM\r\n$BOB\r\n" \
		    '<' '!'
		[[ ${lines[4]} == "554 5.6.0 Bare"* ]]
		[ "${lines[5]}" = "(closed)" ]
	done
	[ "$(count lmtp)$(count relay)" = 00 ]
	grep -q 'bye user=alice rip=127.0.0.1 why=smuggling' submit.log
}

@test "what is pipelined behind STARTTLS ends the session, wherever it is cut" {
	lmtp
	submission
	python3 - "$SUBMIT" <<-'END'
	import socket, sys
	text = b"EHLO x\r\nSTARTTLS\r\nEHLO evil\r\nNOOP\r\n"
	start = text.index(b"STARTTLS")
	for cut in range(start, len(text)):
	    s = socket.create_connection(("127.0.0.1", int(sys.argv[1])), 20)
	    s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
	    try:
	        s.sendall(text[:cut])
	        s.sendall(text[cut:])
	    except OSError:
	        pass
	    got = b""
	    try:
	        while True:
	            more = s.recv(65536)
	            if not more:
	                break
	            got += more
	    except ConnectionResetError:
	        pass
	    codes = [l[:3] for l in got.split(b"\r\n") if l[3:4] == b" "]
	    # Nothing came yet: 220, and then no handshake.  After that no reply.
	    assert codes in ([b"220", b"250", b"554"], [b"220", b"250", b"220"]), (
	        cut, got)
	    assert b"503" not in got and got.count(b"\r\n250 ") == 1
	END
	grep -q 'bye user=- rip=127.0.0.1 why=injection' submit.log
}

@test "a client that vanishes in the middle leaves nothing behind" {
	lmtp
	relay
	submission
	python3 "$BATS_TEST_DIRNAME/submit_say.py" -l alice:secret "$SUBMIT" \
	    "$FROM" "$BOB" "$CAROL" DATA '=From: alice@example.org\r\n\r\nx\r\n.'
	for i in $(seq 100); do
		grep -q 'bye user=alice .*why=lost' submit.log && break
		sleep 0.05
	done
	grep -q 'bye user=alice .*why=lost' submit.log
	[ "$(count lmtp)$(count relay)" = 00 ]
}

@test "pipelined commands are answered in order, several hundred recipients too" {
	lmtp
	relay -r 'rcpt:n7@example.net=550 5.1.1 seven'
	submission
	letter | sed 's/^\./../' >m
	python3 - >cmds <<-'END'
	print("MAIL FROM:<alice@example.org>\\r\\n" + "".join(
	    "RCPT TO:<n%d@example.net>\\r\\n" % i for i in range(300)) +
	    "RCPT TO:<bob@example.org>\\r\\nDATA\\r\\n", end="")
	END
	args=()
	for i in $(seq 303); do args+=('<'); done
	say "=$(cat cmds)" "${args[@]}" @m 'NOOP'
	[[ ${lines[0]} == "250 2.1.0 "* ]]
	[[ ${lines[8]} == "550 5.1.1 seven" ]]
	[[ ${lines[302]} == "354 "* ]]
	[[ ${lines[303]} == "250 2."* ]]
	[ "$(grep -c RCPT relay/1.env)" = 299 ]
}

# postfix: a Postfix of our own, with its own directories, on $PORT.  It takes
# carol@example.net into a Maildir and gives example.org to our LMTP.
postfix_up() {
	local d=$PWD/postfix
	PORT=$(python3 -c 'import socket
s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
	mkdir -p "$d/etc" "$d/queue" "$d/data" "$d/mail"
	chown postfix "$d/data"
	chown nobody "$d/mail"
	chmod 711 "$BATS_RUN_TMPDIR" "$BATS_FILE_TMPDIR" "$BATS_TEST_TMPDIR" \
	    "$BATS_RUN_TMPDIR/test" 2>/dev/null || :
	cat >"$d/etc/main.cf" <<-END
	compatibility_level = 3.6
	queue_directory = $d/queue
	data_directory = $d/data
	mail_owner = postfix
	setgid_group = postdrop
	inet_interfaces = 127.0.0.1
	inet_protocols = ipv4
	myhostname = relay.example.net
	mydestination =
	alias_maps =
	mynetworks = 127.0.0.0/8
	smtpd_tls_cert_file = $BATS_FILE_TMPDIR/leaf
	smtpd_tls_key_file = $BATS_FILE_TMPDIR/key
	smtpd_tls_security_level = may
	smtpd_tls_received_header = yes
	relay_domains = example.org
	transport_maps = inline:{example.org=lmtp:unix:$PWD/lmtp.sock}
	virtual_mailbox_domains = example.net
	virtual_mailbox_base = $d/mail
	virtual_mailbox_maps = inline:{carol@example.net=carol/}
	virtual_uid_maps = static:65534
	virtual_gid_maps = static:65534
	maillog_file = $d/log
	maillog_file_prefixes = $d
	END
	cat >"$d/etc/master.cf" <<-END
	127.0.0.1:$PORT inet n - n - - smtpd
	cleanup unix n - n - 0 cleanup
	qmgr unix n - n 300 1 qmgr
	tlsmgr unix - - n 1000? 1 tlsmgr
	rewrite unix - - n - - trivial-rewrite
	bounce unix - - n - 0 bounce
	defer unix - - n - 0 bounce
	trace unix - - n - 0 bounce
	proxymap unix - - n - - proxymap
	smtp unix - - n - - smtp
	lmtp unix - - n - - lmtp
	virtual unix - n n - - virtual
	error unix - - n - - error
	retry unix - - n - - error
	anvil unix - - n - 1 anvil
	scache unix - - n - 1 scache
	postlog unix-dgram n - n - 1 postlogd
	END
	: >"$d/etc/dynamicmaps.cf"
	postfix -c "$d/etc" start 2>&1 || { cat "$d/log"; return 1; }
}

postfix_down() {
	postfix -c "$PWD/postfix/etc" stop 2>/dev/null || :
}

# await COMMAND…: until it succeeds, at most 20 s.
await() {
	timeout 20 bash -c 'until "$@" >/dev/null 2>&1; do sleep 0.1; done' \
	    - "$@"
}

@test "a real Postfix as relay: RCPT live, TLS, DSN there and back" {
	[ "$(id -u)" = 0 ] && command -v postfix || skip "needs root and Postfix"
	lmtp
	postfix_up
	cp "$BATS_FILE_TMPDIR/cert" control/ca
	echo "localhost:$PORT verify" >control/relay
	echo "$PWD/control/ca" >control/relay-ca
	submission
	letter >m
	say "$FROM RET=HDRS ENVID=round+2Btrip" \
	    'RCPT TO:<nobody@example.net>' \
	    "$CAROL NOTIFY=SUCCESS ORCPT=rfc822;old+2Bcarol@example.net" \
	    "$BOB" DATA @m
	echo "$output"
	[[ ${lines[1]} == "550 5.1.1 "* ]]
	[[ ${lines[5]} == "250 2."* ]]
	await test -e lmtp/2.eml || { cat postfix/log; postfix_down; false; }
	postfix_down
	cat postfix/mail/carol/new/* >got
	grep -q '^Message-ID: <1@example.org>' got
	grep -q 'TLSv1' got
	sed -n '/^Hi/,$p' m | tr -d '\r' | cmp - <(sed -n '/^Hi/,$p' got)
	tr -d '\r' <lmtp/2.eml >dsn
	grep -q '^Action: delivered' dsn
	grep -q '^Original-Envelope-Id: round+trip' dsn
	grep -q '^Original-Recipient: rfc822; *old+carol@example.net' dsn
	grep -q 'MAIL FROM:<>' lmtp/2.env
}
