#!/usr/bin/env bats
# SPDX-License-Identifier: ISC
# Many who do not log in, at once: they are gone in time, and do not keep out
# those who do.

bats_require_minimum_version 1.5.0

load room
load serve

setup() {
	room
	export LEMON_AUTH_DELAY=0
}

teardown() {
	[ -z "${SERVE_PID-}" ] || unserve
}

hostile() {
	(echo 'from hostile import *'; cat) >client.py
	python3 client.py >said || { cat said; return 1; }
	cat said >&3
}

@test "500 who send an octet now and then disturb nobody, and are gone in time" {
	export LEMON_STRANGERS_MAX=600
	unset LEMON_CONTROL LEMON_LOGINTIMEOUT
	DIR=$T/serve serve -u alice:sesame
	hostile <<-'END'
	N = 60 if "-asan" in os.environ.get("LEMON_BUILD", "") else 500
	hand = b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"r" * 500
	ports = [("IMAP", b"t NOOP "), ("IMAPS", hand), ("SUBMISSION", b"NOOP "),
	    ("SUBMISSIONS", hand)]
	ports = [(int(os.environ[p]), octets) for p, octets in ports]
	def come():
	    slow = []
	    for i in range(N):
	        port, octets = ports[i % 4]
	        s = socket.create_connection(("127.0.0.1", port), WAIT,
	            ("127.0.1.%d" % (1 + i // 50), 0))
	        slow.append([s, octets])
	    return slow
	def drip(slow):
	    """Who is there still, after an octet from each."""
	    there = 0
	    for s in slow:
	        if s[0] is None:
	            continue
	        try:
	            s[0].send(s[1][:1])
	            s[1] = s[1][1:] + b"x"
	            s[0].setblocking(False)
	            while True:
	                got = s[0].recv(4096)
	                assert b"Too many" not in got, got
	                if not got:
	                    raise ConnectionError
	        except BlockingIOError:
	            there += 1
	        except OSError:
	            s[0].close()
	            s[0] = None
	    return there
	def login():
	    began = time.monotonic()
	    s = socket.create_connection(("127.0.0.1", ports[0][0]), WAIT)
	    f = s.makefile("rwb")
	    f.readline()
	    f.write(b"t STARTTLS\r\n")
	    f.flush()
	    assert f.readline().startswith(b"t OK")
	    s = context().wrap_socket(s)
	    f = s.makefile("rwb")
	    f.write(b"t LOGIN alice sesame\r\n")
	    f.flush()
	    said = f.readline()
	    assert said.startswith(b"t OK"), said
	    return time.monotonic() - began
	# On a machine that needs the whole time-out to let them in, the first
	# go before the last has come; then they may stay for longer.
	for seconds in (6, 12, 24, 48):
	    with open(T + "/serve/control/logintimeout", "w") as f:
	        print(seconds, file=f)
	    slow = come()
	    came = drip(slow)
	    took = sorted(login() for i in range(10))
	    still = drip(slow)
	    began = time.monotonic()
	    while drip(slow) > 0:
	        assert time.monotonic() - began < seconds + 30, drip(slow)
	        time.sleep(0.2)
	    if still == N:
	        break
	assert still == N, "only %d were there all the time" % still
	print("# %d came, %d after the logins; login %.0f ms, at most %.0f" %
	    (came, still, took[5] * 1000, took[-1] * 1000))
	END
}

@test "so many from an address, and so many in all, and no more" {
	mkdir -p control home/alice
	echo "$T/home/%u" >control/home
	echo crowd >control/strangers
	openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes \
	    -days 2 -subj /CN=localhost -keyout k -out c 2>/dev/null
	cat k c >control/tls.pem
	[ "$(id -u)" != 0 ] || chown nobody:nogroup home/alice
	echo sesame | lemon-user add alice
	export LEMON_STRANGERS_ADDRESS=3 LEMON_STRANGERS_MAX=6 LEMON_PLAINTEXT=1
	hostile <<-'END'
	def come(kind, n):
	    return Client(kind, greet=False, TCPREMOTEIP="192.0.2.%d" % n)
	def let_in(kind, n):
	    c = come(kind, n)
	    assert c.line()[:4] in (b"* OK", b"220 ")
	    return c
	def refused(kind, n):
	    c = come(kind, n)
	    said = c.drain()
	    assert c.end() == 0
	    return said
	one = [let_in(k, 1) for k in ("imap", "submit", "imap")]
	assert refused("imap", 1) == b"* BYE Too many connections.\r\n"
	assert refused("submit", 1) == b"421 4.7.0 Too many connections\r\n"
	assert refused("imaps", 1) == refused("submits", 1) == b""
	two = [let_in("submit", n) for n in (2, 3, 4)]
	assert refused("imap", 5) == b"* BYE Too many connections.\r\n"
	# Who is in counts no more, and who is killed does not either.
	assert one[0].ask(b"t LOGIN alice sesame")[-1].startswith(b"t OK")
	six = let_in("imap", 6)
	assert refused("imap", 7).startswith(b"* BYE")
	two[0].proc.kill()
	two[0].proc.wait()
	let_in("imap", 7)
	# A wrong password is noted there for the next connection.
	was = open(T + "/control/crowd", "rb").read()
	assert len(was) <= 16384
	assert six.ask(b"t LOGIN alice wrong")[-1].startswith(b"t NO")
	assert len(open(T + "/control/crowd", "rb").read()) > 16384
	END
	[ "$(grep -c 'why=crowd' log)" -ge 6 ]
}
