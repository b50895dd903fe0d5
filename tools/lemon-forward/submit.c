/* SPDX-License-Identifier: ISC */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/die.h"
#include "forward.h"
#include "net/connect.h"

enum { TEXT_MAX = 300 };	/* of a reply that is shown */

static enum smtp_tls
policy(const struct forward *f)
{
	static const enum smtp_tls same[] = { [IMAP_TLS_NONE] = SMTP_TLS_NONE,
		[IMAP_TLS_MUST] = SMTP_TLS_MUST,
		[IMAP_TLS_VERIFY] = SMTP_TLS_VERIFY };

	if (f->tls_given)
		return same[f->tls];
	return connect_loopback(f->smtp_at) ? SMTP_TLS_MUST : SMTP_TLS_VERIFY;
}

/* One line, and nothing that moves a terminal. */
static const char *
tame(const struct smtp_reply *r, struct buf *to)
{
	buf_clear(to);
	for (size_t i = 0; i < r->text.n && i < TEXT_MAX; i++)
		buf_addc(to, r->text.p[i] < ' ' || r->text.p[i] > '~' ? ' ' :
		    r->text.p[i]);
	return buf_cstr(to);
}

/* What may help against a refusal. */
static void
advise(const struct forward *f, const struct smtp_reply *r, struct buf *to)
{
	if (strcmp(r->status, "5.7.14") == 0)
		buf_adds(to, "; does it know the IMAP server by the name of "
		    "-i? --download does without");
	else if (strcmp(r->status, "5.6.6") == 0)
		buf_addf(to, ";%s --download does without",
		    f->parts > 0 ? " is there such a part?" : "");
	else if (strcmp(r->status, "5.7.1") == 0)
		buf_addf(to, "; may you send as %.*s? -f gives another "
		    "address", (int)f->from.n, f->from.p);
}

/* By the class of the reply: later, or never. */
__attribute__((noreturn)) static void
give_up(struct forward *f, const struct smtp_reply *r, const char *what)
{
	bool refused = smtp_reply_class(r) == 5;
	/* The client's word for a login that is refused; 454 is a server that
	 * cannot tell now. */
	bool login = r->code == 451 && strcmp(r->status, "4.7.0") == 0;
	struct buf b = { 0 }, advice = { 0 };
	const char *text = tame(r, &b);

	advise(f, r, &advice);
	mailbox_take_back(f);
	tally(f);
	if (login)
		die_forbidden("%s: %s; are -u and the password right?", what,
		    text);
	if (refused)
		die_refused("%s: %u %s %s%s", what, r->code, r->status, text,
		    buf_cstr(&advice));
	die_temp("%s: %u %s %s", what, r->code, r->status, text);
}

void
submit_open(struct forward *f)
{
	char host[256] = "";
	struct smtp_client_opts o = { .where = f->smtp_at,
		.port = f->smtp_implicit ? "465" : "587", .helo = host,
		.tls = policy(f), .implicit = f->smtp_implicit,
		.cafile = f->cafile, .user = f->user,
		.password = f->password, .quiet = true };
	struct smtp_reply r = { 0 };
	struct buf server = { 0 };

	if (gethostname(host, sizeof host - 1) != 0 ||
	    !smtp_domain_ok(span_str(host), false))
		memcpy(host, "localhost", sizeof "localhost");
	if (smtp_client_open(&f->smtp, &o, &r) != 0) {
		buf_addf(&server, "the submission server %.*s (-s names "
		    "another)", (int)f->smtp_at.n, f->smtp_at.p);
		give_up(f, &r, buf_cstr(&server));
	}
	smtp_reply_free(&r);
}

const char *
submit_lacks(const struct forward *f, enum way way)
{
	if (!(f->smtp.offered & SMTP_BURL))
		return "the submission server lacks BURL";
	if (way == WAY_BURL && !(f->smtp.offered & SMTP_CHUNKING))
		return "the submission server lacks CHUNKING";
	return NULL;
}

static void
wire(void *ctx, struct span octets)
{
	smtp_client_write(ctx, octets);
}

static size_t
send_data(struct forward *f, const struct smtp_mail *m,
    const struct smtp_rcpt *const *to, struct smtp_reply *r,
    struct smtp_reply *end)
{
	size_t accepted = smtp_client_envelope(&f->smtp, m, to, r, f->rcpts);

	if (accepted == 0 || !smtp_client_data(&f->smtp, end))
		return accepted;
	for (size_t i = 0; i < f->pieces; i++) {
		const struct piece *p = &f->piece[i];

		if (p->text.p != NULL) {
			smtp_client_write(&f->smtp, p->text);
		} else if (spool_read(&f->spool, p->from, p->n, wire,
		    &f->smtp) != 0) {
			smtp_client_abort(&f->smtp);
			mailbox_take_back(f);
			die_temp("reading back the message: %s",
			    strerror(f->spool.error));
		}
	}
	smtp_client_end(&f->smtp, end, 1);
	return accepted;
}

static size_t
send_pieces(struct forward *f, enum way way, const struct smtp_mail *m,
    const struct smtp_rcpt *const *to, struct smtp_reply *r,
    struct smtp_reply *end)
{
	size_t n = way == WAY_CATENATE ? 1 : f->pieces;
	struct smtp_piece *p = arena_zero(&f->arena, n * sizeof *p);

	if (way == WAY_CATENATE)
		p[0].url = f->ticket;
	else
		for (size_t i = 0; i < n; i++)
			p[i] = (struct smtp_piece){ f->piece[i].text,
			    f->piece[i].ticket };
	return smtp_client_assemble(&f->smtp, m, to, r, f->rcpts, p, n, end);
}

/* Whether a recipient's answer did not come although all was said already:
 * what was pipelined may have been done.  Who says 421 does no more. */
static bool
unheard(const struct forward *f, const struct smtp_reply *r,
    const struct smtp_reply *end)
{
	bool missing = false;

	for (size_t i = 0; i < f->rcpts; i++) {
		if (r[i].code == 421)
			return false;
		missing |= smtp_reply_class(&r[i]) == 4;
	}
	return missing && end->code != 0;
}

/* It may have been sent: the copy stays, and says that much. */
__attribute__((noreturn)) static void
unknown(struct forward *f)
{
	tally(f);
	die_temp("the submission server was lost before it answered: the "
	    "message may have been sent%s", f->copy == 0 ? "" :
	    "; its copy keeps $SubmitPending");
}

/* RFC 5550 4.4: what is known, and not what URLs may bring. */
static void
declare_size(const struct forward *f, struct smtp_mail *m)
{
	m->has_size = true;
	for (size_t i = 0; i < f->pieces; i++)
		m->size += f->piece[i].text.p != NULL ? f->piece[i].text.n :
		    f->piece[i].n;
}

size_t
submit_message(struct forward *f, enum way way)
{
	struct smtp_mail m = { .body = SMTP_BODY_8BIT };
	const struct smtp_rcpt **to = arena_zero(&f->arena,
	    f->rcpts * sizeof *to);
	struct smtp_reply *r = arena_zero(&f->arena, f->rcpts * sizeof *r);
	struct smtp_reply end = { 0 };
	struct buf text = { 0 };
	size_t accepted;

	smtp_mailbox_parse(f->from, 0, &m.from);
	if (way == WAY_DOWNLOAD)
		declare_size(f, &m);
	for (size_t i = 0; i < f->rcpts; i++)
		to[i] = &f->rcpt[i];
	accepted = way == WAY_DOWNLOAD ? send_data(f, &m, to, r, &end) :
	    send_pieces(f, way, &m, to, r, &end);
	if (!f->smtp.sender_ok && !f->smtp.lost) {
		buf_addf(&text, "the sender %.*s is not taken",
		    (int)f->from.n, f->from.p);
		give_up(f, &r[0], buf_cstr(&text));
	}
	for (size_t i = 0; i < f->rcpts; i++)
		if (smtp_reply_class(&r[i]) != 2)
			fprintf(stderr, "%s: %.*s: %u %s %s\n",
			    program_name(), (int)to[i]->to.address.n,
			    to[i]->to.address.p, r[i].code, r[i].status,
			    tame(&r[i], &text));
	buf_free(&text);
	if (f->smtp.lost && smtp_reply_class(&end) != 5 &&
	    (accepted > 0 || unheard(f, r, &end)))
		unknown(f);
	if (accepted == 0)
		give_up(f, &r[0], "nobody takes it");
	if (smtp_reply_class(&end) != 2)
		give_up(f, &end, "the submission server refuses it");
	for (size_t i = 0; i < f->rcpts; i++)
		smtp_reply_free(&r[i]);
	smtp_reply_free(&end);
	return f->rcpts - accepted;
}
