/* SPDX-License-Identifier: ISC */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "auth/addresses.h"
#include "base/die.h"
#include "base/log.h"
#include "deliver.h"
#include "mime/build.h"

enum { NAME_SHOWN = 200 };

/*
 * qmail, Postfix, Exim and OpenSMTPD read these exit codes alike, and the
 * sentence that begins with an enhanced status code.
 */
static int
verdict(const struct smtp_reply *r, struct span why)
{
	unsigned class = smtp_reply_class(r);

	if (class == 2)
		return EXIT_OK;
	fprintf(stderr, "%s %.*s", r->status, (int)r->text.n, r->text.p);
	if (why.n > 0)
		fprintf(stderr, " (%.*s)", (int)why.n, why.p);
	fputc('\n', stderr);
	if (class != 5)
		return EXIT_TEMP;
	return strncmp(r->status, "5.7.", 4) == 0 ? EXIT_FORBIDDEN :
	    EXIT_REFUSED;
}

/* What the line of qmail's RPLINE and DTLINE says after its colon. */
static struct span
line_value(const char *name)
{
	struct span s = span_str(getenv(name));

	s = span_head(s, span_chr(s, '\n'));
	return span_trim(span_skip(s, span_chr(s, ':') + 1));
}

/* An option, else what qmail-local gives, else what others call the same. */
static struct span
envelope(const char *option, const char *line, const char *variable,
    bool *known)
{
	struct span s = span_str(option);

	*known = true;
	if (option == NULL && getenv(line) != NULL)
		s = line_value(line);
	else if (option == NULL)
		s = span_str(getenv(variable));
	if (option == NULL && s.p == NULL)
		*known = false;
	if (span_starts(s, SPAN("<")) && span_ends(s, SPAN(">")))
		s = (struct span){ s.p + 1, s.n - 2 };
	return s;
}

static void
top_fields(const struct options *o, const struct letter *l, struct target *t,
    struct buf *top)
{
	bool known;
	struct span sender = envelope(o->sender, "RPLINE", "SENDER", &known);

	if (known && !letter_on_top(l, SPAN("Return-Path")))
		build_return_path(top, sender);
	struct span rcpt = envelope(o->recipient, "DTLINE", "RECIPIENT",
	    &known);

	buf_add(&t->address, rcpt);
	if (rcpt.n > 0 && !letter_on_top(l, SPAN("Delivered-To")))
		build_delivered_to(top, rcpt);
}

/* The folder: -m, the target's own detail, that of the recipient, EXT.  Not EXT
 * where we are given an address: in |lemon-deliver "$EXT@$HOST" it is the
 * account. */
static void
choose_folder(const struct options *o, struct target *t)
{
	struct span local, domain, detail = { NULL, 0 };

	if (o->folder != NULL) {
		buf_clear(&t->folder);
		buf_adds(&t->folder, o->folder);
	} else if (t->folder.n == 0) {
		address_split(span_str(o->recipient != NULL ? o->recipient :
		    getenv("RECIPIENT")), &local, &domain);
		address_base(local, &detail);
		if (detail.p == NULL && strchr(o->target, '@') == NULL)
			detail = span_str(getenv("EXT"));
		buf_add(&t->folder, detail);
	}
}

static void
deliver(const struct options *o, struct target *t, struct letter *l,
    struct smtp_reply *r, struct buf *said)
{
	const char *why = NULL;	/* lasts as long as the store */
	struct boxes b = { 0 };
	struct buf top = { 0 };

	choose_folder(o, t);
	top_fields(o, l, t, &top);
	if (l->spool.error != 0) {
		smtp_reply_std(r, SMTP_FULL);
		why = strerror(l->spool.error);
	} else if (t->databytes > 0 && spool_size(&l->spool) > t->databytes) {
		smtp_reply_set(r, 552, "5.2.3", "The message is too big");
	} else if (t->address.n > 0 &&
	    letter_loops(l, buf_span(&t->address))) {
		smtp_reply_set(r, 554, "5.4.6", "This message was here "
		    "before: a loop");
	} else {
		enum store_result e = boxes_enter(&b, t, &why);

		if (e == STORE_OK)
			e = boxes_put(&b, t, l, buf_span(&top), &why);
		if (e == STORE_OK)
			die_done();
		result_reply(e, r);
	}
	if (smtp_reply_class(r) != 2 && why != NULL)
		buf_adds(said, why);
	/* The answer is our end, so nobody waits for the bell longer than
	 * for us. */
	boxes_close(&b);
	buf_free(&top);
}

/* The name may be a stranger's, and goes into bounces.  A typing error must not
 * bounce mail. */
static void
no_such_user(const char *name, struct smtp_reply *r, struct buf *why)
{
	smtp_reply_set(r, 550, "5.1.1", "No such user");
	if (account_meant_maildir(name)) {
		smtp_reply_set(r, 451, "4.3.5", "No such user");
		buf_adds(why, "a Maildir has a slash: ./");
	}
	log_text(why, span_str(name), NAME_SHOWN);
}

static bool
find_target(const struct control *c, const char *name, struct target *t,
    struct smtp_reply *r, struct buf *why)
{
	if (strchr(name, '/') != NULL) {
		if (target_maildir(c, name, t) == 0)
			return true;
		smtp_reply_set(r, 451, "4.3.0",
		    "The owner of the Maildir cannot be told");
		return false;
	}
	int found = target_address(c, span_str(name), t);

	if (found < 0) {
		account_trouble(c, why);
		smtp_reply_set(r, 451, "4.3.0",
		    "The accounts cannot be read");
	} else if (found == 0) {
		no_such_user(name, r, why);
	}
	return found > 0;
}

/* Whoever writes to us need not learn of a refusal by SIGPIPE. */
static void
drain(void)
{
	char waste[16 * 1024];
	ssize_t n;

	do
		n = read(0, waste, sizeof waste);
	while (n > 0 || (n < 0 && errno == EINTR));
}

int
single(const struct options *o)
{
	struct control c;
	struct target t = { 0 };
	struct letter l = { 0 };
	struct smtp_reply r = { 0 };
	struct buf why = { 0 };
	int code;

	control_init(&c);
	letter_begin(&l);
	/* All programs of a .qmail share one descriptor. */
	if (getenv("DTLINE") != NULL && getenv("RPLINE") != NULL)
		lseek(0, 0, SEEK_SET);
	if (find_target(&c, o->target, &t, &r, &why)) {
		if (letter_read(&l, 0) == 0) {
			deliver(o, &t, &l, &r, &why);
		} else {
			buf_adds(&why, strerror(errno));
			smtp_reply_set(&r, 451, "4.3.0",
			    "Standard input cannot be read");
		}
	} else {
		drain();
	}
	code = verdict(&r, buf_span(&why));
	buf_free(&why);
	letter_free(&l);
	target_free(&t);
	smtp_reply_free(&r);
	return code;
}
