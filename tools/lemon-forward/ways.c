/* SPDX-License-Identifier: ISC */
/* How the message comes to the submission server: what each way needs of the
 * IMAP server, and the copy in Sent. */
#include <string.h>

#include "base/clock.h"
#include "base/die.h"
#include "imap/url.h"
#include "mailbox.h"
#include "net/connect.h"

/* How long the submission server may fetch: clocks differ. */
enum { TICKET_SECONDS = 24 * 60 * 60 };

/* --- URLs --- */

static struct span
url_of(struct forward *f, const struct imap_url *u)
{
	struct buf b = { 0 };
	struct span s;

	imap_url_add(&b, u);
	s = arena_dup(&f->arena, buf_span(&b));
	buf_free(&b);
	return s;
}

/* RFC 4467 3: what the submission server may read, and nobody else. */
static struct span
rump_of(struct forward *f, struct imap_url u)
{
	u.absolute = true;
	u.user = u.access_user = f->account;
	u.host = connect_host(f->imap_at);
	u.access = URL_SUBMIT;
	u.expire = clock_now() + TICKET_SECONDS;
	return url_of(f, &u);
}

static struct imap_url
part_of(const struct forward *f, const struct piece *p)
{
	return (struct imap_url){ .mailbox = f->mailbox, .uid = f->uid,
	    .uidvalidity = f->uidvalidity, .section = p->part,
	    .expire = INT64_MAX };
}

struct granting {
	struct forward *f;
	const struct span *rump;
	struct span *ticket;
	size_t n;
};

/* It goes into a command of ours: it may hold nothing that ends a word. */
static bool
fits(struct span url, struct span rump)
{
	for (size_t i = 0; i < url.n; i++)
		if (url.p[i] <= ' ' || url.p[i] > '~')
			return false;
	return span_starts(url, rump) && url.n < rump.n + IMAP_URL_MAX;
}

/* RFC 4467 9: "GENURLAUTH" 1*(SP url-full) */
static void
granted(void *ctx, uint32_t number, struct span name, struct lex *l)
{
	struct granting *g = ctx;

	if (number != 0 || !span_ieq(name, SPAN("GENURLAUTH")))
		return;
	for (size_t i = 0; i < g->n && (i == 0 || lex_try(l, ' ')); i++) {
		struct span url = lex_astring(l);

		if (!lex_ok(l) || !fits(url, g->rump[i]))
			return;
		g->ticket[i] = arena_dup(&g->f->arena, url);
	}
}

static unsigned
ask_grant(struct granting *g)
{
	struct imap_client *c = &g->f->imap;
	unsigned tag = imap_client_begin(c, "GENURLAUTH");

	for (size_t i = 0; i < g->n; i++) {
		imap_client_add(c, SPAN(" "));
		imap_client_add_string(c, g->rump[i]);
		imap_client_add(c, SPAN(" INTERNAL"));
	}
	imap_client_end(c);
	return tag;
}

static void
get_grant(struct granting *g, unsigned tag)
{
	struct imap_client *c = &g->f->imap;
	enum imap_result r = imap_client_answer(c, tag, granted, g);

	mailbox_need(g->f, r, "the IMAP server gives no URL",
	    "; --download does without");
	for (size_t i = 0; i < g->n; i++)
		if (g->ticket[i].p == NULL) {
			buf_adds(&c->why, "it answers something else");
			mailbox_failed(g->f, "the IMAP server gives no URL",
			    "; --download does without", EXIT_TEMP);
		}
}

void
way_burl(struct forward *f)
{
	struct span *rump = arena_zero(&f->arena, f->pieces * sizeof *rump);
	struct span *ticket = arena_zero(&f->arena,
	    f->pieces * sizeof *ticket);
	struct granting g = { f, rump, ticket, 0 };

	for (size_t i = 0; i < f->pieces; i++)
		if (f->piece[i].text.p == NULL)
			rump[g.n++] = rump_of(f, part_of(f, &f->piece[i]));
	get_grant(&g, ask_grant(&g));
	for (size_t i = 0, n = 0; i < f->pieces; i++)
		if (f->piece[i].text.p == NULL)
			f->piece[i].ticket = ticket[n++];
}

/* --- the copy in Sent --- */

/* RFC 5550 5.10: both keywords together say that it is being submitted, so
 * that no other client does it. */
#define SENT_FLAGS " (\\Seen $SubmitPending $Submitted) "

/* RFC 4315 3: "APPENDUID" SP nz-number SP append-uid */
static void
learn_copy(struct forward *f)
{
	struct span args = f->imap.args, validity = span_cut(&args, ' ');
	uint64_t uid, v;

	if (!span_ieq(f->imap.code, SPAN("APPENDUID")) ||
	    !span_u64(validity, UINT32_MAX, &v) ||
	    !span_u64(args, UINT32_MAX, &uid))
		return;
	f->copy = (uint32_t)uid;
	f->copy_validity = (uint32_t)v;
}

static unsigned
say_catenate(struct forward *f)
{
	struct imap_client *c = &f->imap;
	unsigned tag = imap_client_begin(c, "APPEND ");

	mailbox_add(f, f->sent);
	imap_client_add(c, SPAN(SENT_FLAGS "CATENATE"));
	for (size_t i = 0; i < f->pieces; i++) {
		const struct piece *p = &f->piece[i];
		struct imap_url u = part_of(f, p);

		/* RFC 4469 3: relative to the mailbox that is selected, and
		 * whose UIDVALIDITY was seen. */
		if (f->selected == SOURCE) {
			u.mailbox = (struct span){ 0 };
			u.uidvalidity = 0;
		}
		imap_client_add(c, i == 0 ? SPAN(" (") : SPAN(" "));
		if (p->text.p != NULL) {
			imap_client_add(c, SPAN("TEXT "));
			imap_client_add_literal(c, p->text.n);
			imap_client_add(c, p->text);
		} else {
			imap_client_add(c, SPAN("URL "));
			imap_client_add_string(c, url_of(f, &u));
		}
	}
	imap_client_add(c, SPAN(")"));
	imap_client_end(c);
	return tag;
}

static struct span
copy_rump(struct forward *f, uint32_t uid)
{
	/* Without UIDVALIDITY: the token dies with the mailbox. */
	struct imap_url u = { .mailbox = f->sent, .uid = uid };

	return rump_of(f, u);
}

/* The UID that the copy will likely get is asked about at once; if it gets
 * another one that costs a round trip more. */
void
way_catenate(struct forward *f)
{
	struct imap_client *c = &f->imap;
	bool pipelined = c->offered & IMAP_LITERAL_PLUS;
	struct span rump, ticket = { 0 };
	struct granting g = { f, &rump, &ticket, 1 };
	unsigned create = 0, append, ask = 0;
	enum imap_result r;

	if (f->next == 0) {
		create = mailbox_say(f, "CREATE ", f->sent, "");
		if (!pipelined)
			mailbox_wait(f, create);
		f->next = 1;
	}
	append = say_catenate(f);
	rump = copy_rump(f, f->next);
	if (pipelined) {
		ask = ask_grant(&g);
		if (create != 0)
			mailbox_wait(f, create);
	}
	r = imap_client_answer(c, append, granted, &g);
	if (r == IMAP_OK)
		learn_copy(f);
	else
		mailbox_need(f, r, "the message cannot be put together",
		    span_ieq(c->code, SPAN("BADURL")) ?
		    "; has it such a part? -p names them" : "");
	if (f->copy == 0) {
		buf_adds(&c->why, "the server does not say where it is");
		mailbox_failed(f, "the copy in Sent",
		    "; --download does without", EXIT_TEMP);
	}
	if (ask == 0 || f->copy != f->next) {
		if (ask != 0)
			mailbox_wait(f, ask);
		rump = copy_rump(f, f->copy);
		ask = ask_grant(&g);
	}
	get_grant(&g, ask);
	f->ticket = ticket;
}

/* --- the long way --- */

static bool
keep(void *ctx, struct span octets)
{
	struct forward *f = ctx;

	spool_add(&f->spool, octets);
	domain_feed(&f->lines, octets);
	return f->spool.error == 0;
}

struct download {
	struct forward *f;
	enum imap_fetched state;
};

static void
downloaded(void *ctx, uint32_t number, struct span name, struct lex *l)
{
	struct download *d = ctx;

	(void)number;
	if (span_ieq(name, SPAN("FETCH")) && d->state == IMAP_UNKNOWN &&
	    mailbox_body(l))
		d->state = imap_client_stream(&d->f->imap, l, keep, d->f);
}

static void
download(struct forward *f, struct piece *p)
{
	struct imap_client *c = &f->imap;
	struct download d = { f, IMAP_UNKNOWN };
	struct buf item = { 0 };
	enum imap_result r;

	buf_adds(&item, " BODY.PEEK[");
	section_path(&item, p->part.path, p->part.depth);
	buf_adds(&item, p->part.kind == SECTION_MIME ? ".MIME]" : "]");
	unsigned tag = mailbox_say_uid(f, "UID FETCH ", f->uid,
	    buf_cstr(&item));

	buf_free(&item);
	p->from = spool_size(&f->spool);
	r = imap_client_answer(c, tag, downloaded, &d);
	if (f->spool.error != 0) {
		tally(f);
		die_temp("no room for the message in $TMPDIR: %s",
		    strerror(f->spool.error));
	}
	mailbox_need(f, r, "the message", "");
	if (d.state != IMAP_GIVEN) {
		buf_clear(&c->why);
		buf_adds(&c->why, "it has no such part");
		mailbox_failed(f, "the message", "; -p names them",
		    EXIT_REFUSED);
	}
	p->n = spool_size(&f->spool) - p->from;
}

static void
upload(void *ctx, struct span octets)
{
	imap_client_add(ctx, octets);
}

static enum imap_result
append(struct forward *f, uint64_t size)
{
	struct imap_client *c = &f->imap;
	unsigned tag = imap_client_begin(c, "APPEND ");

	mailbox_add(f, f->sent);
	imap_client_add(c, SPAN(SENT_FLAGS));
	imap_client_add_literal(c, size);
	for (size_t i = 0; i < f->pieces; i++) {
		const struct piece *p = &f->piece[i];

		if (p->text.p != NULL)
			imap_client_add(c, p->text);
		else if (spool_read(&f->spool, p->from, p->n, upload, c) != 0)
			die_temp("reading back the message: %s",
			    strerror(f->spool.error));
	}
	imap_client_end(c);
	return mailbox_wait(f, tag);
}

void
way_download(struct forward *f)
{
	enum imap_result r;
	uint64_t size = 0;

	if (f->selected != SOURCE)
		mailbox_need(f, mailbox_wait(f, mailbox_say(f, "SELECT ",
		    f->mailbox, "")), "the mailbox", "; is its name right?");
	f->selected = SOURCE;
	for (size_t i = 0; i < f->pieces; i++) {
		struct piece *p = &f->piece[i];

		if (p->text.p == NULL)
			download(f, p);
		else
			domain_feed(&f->lines, p->text);
		size += p->text.p != NULL ? p->text.n : p->n;
	}
	/* With servers that disagree about line ends it could be two. */
	if (f->lines.binary) {
		buf_adds(&f->imap.why, "a CR or LF in it ends no line, or "
		    "there is a NUL");
		mailbox_failed(f, "the message",
		    "; that cannot be sent by DATA", EXIT_REFUSED);
	}
	if (f->next == 0)
		mailbox_wait(f, mailbox_say(f, "CREATE ", f->sent, ""));
	r = append(f, size);
	mailbox_need(f, r, "no copy in Sent", "; -m names another mailbox");
	learn_copy(f);
}
