/* SPDX-License-Identifier: ISC */
#include "smtp/inject.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "auth/account.h"
#include "base/clock.h"
#include "base/log.h"
#include "net/connect.h"

enum { AUTH_FILE_MAX = 4096, QUEUE_MS = 9 * 60 * 1000 };

void
inject_me(const struct control *c, struct buf *name)
{
	char host[256] = "";

	if (control_line(c, "me", name) && name->n > 0)
		return;
	if (gethostname(host, sizeof host - 1) != 0 || host[0] == '\0')
		memcpy(host, "localhost", sizeof "localhost");
	buf_adds(name, host);
}

void
inject_free(struct inject *i)
{
	if (i->password.n > 0)
		explicit_bzero(i->password.p, i->password.n);
	buf_free(&i->where);
	buf_free(&i->user);
	buf_free(&i->password);
	buf_free(&i->cafile);
	buf_free(&i->helo);
	*i = (struct inject){ 0 };
}

int
inject_local(const struct control *c, struct inject *i, const char **why)
{
	*i = (struct inject){ 0 };
	if (!control_line(c, "lmtp-socket", &i->where))
		return 0;
	if (i->where.n == 0 || i->where.p[0] != '/') {
		*why = "lmtp-socket is no absolute path";
		inject_free(i);
		return -1;
	}
	inject_me(c, &i->helo);
	i->way = INJECT_LMTP;
	i->opts = (struct smtp_client_opts){ .where = buf_span(&i->where),
	    .helo = buf_cstr(&i->helo), .lmtp = true };
	return 0;
}

/* USER:PASSWORD of a file that nobody else may read. */
static int
read_auth(const struct control *c, struct inject *i, const char **why)
{
	struct buf text = { 0 };
	struct span s;
	int e = control_secret(c, "relay-auth", AUTH_FILE_MAX, &text);

	if (e < 0)
		*why = errno == EPERM ?
		    "relay-auth can be read by others: chmod 600" :
		    "relay-auth cannot be read";
	if (e == 1) {
		s = buf_span(&text);
		s = span_head(s, span_chr(s, '\n'));
		buf_add(&i->user, span_cut(&s, ':'));
		buf_add(&i->password, s);
		e = i->user.n > 0 && s.p != NULL ? 0 : -1;
		*why = "relay-auth is not USER:PASSWORD";
	}
	buf_wipe(&text);
	buf_free(&text);
	return e;
}

/* The words after HOST[:PORT]. */
static int
policy(struct inject *i, struct span words, const char **why)
{
	static const struct {
		const char *name;
		enum smtp_tls tls;
	} known[] = {
		{ "none", SMTP_TLS_NONE }, { "may", SMTP_TLS_MAY },
		{ "must", SMTP_TLS_MUST }, { "verify", SMTP_TLS_VERIFY },
	};

	while (words.p != NULL) {
		struct span w = span_cut(&words, ' ');
		bool good = w.n == 0;

		if (span_ieq(w, SPAN("implicit")))
			good = i->opts.implicit = true;
		for (size_t k = 0; k < COUNT(known); k++)
			if (span_ieq(w, span_str(known[k].name))) {
				i->opts.tls = known[k].tls;
				good = true;
			}
		if (!good) {
			*why = "relay has a word that is no TLS policy";
			return -1;
		}
	}
	return 0;
}

static int
relay(const struct control *c, struct inject *i, const char **why)
{
	struct span words = buf_span(&i->where);
	struct span where = span_cut(&words, ' ');

	if (read_auth(c, i, why) != 0)
		return -1;
	i->way = INJECT_RELAY;
	i->opts.where = where;
	i->opts.tls = i->user.n > 0 && !connect_loopback(where) ? SMTP_TLS_VERIFY :
	    SMTP_TLS_MAY;
	if (policy(i, words, why) != 0)
		return -1;
	i->opts.port = i->opts.implicit ? "465" :
	    i->user.n > 0 ? "587" : "25";
	if (i->user.n > 0) {
		i->opts.user = buf_span(&i->user);
		i->opts.password = buf_span(&i->password);
	}
	inject_me(c, &i->helo);
	i->opts.helo = buf_cstr(&i->helo);
	if (control_line(c, "relay-ca", &i->cafile))
		i->opts.cafile = buf_cstr(&i->cafile);
	return 0;
}

int
inject_remote(const struct control *c, struct inject *i, const char **why)
{
	*i = (struct inject){ 0 };
	if (control_line(c, "relay", &i->where) && i->where.n > 0) {
		if (relay(c, i, why) == 0)
			return 0;
		inject_free(i);
		return -1;
	}
	if (!control_line(c, "qmail-queue", &i->where) || i->where.n == 0)
		return 0;
	if (i->where.p[0] != '/') {
		*why = "qmail-queue is no absolute path";
		inject_free(i);
		return -1;
	}
	if (access(buf_cstr(&i->where), X_OK) != 0) {
		log_warn("qmail-queue: %s: %s", i->where.p, strerror(errno));
		*why = "qmail-queue cannot be run";
		inject_free(i);
		return -1;
	}
	i->way = INJECT_QUEUE;
	return 0;
}

bool
inject_available(const struct control *c)
{
	static const char *const files[] = { "lmtp-socket", "relay",
		"qmail-queue" };
	struct buf value = { 0 };
	bool found = false;

	for (size_t i = 0; i < COUNT(files) && !found; i++) {
		buf_clear(&value);
		found = control_line(c, files[i], &value) && value.n > 0;
	}
	buf_free(&value);
	return found;
}

static void
feed(void *ctx, struct span octets)
{
	smtp_client_write(ctx, octets);
}

static void
by_client(const struct inject *i, const struct smtp_mail *mail,
    const struct smtp_rcpt *rcpt, struct spool *message,
    struct smtp_reply *r)
{
	struct smtp_client c;

	if (smtp_client_open(&c, &i->opts, r) != 0)
		return;
	if (smtp_client_envelope(&c, mail, &rcpt, r, 1) == 1 &&
	    smtp_client_data(&c, r)) {
		if (spool_read(message, 0, UINT64_MAX, feed, &c) != 0) {
			smtp_client_abort(&c);
			smtp_reply_std(r, SMTP_LATER);
			return;
		}
		smtp_client_end(&c, r, 1);
	}
	smtp_client_close(&c);
}

static void
by_queue(struct inject *i, const struct smtp_mail *mail,
    const struct smtp_rcpt *rcpt, struct spool *message,
    struct smtp_reply *r)
{
	struct buf from = { 0 }, to = { 0 };
	struct span only;
	struct queue_job j = { .program = buf_cstr(&i->where),
	    .message = message, .rcpt = &only, .rcpts = 1,
	    .deadline = clock_ms() + QUEUE_MS };

	smtp_path_canon(&mail->from, &from);
	smtp_path_canon(&rcpt->to, &to);
	j.sender = buf_span(&from);
	only = buf_span(&to);
	queue_run(&j, r);
	buf_free(&from);
	buf_free(&to);
}

void
inject_send(const struct control *c, const struct smtp_mail *mail,
    const struct smtp_rcpt *rcpt, struct spool *message,
    struct smtp_reply *r)
{
	struct account a = { 0 };
	struct inject i = { 0 };
	struct span detail;
	struct buf to = { 0 };
	const char *why = NULL;
	int local, e;

	smtp_path_canon(&rcpt->to, &to);
	local = account_of_address(c, buf_span(&to), &a, &detail);
	account_free(&a);
	buf_free(&to);
	e = local < 0 ? -1 : local > 0 ? inject_local(c, &i, &why) :
	    inject_remote(c, &i, &why);
	if (e != 0) {
		smtp_reply_std(r, SMTP_LATER);
		if (why != NULL)
			smtp_reply_set(r, 451, "4.3.5", why);
	} else if (i.way == INJECT_QUEUE) {
		by_queue(&i, mail, rcpt, message, r);
	} else if (i.way != INJECT_NONE) {
		by_client(&i, mail, rcpt, message, r);
	} else {
		smtp_reply_set(r, 550, "5.4.4", "There is no way out to it");
	}
	inject_free(&i);
}
