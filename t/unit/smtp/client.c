/* SPDX-License-Identifier: ISC */
#include "smtp/client.h"

#include <signal.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/file.h"

#include "../../t.h"

/*
 * A server that plays a script on a UNIX socket: each step waits for so many
 * lines (or "\r\n.\r\n", where lines is -1) and says its text.  What it read
 * comes back by a pipe.
 */
struct step {
	int lines;
	const char *say;
};

static char path[64];
static pid_t child;
static int heard_fd;

static void
play(int s, int pipe_fd, const struct step *step)
{
	FILE *f = fdopen(dup(s), "r");
	char line[1024];

	for (; step->say != NULL; step++) {
		for (int n = step->lines; n != 0;) {
			if (fgets(line, sizeof line, f) == NULL)
				_exit(0);
			file_write(pipe_fd, span_str(line));
			if (n > 0)
				n--;
			else if (strcmp(line, ".\r\n") == 0)
				n = 0;
		}
		file_write(s, span_str(step->say));
	}
	_exit(0);
}

static void
serve(const struct step *script)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX };
	int l = socket(AF_UNIX, SOCK_STREAM, 0), p[2];

	unlink(path);
	memcpy(a.sun_path, path, sizeof path);
	if (bind(l, (struct sockaddr *)&a, sizeof a) != 0 ||
	    listen(l, 1) != 0 || pipe(p) != 0)
		exit(1);
	child = fork();
	if (child == 0) {
		alarm(20);
		close(p[0]);
		play(accept(l, NULL, NULL), p[1], script);
	}
	close(l);
	close(p[1]);
	heard_fd = p[0];
}

static void
heard(struct buf *b)
{
	char piece[512];
	ssize_t n;

	buf_clear(b);
	while ((n = read(heard_fd, piece, sizeof piece)) > 0)
		buf_add(b, (struct span){ piece, (size_t)n });
	close(heard_fd);
	waitpid(child, NULL, 0);
}

static struct smtp_client_opts
opts(bool lmtp)
{
	return (struct smtp_client_opts){ .where = span_str(path),
	    .helo = "me", .lmtp = lmtp, .timeout_ms = 20000 };
}

static const struct smtp_mail from = { .from = { .address = { "a@b", 3 } },
	.has_size = true, .size = 5, .body = SMTP_BODY_8BIT,
	.ret = SMTP_RET_FULL };
static const struct smtp_rcpt one = { .to = { .address = { "c@d", 3 } },
	.notify = SMTP_SUCCESS },
	two = { .to = { .address = { "e@f", 3 } } };
static const struct smtp_rcpt *const both[] = { &one, &two };

static void
pipelined(void)
{
	static const struct step script[] = { { 0, "220-hi\r\n220 there\r\n" },
		{ 1, "250-x\r\n250-pipelining\r\n250-SIZE 99\r\n250 DSN\r\n" },
		{ 3, "250 ok\r\n550-5.1.1 no\r\n550 5.1.1 really\r\n251 ok\r\n" },
		{ 1, "354 go\r\n" }, { -1, "250 2.6.0 stored\r\n" },
		{ 1, "221 bye\r\n" }, { 0, NULL } };
	struct smtp_client_opts o = opts(false);
	struct smtp_client c;
	struct smtp_reply r[2] = { { 0 }, { 0 } };
	struct buf b = { 0 };

	serve(script);
	ok(smtp_client_open(&c, &o, r) == 0 && c.offered == (SMTP_PIPELINING |
	    SMTP_SIZE | SMTP_DSN) && c.size_max == 99,
	    "what EHLO offers is known");
	ok(smtp_client_envelope(&c, &from, both, r, 2) == 1 &&
	    r[0].code == 550 && r[1].code == 251, "an answer for each");
	is(buf_span(&r[0].text), SPAN("no\nreally"), "of several lines too");
	ok(smtp_client_data(&c, r), "it waits for the message");
	smtp_client_write(&c, SPAN("x\r\n.y"));
	smtp_client_end(&c, r, 1);
	ok(r[0].code == 250 && strcmp(r[0].status, "2.6.0") == 0 &&
	    !c.in_mail, "it has it");
	smtp_client_close(&c);
	heard(&b);
	is(buf_span(&b), SPAN("EHLO me\r\n"
	    "MAIL FROM:<a@b> SIZE=5 RET=FULL\r\n"
	    "RCPT TO:<c@d> NOTIFY=SUCCESS\r\nRCPT TO:<e@f>\r\n"
	    "DATA\r\nx\r\n..y\r\n.\r\nQUIT\r\n"), "and this is what it heard");
	smtp_reply_free(&r[0]);
	smtp_reply_free(&r[1]);
	buf_free(&b);
}

static void
old_server(void)
{
	static const struct step script[] = { { 0, "220 hi\r\n" },
		{ 1, "502 what\r\n" }, { 1, "250 x\r\n" },
		{ 1, "250 ok\r\n" }, { 1, "250 ok\r\n" }, { 1, "450 no\r\n" },
		{ 1, "250 ok\r\n" }, { 1, "221 bye\r\n" }, { 0, NULL } };
	struct smtp_client_opts o = opts(false);
	struct smtp_client c;
	struct smtp_reply r[2] = { { 0 }, { 0 } };
	struct buf b = { 0 };

	serve(script);
	ok(smtp_client_open(&c, &o, r) == 0 && c.offered == 0,
	    "a server without EHLO offers nothing");
	ok(smtp_client_envelope(&c, &from, both, r, 2) == 1 &&
	    r[1].code == 450, "one command at a time");
	ok(c.in_mail && smtp_client_rset(&c, r) && !c.in_mail, "RSET");
	smtp_client_close(&c);
	heard(&b);
	is(buf_span(&b), SPAN("EHLO me\r\nHELO me\r\nMAIL FROM:<a@b>\r\n"
	    "RCPT TO:<c@d>\r\nRCPT TO:<e@f>\r\nRSET\r\nQUIT\r\n"),
	    "no parameter it would not know");
	smtp_reply_free(&r[0]);
	smtp_reply_free(&r[1]);
	buf_free(&b);
}

static void
lmtp(void)
{
	static const struct step script[] = { { 0, "220 hi\r\n" },
		{ 1, "250-x\r\n250 PIPELINING\r\n" },
		{ 3, "250 ok\r\n250 ok\r\n250 ok\r\n" },
		{ 1, "354 go\r\n" }, { -1, "250 2.0.0 yes\r\n452 full\r\n" },
		{ 1, "221 bye\r\n" }, { 0, NULL } };
	struct smtp_client_opts o = opts(true);
	struct smtp_client c;
	struct smtp_reply r[2] = { { 0 }, { 0 } };
	struct buf b = { 0 };

	serve(script);
	ok(smtp_client_open(&c, &o, r) == 0 &&
	    smtp_client_envelope(&c, &from, both, r, 2) == 2 &&
	    smtp_client_data(&c, r), "LMTP");
	smtp_client_end(&c, r, 2);
	ok(r[0].code == 250 && r[1].code == 452 &&
	    strcmp(r[1].status, "4.0.0") == 0, "answers each recipient");
	smtp_client_close(&c);
	heard(&b);
	ok(span_starts(buf_span(&b), SPAN("LHLO me\r\n")), "after LHLO");
	smtp_reply_free(&r[0]);
	smtp_reply_free(&r[1]);
	buf_free(&b);
}

/* Servers that end or lie: the first reply that is none of the wanted. */
static const struct {
	const char *name;
	struct step script[5];
	unsigned code;
	const char *status;
} bad[] = {
	{ "one that hangs up", { { 0, "" } }, 451, "4.4.2" },
	{ "one that does not want us", { { 0, "554 no\r\n" } }, 451,
	    "4.4.1" },
	{ "one that is busy", { { 0, "450 4.3.2 later\r\n" } }, 450,
	    "4.3.2" },
	{ "one that shuts down", { { 0, "421 4.3.2 bye\r\n" } }, 451,
	    "4.4.1" },
	{ "one that speaks something else", { { 0, "SSH-2.0-x\r\n" } }, 451,
	    "4.4.2" },
	{ "one whose codes differ", { { 0, "220-x\r\n250 y\r\n" } }, 451,
	    "4.4.2" },
	{ "one that answers MAIL with 354", { { 0, "220 x\r\n" },
	    { 1, "250 x\r\n" }, { 1, "354 go\r\n" } }, 451, "4.4.2" },
	{ "one that refuses MAIL", { { 0, "220 x\r\n" },
	    { 1, "250-x\r\n250 PIPELINING\r\n" },
	    { 3, "553 5.1.8 no\r\n503 x\r\n503 x\r\n" } }, 553, "5.1.8" },
	{ "one that dies between replies", { { 0, "220 x\r\n" },
	    { 1, "250-x\r\n250 PIPELINING\r\n" }, { 3, "250 x\r\n" } },
	    451, "4.4.2" },
};

static void
trouble(void)
{
	struct smtp_client_opts o = opts(false);
	struct buf b = { 0 };

	for (size_t i = 0; i < COUNT(bad); i++) {
		struct smtp_reply r[2] = { { 0 }, { 0 } };
		struct smtp_client c;
		bool opened;

		serve(bad[i].script);
		opened = smtp_client_open(&c, &o, r) == 0;
		ok(!opened || smtp_client_envelope(&c, &from, both, r, 2) ==
		    0, bad[i].name);
		ok(r[0].code == bad[i].code &&
		    strcmp(r[0].status, bad[i].status) == 0,
		    "and this is what we say of it");
		if (opened)
			smtp_client_close(&c);
		heard(&b);
		smtp_reply_free(&r[0]);
		smtp_reply_free(&r[1]);
	}
	buf_free(&b);
}

static void
login(void)
{
	static const struct step plain[] = { { 0, "220 hi\r\n" },
		{ 1, "250-x\r\n250 AUTH LOGIN PLAIN\r\n" },
		{ 1, "235 ok\r\n" }, { 1, "221 bye\r\n" }, { 0, NULL } },
	    steps[] = { { 0, "220 hi\r\n" },
		{ 1, "250-x\r\n250 AUTH LOGIN\r\n" }, { 1, "334 VQ==\r\n" },
		{ 1, "334 UA==\r\n" }, { 1, "535 no\r\n" },
		{ 1, "221 bye\r\n" }, { 0, NULL } };
	struct smtp_client_opts o = opts(false);
	struct smtp_client c;
	struct smtp_reply r = { 0 };
	struct buf b = { 0 };

	o.user = SPAN("u");
	o.password = SPAN("p");
	serve(plain);
	ok(smtp_client_open(&c, &o, &r) == 0, "AUTH PLAIN");
	smtp_client_close(&c);
	heard(&b);
	is(buf_span(&b), SPAN("EHLO me\r\nAUTH PLAIN AHUAcA==\r\nQUIT\r\n"),
	    "as RFC 4616 has it");
	serve(steps);
	ok(smtp_client_open(&c, &o, &r) == -1 && r.code == 451 &&
	    strcmp(r.status, "4.7.0") == 0,
	    "a refused login is trouble of ours and not of the mail");
	heard(&b);
	is(buf_span(&b), SPAN("EHLO me\r\nAUTH LOGIN\r\ndQ==\r\ncA==\r\n"
	    "QUIT\r\n"), "AUTH LOGIN");
	o.tls = SMTP_TLS_MAY;
	serve(plain);
	ok(smtp_client_open(&c, &o, &r) == -1 &&
	    strcmp(r.status, "4.7.4") == 0,
	    "no password goes over an open line unasked");
	heard(&b);
	is(buf_span(&b), SPAN("EHLO me\r\nQUIT\r\n"), "nor its AUTH");
	smtp_reply_free(&r);
	buf_free(&b);
}

static const struct smtp_piece pieces[] = {
	{ .octets = SPAN_INIT("A: b\r\n") }, { .url = SPAN_INIT("imap://x") },
	{ .octets = SPAN_INIT(".\r\n") },
};

static void
assembled(void)
{
	static const struct step at_once[] = { { 0, "220 hi\r\n" },
		{ 1, "250-x\r\n250-PIPELINING\r\n250-burl imap\r\n"
		    "250 CHUNKING\r\n" },
		{ 8, "250 ok\r\n250 ok\r\n550 5.1.1 no\r\n250 ok\r\n"
		    "250 ok\r\n250 2.0.0 sent\r\n" }, { 0, NULL } };
	static const struct step refused[] = { { 0, "220 hi\r\n" },
		{ 1, "250-x\r\n250-PIPELINING\r\n250-BURL\r\n"
		    "250 CHUNKING\r\n" },
		{ 8, "250 ok\r\n250 ok\r\n250 ok\r\n250 ok\r\n"
		    "554 5.6.6 no\r\n503 5.5.1 later\r\n" }, { 0, NULL } };
	static const struct step slow[] = { { 0, "220 hi\r\n" },
		{ 1, "250-x\r\n250-BURL imap\r\n250 CHUNKING\r\n" },
		{ 1, "250 ok\r\n" }, { 1, "250 ok\r\n" },
		{ 1, "250 ok\r\n" }, { 2, "250 ok\r\n" },
		{ 1, "250 ok\r\n" }, { 2, "250 2.0.0 sent\r\n" },
		{ 0, NULL } };
	static const struct step nobody[] = { { 0, "220 hi\r\n" },
		{ 1, "250-x\r\n250-BURL imap\r\n250 CHUNKING\r\n" },
		{ 1, "250 ok\r\n" }, { 1, "550 no\r\n" },
		{ 1, "550 no\r\n" }, { 0, NULL } };
	static const struct {
		const struct step *script;
		size_t accepted;
		unsigned code, trips;
		const char *name;
	} cases[] = {
		{ at_once, 1, 250, 2, "a message in pieces, in one round trip" },
		{ refused, 2, 554, 2, "the first refusal of a piece counts" },
		{ slow, 2, 250, 7, "one after the other without PIPELINING" },
		{ nobody, 0, 0, 4, "and not at all where it is for nobody" },
	};
	struct smtp_client_opts o = opts(false);
	struct buf b = { 0 };

	for (size_t i = 0; i < COUNT(cases); i++) {
		struct smtp_reply r[2] = { { 0 }, { 0 } }, end = { 0 };
		struct smtp_client c;

		serve(cases[i].script);
		ok(smtp_client_open(&c, &o, &end) == 0 &&
		    smtp_client_assemble(&c, &from, both, r, 2, pieces, 3,
		    &end) == cases[i].accepted && end.code == cases[i].code &&
		    c.trips == cases[i].trips, cases[i].name);
		smtp_client_close(&c);
		heard(&b);
		smtp_reply_free(&r[0]);
		smtp_reply_free(&r[1]);
		smtp_reply_free(&end);
		if (cases[i].code == 250)
			ok(span_find(buf_span(&b), SPAN("RCPT TO:<e@f>\r\nBDAT 6"
			    "\r\nA: b\r\nBURL imap://x\r\nBDAT 3 LAST\r\n.\r\n"))
			    < b.n, "these are its commands");
	}
	buf_free(&b);
}

int
main(void)
{
	signal(SIGPIPE, SIG_IGN);
	snprintf(path, sizeof path, "/tmp/lemon-client.%d", (int)getpid());
	pipelined();
	assembled();
	old_server();
	lmtp();
	trouble();
	login();
	unlink(path);
	return done();
}
