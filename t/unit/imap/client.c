/* SPDX-License-Identifier: ISC */
#include "imap/client.h"

#include <signal.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"

#include "../../t.h"

/* A server that says all of its part at once, and what it hears.  Tags are
 * 1, 2, 3. */
struct talk {
	struct imap_client c;
	int server;
	pid_t child;
};

#define HELLO "* OK [CAPABILITY IMAP4rev1 LITERAL+ SASL-IR AUTH=PLAIN] hi\r\n"

static char much[65537];

static const struct imap_client_opts open_line = { .where = SPAN_INIT("x") };

/* Somebody else says it, since it may be more than a socket holds. */
static bool
begin(struct talk *t, const char *says, const char *again, unsigned times,
    const struct imap_client_opts *o)
{
	int s[2];

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, s) != 0)
		exit(1);
	t->server = s[1];
	t->child = fork();
	if (t->child == 0) {
		struct span part = span_str(again);
		bool good = file_write(s[1], span_str(says)) == 0;

		close(s[0]);
		while (good && times-- > 0)
			good = file_write(s[1], part) == 0;
		shutdown(s[1], SHUT_WR);
		_exit(0);
	}
	return imap_client_start(&t->c, s[0], o);
}

static void
heard(struct talk *t, struct buf *b)
{
	buf_clear(b);
	imap_client_close(&t->c);
	while (waitpid(t->child, NULL, 0) < 0)
		;
	for (ssize_t n; (n = read(t->server, buf_room(b, 4096), 4096)) > 0; )
		b->n += (size_t)n;
	close(t->server);
}

static void
hears(struct talk *t, struct span want, const char *name)
{
	struct buf b = { 0 };

	heard(t, &b);
	is(buf_span(&b), want, name);
	buf_free(&b);
}

static void
forget(struct talk *t)
{
	struct buf b = { 0 };

	heard(t, &b);
	buf_free(&b);
}

static bool
gather(void *ctx, struct span octets)
{
	buf_add(ctx, octets);
	return true;
}

static bool
refuse(void *ctx, struct span octets)
{
	(void)ctx;
	(void)octets;
	return false;
}

static void
greetings(void)
{
	static const struct imap_client_opts must = { .tls = IMAP_TLS_MUST,
		.where = SPAN_INIT("x") };
	static const struct {
		const char *says;
		bool tls;
		const char *why;	/* NULL: welcome */
		const char *name;
	} cases[] = {
		{ "* OK hi\r\n", false, NULL, "OK is welcome" },
		{ "* PREAUTH hi\r\n", false, NULL, "so is PREAUTH" },
		{ "* BYE full\a\r\n", false, "the server does not let us in: "
		    "full?", "BYE is not, and its text is tamed" },
		{ "220 smtp\r\n", false, "the server does not speak IMAP: "
		    "220 smtp", "another protocol is none of ours" },
		{ "", false, "the connection to the server was lost",
		    "who hangs up is gone" },
		{ "* PREAUTH hi\r\n", true, "the server says PREAUTH where "
		    "TLS is wanted", "PREAUTH does not get around TLS" },
		{ HELLO, true, "the server does not offer TLS",
		    "no TLS where it is wanted is no connection" },
		{ "* OK hi\r\n1 NO no\r\n", true, "the server refuses TLS: "
		    "no", "nor where STARTTLS is refused" },
		{ "* OK hi\r\n1 OK go\r\n* CAPABILITY IMAP4rev1\r\n", true,
		    "the server talks before the handshake",
		    "nothing said before the handshake is believed" },
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		struct talk t;
		bool good = begin(&t, cases[i].says, NULL, 0,
		    cases[i].tls ? &must : &open_line);

		if (cases[i].why == NULL)
			ok(good && !t.c.lost, cases[i].name);
		else
			is(buf_span(&t.c.why), span_str(cases[i].why),
			    cases[i].name);
		forget(&t);
	}
}

static void
logins(void)
{
	static const struct {
		const char *says;
		struct imap_login l;
		enum imap_result r;
		const char *hears, *name;
	} cases[] = {
		{ HELLO "1 OK [CAPABILITY IMAP4rev1] in\r\n",
		    { SPAN_INIT("u"), SPAN_INIT("p"), { NULL, 0 } }, IMAP_OK,
		    "1 LOGIN u p\r\n2 LOGOUT\r\n",
		    "LOGIN, behind which more can be said" },
		{ HELLO "1 OK [CAPABILITY IMAP4rev1] in\r\n",
		    { SPAN_INIT("u"), SPAN_INIT("\xc3\xa4"), { NULL, 0 } },
		    IMAP_OK,
		    "1 AUTHENTICATE PLAIN AHUAw6Q=\r\n2 LOGOUT\r\n",
		    "PLAIN in one line where that is known" },
		{ HELLO "1 OK in\r\n",
		    { SPAN_INIT("u"), SPAN_INIT("p"), SPAN_INIT("a") }, IMAP_OK,
		    "1 AUTHENTICATE PLAIN YQB1AHA=\r\n2 LOGOUT\r\n",
		    "as somebody else" },
		{ HELLO "1 NO [AUTHENTICATIONFAILED] no\r\n",
		    { SPAN_INIT("u"), SPAN_INIT("p"), { NULL, 0 } }, IMAP_NO,
		    "1 LOGIN u p\r\n2 LOGOUT\r\n", "a refused password" },
		{ HELLO "1 NO [AUTHENTICATIONFAILED] no\r\n",
		    { SPAN_INIT("u"), SPAN_INIT("p"), SPAN_INIT("a") }, IMAP_NO,
		    "1 AUTHENTICATE PLAIN YQB1AHA=\r\n2 LOGOUT\r\n",
		    "one refused to somebody else" },
		{ "* OK hi\r\n* CAPABILITY IMAP4rev1\r\n1 OK\r\n2 OK in\r\n",
		    { SPAN_INIT("u"), SPAN_INIT("p\"\\"), { NULL, 0 } },
		    IMAP_OK, "1 CAPABILITY\r\n2 LOGIN u \"p\\\"\\\\\"\r\n"
		    "3 LOGOUT\r\n", "LOGIN, what is odd in it quoted" },
		{ "* OK hi\r\n* CAPABILITY AUTH=PLAIN LOGINDISABLED\r\n"
		    "1 OK\r\n+ \r\n2 OK in\r\n",
		    { SPAN_INIT("u"), SPAN_INIT("p"), { NULL, 0 } },
		    IMAP_OK, "1 CAPABILITY\r\n2 AUTHENTICATE PLAIN\r\n"
		    "AHUAcA==\r\n3 LOGOUT\r\n", "PLAIN in two steps" },
		{ "* OK [CAPABILITY AUTH=PLAIN LOGINDISABLED] \r\n"
		    "1 NO never\r\n",
		    { SPAN_INIT("u"), SPAN_INIT("p"), { NULL, 0 } },
		    IMAP_NO, "1 AUTHENTICATE PLAIN\r\n2 LOGOUT\r\n",
		    "no password after a refused AUTHENTICATE" },
		{ "* OK [CAPABILITY IMAP4rev1 LOGINDISABLED] hi\r\n",
		    { SPAN_INIT("u"), SPAN_INIT("p"), { NULL, 0 } },
		    IMAP_BAD, "1 LOGOUT\r\n", "no LOGIN where it is disabled" },
		{ "* OK [CAPABILITY IMAP4rev1] hi\r\n",
		    { SPAN_INIT("u"), SPAN_INIT("p"), SPAN_INIT("a") },
		    IMAP_BAD, "1 LOGOUT\r\n",
		    "nor LOGIN where it should be as somebody else" },
		{ "* PREAUTH hi\r\n1 OK\r\n",
		    { SPAN_INIT("u"), SPAN_INIT("p"), { NULL, 0 } },
		    IMAP_OK, "1 NOOP\r\n2 LOGOUT\r\n",
		    "no password where we are in already" },
		{ "* OK [CAPABILITY LITERAL+] hi\r\n1 OK in\r\n",
		    { SPAN_INIT("\xc3\xa4"), SPAN_INIT("p"), { NULL, 0 } },
		    IMAP_BAD, "1 LOGOUT\r\n",
		    "a name beyond ASCII needs PLAIN" },
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		struct talk t;

		begin(&t, cases[i].says, NULL, 0, &open_line);
		ok(imap_client_login(&t.c, &cases[i].l) == cases[i].r,
		    cases[i].name);
		hears(&t, span_str(cases[i].hears), cases[i].name);
	}
}

static void
capabilities(void)
{
	struct imap_login l = { SPAN("u"), SPAN("p"), { NULL, 0 } };
	struct talk t;

	begin(&t, HELLO "1 OK [CAPABILITY CATENATE URLAUTH] in\r\n", NULL, 0,
	    &open_line);
	ok(imap_client_login(&t.c, &l) == IMAP_OK && t.c.known &&
	    t.c.offered == (IMAP_CATENATE | IMAP_URLAUTH),
	    "a login's answer says what is offered now");
	forget(&t);
	begin(&t, HELLO "1 OK in\r\n* CAPABILITY uidplus\r\n2 OK\r\n", NULL,
	    0, &open_line);
	ok(imap_client_login(&t.c, &l) == IMAP_OK && !t.c.known,
	    "what was offered before does not count");
	ok(imap_client_learn(&t.c) == IMAP_OK && t.c.offered == IMAP_UIDPLUS,
	    "so it is asked");
	forget(&t);
}

static void
commands(void)
{
	struct talk t;
	unsigned a, b;

	begin(&t, HELLO "* OK [UIDVALIDITY 7] {3}\r\n* 1 FETCH (X {3}\r\nabc)"
	    "\r\n1 OK done {9}\r\n2 NO [BADURL /x] none\r\n", NULL, 0,
	    &open_line);
	a = imap_client_begin(&t.c, "APPEND ");
	imap_client_add_string(&t.c, SPAN("\xc3\xa4"));
	imap_client_add(&t.c, SPAN(" "));
	imap_client_add_literal(&t.c, 2);
	imap_client_add(&t.c, SPAN("hi"));
	imap_client_end(&t.c);
	b = imap_client_begin(&t.c, "X ");
	imap_client_add_number(&t.c, 5);
	imap_client_end(&t.c);
	ok(imap_client_answer(&t.c, a, NULL, NULL) == IMAP_OK &&
	    t.c.trips == 1, "text that ends like a literal is text");
	ok(imap_client_answer(&t.c, b, NULL, NULL) == IMAP_NO &&
	    span_eq(t.c.code, SPAN("BADURL")) &&
	    span_eq(t.c.args, SPAN("/x")) &&
	    span_eq(buf_span(&t.c.why), SPAN("none")) && t.c.trips == 1,
	    "each command has its answer, and they cost one round trip");
	hears(&t, SPAN("1 APPEND {2+}\r\n\xc3\xa4 {2+}\r\nhi\r\n2 X 5\r\n"
	    "3 LOGOUT\r\n"), "literals are not waited for");

	begin(&t, "* OK hi\r\n+ go\r\n1 OK\r\n2 NO [TOOBIG] too big\r\n"
	    "3 OK\r\n", NULL, 0, &open_line);
	for (int i = 0; i < 2; i++) {
		a = imap_client_begin(&t.c, "APPEND x ");
		imap_client_add_literal(&t.c, 2);
		imap_client_add(&t.c, SPAN("hi"));
		imap_client_end(&t.c);
		ok(imap_client_answer(&t.c, a, NULL, NULL) ==
		    (i == 0 ? IMAP_OK : IMAP_NO), "a literal is asked for");
	}
	ok(span_eq(t.c.code, SPAN("TOOBIG")) &&
	    imap_client_command(&t.c, "NOOP", NULL, NULL) == IMAP_OK,
	    "a refused literal is not sent, and the next command counts");
	hears(&t, SPAN("1 APPEND x {2}\r\nhi\r\n2 APPEND x {2}\r\n3 NOOP\r\n"
	    "4 LOGOUT\r\n"), "that is what it heard");
}

/* Dovecot answers STATUS before a FETCH that was said before. */
static void
overtaken(void)
{
	struct imap_login l = { SPAN("u"), SPAN("p"), SPAN("a") };
	struct talk t;
	unsigned tag[4];

	begin(&t, HELLO "1 OK [CAPABILITY URLAUTH X] in\r\n4 NO [NONEXISTENT] "
	    "no box\r\n2 OK\r\n3 OK [APPENDUID 1 2] there\r\n6 OK\r\n"
	    "9 OK\r\n", NULL, 0, &open_line);
	tag[0] = imap_client_say_login(&t.c, &l);
	for (int i = 1; i < 4; i++) {
		tag[i] = imap_client_begin(&t.c, "X");
		imap_client_end(&t.c);
	}
	ok(imap_client_logged_in(&t.c, tag[0]) == IMAP_OK && t.c.known &&
	    t.c.offered == IMAP_URLAUTH, "an AUTHENTICATE is answered first");
	ok(imap_client_answer(&t.c, tag[1], NULL, NULL) == IMAP_OK &&
	    imap_client_answer(&t.c, tag[2], NULL, NULL) == IMAP_OK &&
	    span_eq(t.c.args, SPAN("1 2")), "answers may come in any order");
	ok(imap_client_answer(&t.c, tag[3], NULL, NULL) == IMAP_NO &&
	    span_eq(t.c.code, SPAN("NONEXISTENT")) &&
	    span_eq(buf_span(&t.c.why), SPAN("no box")),
	    "and say what they said");
	ok(imap_client_command(&t.c, "X", NULL, NULL) == IMAP_LOST,
	    "but not to what was not asked");
	forget(&t);
	begin(&t, HELLO "1 NO [AUTHENTICATIONFAILED] never\r\n", NULL, 0,
	    &open_line);
	tag[0] = imap_client_say_login(&t.c, &l);
	ok(imap_client_logged_in(&t.c, tag[0]) == IMAP_NO &&
	    span_eq(t.c.code, SPAN("AUTHENTICATIONFAILED")) &&
	    span_eq(buf_span(&t.c.why), SPAN("never")),
	    "a refused AUTHENTICATE says why");
	forget(&t);
	begin(&t, HELLO "2 OK\r\n2 OK\r\n1 OK\r\n", NULL, 0, &open_line);
	for (int i = 0; i < 2; i++) {
		tag[i] = imap_client_begin(&t.c, "X");
		imap_client_end(&t.c);
	}
	ok(imap_client_answer(&t.c, tag[0], NULL, NULL) == IMAP_LOST,
	    "nor twice");
	forget(&t);
}

/* A connection that is used again has its time again. */
static void
deadlines(void)
{
	struct imap_client_opts o = open_line;
	struct imap_client c;
	int s[2];

	if (socketpair(AF_UNIX, SOCK_STREAM, 0, s) != 0 ||
	    file_write(s[1], SPAN("* OK hi\r\n")) != 0)
		exit(1);
	o.deadline = clock_ms() + 400;
	ok(imap_client_start(&c, s[0], &o), "a server greets in time");
	while (clock_ms() <= o.deadline)
		;
	imap_client_until(&c, clock_ms() + 60000);
	if (file_write(s[1], SPAN("1 OK\r\n")) != 0)
		exit(1);
	ok(imap_client_command(&c, "NOOP", NULL, NULL) == IMAP_OK,
	    "a later deadline counts, for what is said, too");
	imap_client_until(&c, clock_ms() - 1);
	ok(imap_client_command(&c, "NOOP", NULL, NULL) == IMAP_LOST,
	    "and an earlier one");
	imap_client_close(&c);
	close(s[1]);
}

/* lib/imap/client_url.c */
static void
urls(void)
{
	struct buf b[3] = { { 0 }, { 0 }, { 0 } };
	struct imap_url_fetch u[3];
	struct talk t;

	for (size_t i = 0; i < 3; i++)
		u[i] = (struct imap_url_fetch){ .sink = gather, .ctx = &b[i] };
	u[0].url = SPAN("imap://x/a");
	u[1].url = SPAN("imap://x/b");
	u[2].url = SPAN("imap://x/\"c");
	begin(&t, HELLO "* URLFETCH \"imap://x/b\" {4}\r\nab\r\n imap://x/a "
	    "NIL\r\n1 OK\r\n* URLFETCH imap://other {3}\r\nxyz\r\n2 OK\r\n"
	    "* URLFETCH \"imap://x/\\\"c\" \"quoted\"\r\n3 OK\r\n", NULL, 0,
	    &open_line);
	ok(imap_client_urlfetch(&t.c, u, 3) == IMAP_OK && t.c.trips == 1,
	    "URLs are fetched in one round trip");
	ok(u[0].state == IMAP_NIL && u[1].state == IMAP_GIVEN &&
	    u[2].state == IMAP_GIVEN, "each is given or is not");
	is(buf_span(&b[1]), SPAN("ab\r\n"), "as a literal");
	is(buf_span(&b[2]), SPAN("quoted"), "or quoted");
	ok(b[0].n == 0, "and nothing of what nobody asked for");
	hears(&t, SPAN("1 URLFETCH imap://x/a\r\n2 URLFETCH "
	    "imap://x/b\r\n3 URLFETCH \"imap://x/\\\"c\"\r\n4 LOGOUT\r\n"),
	    "that is what it heard");

	u[1].state = u[2].state = IMAP_UNKNOWN;
	begin(&t, HELLO "1 BAD what\r\n* URLFETCH \"imap://x/\\\"c\" {9}\r\n"
	    "abc", NULL, 0, &open_line);
	ok(imap_client_urlfetch(&t.c, u + 1, 2) == IMAP_LOST &&
	    u[1].state == IMAP_UNKNOWN && u[2].state == IMAP_UNKNOWN,
	    "a literal cut short is not given");
	forget(&t);

	u[1].sink = refuse;
	begin(&t, HELLO "* URLFETCH \"imap://x/b\" {99999999}\r\nabc", NULL, 0,
	    &open_line);
	ok(imap_client_urlfetch(&t.c, u + 1, 1) == IMAP_LOST,
	    "who takes no more hangs up");
	forget(&t);
	for (size_t i = 0; i < 3; i++)
		buf_free(&b[i]);
}

struct count {
	uint64_t n;
};

static bool
count(void *ctx, struct span octets)
{
	struct count *c = ctx;

	c->n += octets.n;
	return true;
}

static void
hostile(void)
{
	static const struct {
		const char *says, *again;
		unsigned times;
		const char *why;	/* NULL: it has an answer */
		const char *name;
	} cases[] = {
		{ HELLO, "* OK still here, and here, and here\r\n", 200000,
		    "the server says too much", "one that talks for ever" },
		{ HELLO "* ", much, 128, "the connection to the server was "
		    "lost", "a line without end" },
		{ HELLO "* 1 FETCH {4294967296}\r\n", much, 128,
		    "the server says too much", "a literal nobody wants" },
		{ HELLO "* 1 FETCH {99999999999999999999}\r\n1 OK\r\n", NULL,
		    0, NULL, "a literal of no size is no literal" },
		{ HELLO "1 BYE\r\n", NULL, 0, "the server does not speak IMAP: "
		    "1 BYE", "an answer that is none" },
		{ HELLO "2 OK\r\n", NULL, 0, "the server does not speak IMAP: "
		    "2 OK", "an answer to what was not asked" },
		{ HELLO "+ go on\r\n", NULL, 0, "the server waits for more",
		    "one that asks for more" },
		{ HELLO "* BYE \x1b[2J\r\n1 OK\r\n", NULL, 0,
		    "the server says goodbye: ?[2J", "one that says BYE" },
		{ HELLO "* 99999999999 X\r\n*\r\n\r\n", NULL, 0,
		    "the server does not speak IMAP: ", "an empty line" },
		{ HELLO "* 99999999999 X\r\n* \r\n*x\r\n* 5\r\n* OK [\r\n"
		    "* OK []\r\n1 OK", "\r\n", 1, NULL, "nonsense is skipped" },
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		struct talk t;

		begin(&t, cases[i].says, cases[i].again, cases[i].times,
		    &open_line);
		enum imap_result r = imap_client_command(&t.c, "NOOP", NULL,
		    NULL);

		if (cases[i].why == NULL)
			ok(r == IMAP_OK, cases[i].name);
		else if (ok(r == IMAP_LOST, cases[i].name))
			is(buf_span(&t.c.why), span_str(cases[i].why),
			    cases[i].name);
		ok(t.c.arena.total < 1000000 && t.c.reader.line.cap < 1000000,
		    "costs little memory");
		forget(&t);
	}
}

/* 64 MB go through the memory that 64 KB need. */
static void
large(void)
{
	struct count n = { 0 };
	struct imap_url_fetch u = { .url = SPAN("u"), .sink = count,
		.ctx = &n };
	struct talk t;

	begin(&t, HELLO "* URLFETCH u {67108864}\r\n", much, 1024,
	    &open_line);
	ok(imap_client_urlfetch(&t.c, &u, 1) == IMAP_LOST &&
	    u.state == IMAP_UNKNOWN && n.n == 67108864,
	    "a large literal goes through");
	ok(t.c.arena.total < 100000, "in constant memory");
	forget(&t);
}

static void
silent(void)
{
	struct imap_client_opts o = { .where = SPAN("x"), .timeout_ms = 100 };
	struct imap_client c;
	int s[2];

	if (socketpair(AF_UNIX, SOCK_STREAM, 0, s) != 0)
		exit(1);
	ok(!imap_client_start(&c, s[0], &o) && span_eq(buf_span(&c.why),
	    SPAN("the server does not answer")), "a silent one times out");
	ok(imap_client_command(&c, "NOOP", NULL, NULL) == IMAP_LOST,
	    "and stays lost");
	imap_client_close(&c);
	close(s[1]);
	o = (struct imap_client_opts){ .where = SPAN("/nowhere/at/all") };
	ok(!imap_client_open(&c, &o) && span_eq(buf_span(&c.why),
	    SPAN("cannot reach the server: cannot connect")),
	    "one that is not there says so");
	imap_client_close(&c);
	imap_client_close(&c);
	/* The deadline for all together counts, too. */
	if (socketpair(AF_UNIX, SOCK_STREAM, 0, s) != 0 ||
	    file_write(s[1], SPAN("* OK hi\r\n")) != 0)
		exit(1);
	o.deadline = clock_ms() + 100;
	ok(imap_client_start(&c, s[0], &o) && imap_client_command(&c, "NOOP",
	    NULL, NULL) == IMAP_LOST, "however long each answer may take");
	imap_client_close(&c);
	close(s[1]);
}

int
main(void)
{
	signal(SIGPIPE, SIG_IGN);
	alarm(60);
	memset(much, 'x', sizeof much - 1);
	greetings();
	logins();
	capabilities();
	commands();
	overtaken();
	deadlines();
	urls();
	hostile();
	large();
	silent();
	return done();
}
