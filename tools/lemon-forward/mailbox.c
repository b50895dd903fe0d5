/* SPDX-License-Identifier: ISC */
#include "mailbox.h"

#include "base/die.h"
#include "base/log.h"
#include "mime/header.h"
#include "net/connect.h"
#include "text/mutf7.h"

enum { PREFIX_MAX = 256 };

/* --- trouble --- */

/* What a code (RFC 5530 and others) says about trying again. */
static int
exit_code(const struct imap_client *c, enum imap_result r)
{
	static const char *const forbidden[] = { "AUTHENTICATIONFAILED",
		"AUTHORIZATIONFAILED", "EXPIRED", "PRIVACYREQUIRED", "NOPERM" };
	static const char *const never[] = { "BADURL", "NONEXISTENT",
		"CANNOT", "TOOBIG", "LIMIT", "TRYCREATE" };

	for (size_t i = 0; i < COUNT(forbidden) && r != IMAP_LOST; i++)
		if (span_ieq(c->code, span_str(forbidden[i])))
			return EXIT_FORBIDDEN;
	for (size_t i = 0; i < COUNT(never) && r != IMAP_LOST; i++)
		if (span_ieq(c->code, span_str(never[i])))
			return EXIT_REFUSED;
	return r == IMAP_BAD ? EXIT_REFUSED : EXIT_TEMP;
}

void
mailbox_failed(struct forward *f, const char *what, const char *advice,
    int code)
{
	struct buf why = f->imap.why;

	f->imap.why = (struct buf){ 0 };
	if (advice[0] != '\0' && why.n > 0 && why.p[why.n - 1] == '.')
		why.n--;
	if (f->copy != 0 && !f->imap.lost)
		mailbox_take_back(f);
	tally(f);
	if (code == EXIT_REFUSED)
		die_refused("%s: %s%s", what, buf_cstr(&why), advice);
	if (code == EXIT_FORBIDDEN)
		die_forbidden("%s: %s%s", what, buf_cstr(&why), advice);
	die_temp("%s: %s%s", what, buf_cstr(&why), advice);
}

void
mailbox_need(struct forward *f, enum imap_result r, const char *what,
    const char *advice)
{
	if (r != IMAP_OK)
		mailbox_failed(f, what, advice, exit_code(&f->imap, r));
}

/* --- saying things --- */

void
mailbox_add(struct forward *f, struct span name)
{
	struct buf wire = { 0 };

	if (!mutf7_encode(name, NULL, &wire))
		die_usage("a mailbox's name is UTF-8");
	imap_client_add_string(&f->imap, buf_span(&wire));
	buf_free(&wire);
}

unsigned
mailbox_say(struct forward *f, const char *command, struct span name,
    const char *more)
{
	unsigned tag = imap_client_begin(&f->imap, command);

	mailbox_add(f, name);
	imap_client_add(&f->imap, span_str(more));
	imap_client_end(&f->imap);
	return tag;
}

unsigned
mailbox_say_uid(struct forward *f, const char *command, uint32_t uid,
    const char *more)
{
	unsigned tag = imap_client_begin(&f->imap, command);

	imap_client_add_number(&f->imap, uid);
	imap_client_add(&f->imap, span_str(more));
	imap_client_end(&f->imap);
	return tag;
}

enum imap_result
mailbox_wait(struct forward *f, unsigned tag)
{
	return imap_client_answer(&f->imap, tag, NULL, NULL);
}

bool
mailbox_body(struct lex *l)
{
	lex_open(l);
	while (lex_ok(l)) {
		struct span name = lex_name(l);

		if (span_ieq(name, SPAN("BODY")) && lex_next(l, '[')) {
			l->in = span_skip(l->in, span_chr(l->in, ']') + 1);
			lex_space(l);
			return lex_ok(l);
		}
		/* UID and FLAGS may come with it. */
		lex_space(l);
		if (lex_next(l, '('))
			l->in = span_skip(l->in, span_chr(l->in, ')') + 1);
		else
			lex_number64(l);
		lex_space(l);
	}
	return false;
}

/* --- looking at the message --- */

struct look {
	struct forward *f;
	struct buf header;	/* its Subject field */
	uint32_t validity, next;	/* what SELECT says */
	uint32_t status_next;	/* what STATUS says, in its own time */
	struct buf prefix;	/* of folders, as on the wire */
	bool there;		/* the message is */
};

/* RFC 3501 7.2.4: "STATUS" SP mailbox SP "(" [status-att-list] ")" */
static void
status(struct look *k, struct lex *l)
{
	lex_astring(l);
	lex_space(l);
	lex_open(l);
	do {
		bool next = lex_word(l, "UIDNEXT");

		if (!next)
			lex_atom(l);
		lex_space(l);
		uint32_t v = lex_number(l);

		if (next)
			k->status_next = v;
	} while (lex_try(l, ' '));
}

/* RFC 2342 5: what the first personal namespace's names begin with. */
static void
namespace(struct look *k, struct lex *l)
{
	lex_open(l);
	lex_open(l);
	struct span prefix = lex_string(l);

	if (lex_ok(l) && prefix.n <= PREFIX_MAX) {
		buf_clear(&k->prefix);
		buf_add(&k->prefix, prefix);
	}
}

static void
heard(void *ctx, uint32_t number, struct span name, struct lex *l)
{
	struct look *k = ctx;
	const struct imap_client *c = &k->f->imap;
	uint64_t v = 0;

	(void)number;
	if (span_ieq(name, SPAN("OK")) && span_u64(c->args, UINT32_MAX, &v)) {
		if (span_ieq(c->code, SPAN("UIDNEXT")))
			k->next = (uint32_t)v;
		else if (span_ieq(c->code, SPAN("UIDVALIDITY")))
			k->validity = (uint32_t)v;
	} else if (span_ieq(name, SPAN("STATUS"))) {
		status(k, l);
	} else if (span_ieq(name, SPAN("NAMESPACE"))) {
		namespace(k, l);
	} else if (span_ieq(name, SPAN("FETCH")) && mailbox_body(l)) {
		struct span header = lex_nstring(l);

		k->there = lex_ok(l);
		buf_clear(&k->header);
		buf_add(&k->header, header);
	}
}

static void
log_in(struct forward *f, unsigned tag)
{
	enum imap_result r = imap_client_logged_in(&f->imap, tag);

	if (r == IMAP_OK)
		return;
	mailbox_failed(f, "the IMAP server does not let us in", tag == 0 ?
	    "; -t sets what TLS there is" : "; are -u and the password right?",
	    r == IMAP_LOST ? EXIT_TEMP : EXIT_FORBIDDEN);
}

/* The message is in another mailbox than Sent, and its subject is wanted. */
static void
look_at_message(struct forward *f, unsigned login, struct look *k)
{
	struct imap_client *c = &f->imap;
	unsigned open = mailbox_say(f, "SELECT ", f->mailbox, "");
	unsigned fetch = mailbox_say_uid(f, "UID FETCH ", f->uid,
	    " BODY.PEEK[HEADER.FIELDS (SUBJECT)]");
	unsigned at = f->way == WAY_BURL ? 0 :
	    mailbox_say(f, "STATUS ", f->sent, " (UIDNEXT)");

	log_in(f, login);
	mailbox_need(f, imap_client_answer(c, open, heard, k), "the mailbox",
	    "; is its name right?");
	f->selected = SOURCE;
	if (f->uidvalidity == 0)
		f->uidvalidity = k->validity;
	if (f->uidvalidity != k->validity) {
		buf_adds(&c->why, "it was made anew since the URL was written");
		mailbox_failed(f, "the mailbox", "", EXIT_REFUSED);
	}
	mailbox_need(f, imap_client_answer(c, fetch, heard, k),
	    "the message", "");
	if (!k->there) {
		buf_clear(&c->why);
		buf_adds(&c->why, "there is none with that UID");
		mailbox_failed(f, "the message", "; is it in another mailbox?",
		    EXIT_REFUSED);
	}
	if (at != 0 && imap_client_answer(c, at, heard, k) == IMAP_OK)
		f->next = k->status_next;
}

/* Nothing of the message is wanted here; Sent is selected at once. */
static void
look_at_sent(struct forward *f, unsigned login, struct look *k)
{
	unsigned open = mailbox_say(f, "SELECT ", f->sent, "");

	log_in(f, login);
	if (imap_client_answer(&f->imap, open, heard, k) == IMAP_OK) {
		f->next = k->next;
		f->selected = SENT;
	}
}

/* There is no Sent: where all folders begin with "INBOX.", say, it does. */
static void
find_sent(struct forward *f, struct look *k)
{
	struct buf name = { 0 };

	if (imap_client_command(&f->imap, "NAMESPACE", heard, k) == IMAP_OK &&
	    k->prefix.n > 0 && mutf7_decode(buf_span(&k->prefix), NULL, &name)) {
		buf_add(&name, f->sent);
		f->sent = arena_dup(&f->arena, buf_span(&name));
		if (imap_client_answer(&f->imap, mailbox_say(f, "STATUS ",
		    f->sent, " (UIDNEXT)"), heard, k) == IMAP_OK)
			f->next = k->status_next;
	}
	buf_free(&name);
}

void
mailbox_open(struct forward *f)
{
	struct imap_client_opts o = { .where = f->imap_at,
		.tls = f->tls_given ? f->tls : connect_loopback(f->imap_at) ?
		IMAP_TLS_MUST : IMAP_TLS_VERIFY, .implicit = f->imap_implicit,
		.cafile = f->cafile };
	struct imap_login l = { .user = f->user, .password = f->password };
	struct look k = { .f = f };
	struct span subject = SPAN("");
	struct buf server = { 0 };
	unsigned tag;

	if (!imap_client_open(&f->imap, &o)) {
		buf_addf(&server, "the IMAP server %.*s", (int)f->imap_at.n,
		    f->imap_at.p);
		mailbox_failed(f, buf_cstr(&server), "; -i names another, -I "
		    "is TLS at once, -C a file of certificates", EXIT_TEMP);
	}
	tag = imap_client_say_login(&f->imap, &l);
	if (tag == 0)
		log_in(f, tag);
	else if (f->subject.p != NULL && f->way <= WAY_CATENATE)
		look_at_sent(f, tag, &k);
	else
		look_at_message(f, tag, &k);
	if (imap_client_learn(&f->imap) != IMAP_OK)
		mailbox_need(f, IMAP_BAD, "the IMAP server", "");
	if (f->next == 0 && !f->sent_given && f->way != WAY_BURL)
		find_sent(f, &k);
	header_find(buf_span(&k.header), SPAN("Subject"), &subject);
	compose(f, subject);
	buf_free(&k.header);
	buf_free(&k.prefix);
}

const char *
mailbox_lacks(const struct forward *f, enum way way)
{
	static const struct {
		unsigned bit;
		const char *name;
	} wanted[] = {
		{ IMAP_URLAUTH, "the IMAP server lacks URLAUTH" },
		{ IMAP_CATENATE, "the IMAP server lacks CATENATE" },
		{ IMAP_UIDPLUS, "the IMAP server lacks UIDPLUS" },
	};
	size_t n = way == WAY_CATENATE ? COUNT(wanted) : 1;

	for (size_t i = 0; i < n; i++)
		if (!(f->imap.offered & wanted[i].bit))
			return wanted[i].name;
	return NULL;
}

/* --- afterwards --- */

/* Whether it is the one that the copy is in. */
static bool
open_sent(struct forward *f)
{
	struct look k = { .f = f };

	return f->selected == SENT || (imap_client_answer(&f->imap,
	    mailbox_say(f, "SELECT ", f->sent, ""), heard, &k) == IMAP_OK &&
	    k.validity == f->copy_validity);
}

void
mailbox_take_back(struct forward *f)
{
	if (f->copy == 0 || !open_sent(f))
		return;
	mailbox_wait(f, mailbox_say_uid(f, "UID STORE ", f->copy,
	    " +FLAGS.SILENT \\Deleted"));
	if (f->imap.offered & IMAP_UIDPLUS)
		mailbox_wait(f, mailbox_say_uid(f, "UID EXPUNGE ", f->copy,
		    ""));
	f->copy = 0;
}

/* RFC 5550 5.9 and 5.10, in one round trip: first in the mailbox that is
 * selected. */
void
mailbox_mark(struct forward *f)
{
	bool sent_first = f->selected == SENT, open = f->selected != NOTHING;
	unsigned tag[4], n = 0;
	bool good = true;

	f->marked_out = f->imap.out.total;
	f->marked_in = f->imap.in.total;
	for (unsigned i = 0; i < 2; i++) {
		bool source = (i == 0) != sent_first;

		if (!source && f->copy == 0)
			continue;
		if (i == 1 ? !span_eq(f->mailbox, f->sent) : !open)
			tag[n++] = mailbox_say(f, "SELECT ", source ?
			    f->mailbox : f->sent, "");
		if (source)
			tag[n++] = mailbox_say_uid(f, "UID STORE ", f->uid,
			    " +FLAGS.SILENT $Forwarded");
		else
			tag[n++] = mailbox_say_uid(f, "UID STORE ", f->copy,
			    " -FLAGS.SILENT $SubmitPending");
	}
	for (unsigned i = 0; i < n; i++)
		good = mailbox_wait(f, tag[i]) == IMAP_OK && good;
	if (!good)
		log_warn("it is sent, but not marked so: %s",
		    buf_cstr(&f->imap.why));
	f->marked_out = f->imap.out.total - f->marked_out;
	f->marked_in = f->imap.in.total - f->marked_in;
	tally(f);
}
