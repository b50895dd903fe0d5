/* SPDX-License-Identifier: ISC */
#include "smtp/inject.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"

#include "../../t.h"

static int dirfd_;

static void
put(const char *name, const char *text, mode_t mode)
{
	int fd;

	if (text == NULL) {
		unlinkat(dirfd_, name, 0);
		return;
	}
	fd = openat(dirfd_, name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC,
	    0600);
	file_write(fd, span_str(text));
	fchmod(fd, mode);
	close(fd);
}

static const struct {
	const char *relay, *auth;
	mode_t mode;
	const char *want;	/* host|port|tls[ implicit][ user:password] */
} cases[] = {
	{ "mx.example.net\n", NULL, 0, "mx.example.net|25|may" },
	{ "mx.example.net:2525\n", NULL, 0, "mx.example.net:2525|25|may" },
	{ "mx.example.net\n", "u:p:q\n", 0600,
	    "mx.example.net|587|verify u:p:q" },
	{ "127.0.0.1:25", "u:p", 0600, "127.0.0.1:25|587|may u:p" },
	{ "localhost:25", "u:p", 0400, "localhost:25|587|may u:p" },
	{ "localhost.example.net", "u:p", 0600,
	    "localhost.example.net|587|verify u:p" },
	{ "h none", "u:p", 0600, "h|587|none u:p" },
	{ "h  must", NULL, 0, "h|25|must" },
	{ "h verify implicit", "u:p", 0600, "h|465|verify implicit u:p" },
	{ "h sometimes", NULL, 0, "wrong" },
	{ "h", "u:p", 0640, "wrong" },
	{ "h", "u:p", 0604, "wrong" },
	{ "h", "nothing", 0600, "wrong" },
	{ "h", ":p", 0600, "wrong" },
	{ NULL, NULL, 0, "none" },
};

static void
show(const struct control *c, struct buf *b)
{
	static const char *const tls[] = { "none", "may", "must", "verify" };
	const char *why = NULL;
	struct inject i;

	buf_clear(b);
	if (inject_remote(c, &i, &why) != 0) {
		buf_adds(b, why == NULL ? "no reason" : "wrong");
	} else if (i.way == INJECT_NONE) {
		buf_adds(b, "none");
	} else {
		buf_add(b, i.opts.where);
		buf_addf(b, "|%s|%s%s", i.opts.port, tls[i.opts.tls],
		    i.opts.implicit ? " implicit" : "");
		if (i.opts.user.p != NULL) {
			buf_addc(b, ' ');
			buf_add(b, i.opts.user);
			buf_addc(b, ':');
			buf_add(b, i.opts.password);
		}
	}
	inject_free(&i);
}

int
main(void)
{
	char template[] = "/tmp/lemon-inject.XXXXXX";
	const char *why = NULL;
	struct control c = { .dir = mkdtemp(template) };
	struct inject i;
	struct buf b = { 0 };

	unsetenv("LEMON_RELAY");
	unsetenv("LEMON_QMAIL_QUEUE");
	unsetenv("LEMON_LMTP_SOCKET");
	dirfd_ = open(c.dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	put("me", "me.example\n", 0644);
	ok(!inject_available(&c), "nothing is set, nothing can leave");
	for (size_t k = 0; k < COUNT(cases); k++) {
		put("relay", cases[k].relay, 0644);
		put("relay-auth", cases[k].auth, cases[k].mode);
		show(&c, &b);
		is(buf_span(&b), span_str(cases[k].want),
		    cases[k].relay == NULL ? "no relay" : cases[k].relay);
	}
	put("qmail-queue", "/bin/true\n", 0644);
	ok(inject_remote(&c, &i, &why) == 0 && i.way == INJECT_QUEUE,
	    "a queue where there is no relay");
	inject_free(&i);
	put("qmail-queue", "/nowhere/queue\n", 0644);
	ok(inject_remote(&c, &i, &why) == -1,
	    "a queue program must be there");
	put("qmail-queue", "queue\n", 0644);
	ok(inject_remote(&c, &i, &why) == -1,
	    "a queue program needs its whole path");
	put("qmail-queue", NULL, 0);
	ok(inject_local(&c, &i, &why) == 0 && i.way == INJECT_NONE,
	    "no socket, no local delivery");
	put("lmtp-socket", "/run/lmtp\n", 0644);
	ok(inject_local(&c, &i, &why) == 0 && i.way == INJECT_LMTP &&
	    i.opts.lmtp && i.opts.tls == SMTP_TLS_NONE &&
	    span_eq(i.opts.where, SPAN("/run/lmtp")) &&
	    strcmp(i.opts.helo, "me.example") == 0,
	    "local users by LMTP");
	inject_free(&i);
	ok(inject_available(&c), "with that something can leave");
	put("lmtp-socket", NULL, 0);
	put("me", NULL, 0);
	close(dirfd_);
	rmdir(c.dir);
	buf_free(&b);
	return done();
}
