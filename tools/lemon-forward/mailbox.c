/* SPDX-License-Identifier: ISC */
#include <string.h>

#include "base/clock.h"
#include "base/die.h"
#include "base/log.h"
#include "forward.h"
#include "imap/url.h"
#include "mime/header.h"
#include "net/connect.h"
#include "text/mutf7.h"

/* How long the submission server may fetch: clocks differ. */
enum { TICKET_SECONDS = 24 * 60 * 60 };

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

__attribute__((noreturn)) static void
give_up(struct forward *f, const char *what, const char *advice, int code)
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

static void
need(struct forward *f, enum imap_result r, const char *what,
    const char *advice)
{
	if (r != IMAP_OK)
		give_up(f, what, advice, exit_code(&f->imap, r));
}

/* --- saying things --- */

static void
add_mailbox(struct forward *f, struct span name)
{
	struct buf wire = { 0 };

	if (!mutf7_encode(name, NULL, &wire))
		die_usage("a mailbox's name is UTF-8");
	imap_client_add_string(&f->imap, buf_span(&wire));
	buf_free(&wire);
}

static unsigned
say_mailbox(struct forward *f, const char *command, struct span name,
    const char *more)
{
	unsigned tag = imap_client_begin(&f->imap, command);

	add_mailbox(f, name);
	imap_client_add(&f->imap, span_str(more));
	imap_client_end(&f->imap);
	return tag;
}

static unsigned
say_uid(struct forward *f, const char *command, uint32_t uid,
    const char *more)
{
	unsigned tag = imap_client_begin(&f->imap, command);

	imap_client_add_number(&f->imap, uid);
	imap_client_add(&f->imap, span_str(more));
	imap_client_end(&f->imap);
	return tag;
}

static enum imap_result
wait_for(struct forward *f, unsigned tag)
{
	return imap_client_answer(&f->imap, tag, NULL, NULL);
}

/* --- looking at the message --- */

struct look {
	struct forward *f;
	struct buf header;	/* its Subject field */
	uint32_t validity, next;	/* what SELECT says */
	uint32_t status_next;	/* what STATUS says, in its own time */
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

/* Up to what stands behind "BODY[…] " in a FETCH response; false if that is
 * not in it. */
static bool
body(struct lex *l)
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
	} else if (span_ieq(name, SPAN("FETCH")) && body(l)) {
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
	give_up(f, "the IMAP server lets us not in", tag == 0 ?
	    "; -t sets what TLS there is" : "; are -u and the password right?",
	    r == IMAP_LOST ? EXIT_TEMP : EXIT_FORBIDDEN);
}

/* The message is in another mailbox than Sent, and its subject is wanted. */
static void
look_at_message(struct forward *f, unsigned login, struct look *k)
{
	struct imap_client *c = &f->imap;
	unsigned open = say_mailbox(f, "SELECT ", f->mailbox, "");
	unsigned fetch = say_uid(f, "UID FETCH ", f->uid,
	    " BODY.PEEK[HEADER.FIELDS (SUBJECT)]");
	unsigned at = f->way == WAY_BURL ? 0 :
	    say_mailbox(f, "STATUS ", f->sent, " (UIDNEXT)");

	log_in(f, login);
	need(f, imap_client_answer(c, open, heard, k), "the mailbox",
	    "; is its name right?");
	f->selected = SOURCE;
	if (f->uidvalidity == 0)
		f->uidvalidity = k->validity;
	if (f->uidvalidity != k->validity) {
		buf_adds(&c->why, "it was made anew since the URL was written");
		give_up(f, "the mailbox", "", EXIT_REFUSED);
	}
	need(f, imap_client_answer(c, fetch, heard, k), "the message", "");
	if (!k->there) {
		buf_clear(&c->why);
		buf_adds(&c->why, "there is none with that UID");
		give_up(f, "the message", "; is it in another mailbox?",
		    EXIT_REFUSED);
	}
	if (at != 0 && imap_client_answer(c, at, heard, k) == IMAP_OK)
		f->next = k->status_next;
}

/* Nothing of the message is wanted here; Sent is selected at once. */
static void
look_at_sent(struct forward *f, unsigned login, struct look *k)
{
	unsigned open = say_mailbox(f, "SELECT ", f->sent, "");

	log_in(f, login);
	if (imap_client_answer(&f->imap, open, heard, k) == IMAP_OK) {
		f->next = k->next;
		f->selected = SENT;
	}
}

void
mailbox_open(struct forward *f)
{
	struct imap_client_opts o = { .where = f->imap_at,
		.tls = f->tls_given ? f->tls : connect_loopback(f->imap_at) ?
		IMAP_TLS_MUST : IMAP_TLS_VERIFY, .implicit = f->implicit,
		.cafile = f->cafile };
	struct imap_login l = { .user = f->user, .password = f->password };
	struct look k = { .f = f };
	struct span subject = SPAN("");
	struct buf server = { 0 };
	unsigned tag;

	if (!imap_client_open(&f->imap, &o)) {
		buf_addf(&server, "the IMAP server %.*s", (int)f->imap_at.n,
		    f->imap_at.p);
		give_up(f, buf_cstr(&server), "; -i names another, -I is TLS "
		    "at once, -C a file of certificates", EXIT_TEMP);
	}
	tag = imap_client_say_login(&f->imap, &l);
	if (tag == 0)
		log_in(f, tag);
	else if (f->subject.p != NULL && f->way <= WAY_CATENATE)
		look_at_sent(f, tag, &k);
	else
		look_at_message(f, tag, &k);
	if (imap_client_learn(&f->imap) != IMAP_OK)
		need(f, IMAP_BAD, "the IMAP server", "");
	header_find(buf_span(&k.header), SPAN("Subject"), &subject);
	compose(f, subject);
	buf_free(&k.header);
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
	u.user = u.access_user = f->user;
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

	need(g->f, r, "the IMAP server gives no URL",
	    "; --download does without");
	for (size_t i = 0; i < g->n; i++)
		if (g->ticket[i].p == NULL) {
			buf_adds(&c->why, "it answers something else");
			give_up(g->f, "the IMAP server gives no URL",
			    "; --download does without", EXIT_TEMP);
		}
}

void
mailbox_grant(struct forward *f)
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

	add_mailbox(f, f->sent);
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
mailbox_catenate(struct forward *f)
{
	struct imap_client *c = &f->imap;
	bool pipelined = c->offered & IMAP_LITERAL_PLUS;
	struct span rump, ticket = { 0 };
	struct granting g = { f, &rump, &ticket, 1 };
	unsigned create = 0, append, ask = 0;
	enum imap_result r;

	if (f->next == 0) {
		create = say_mailbox(f, "CREATE ", f->sent, "");
		if (!pipelined)
			wait_for(f, create);
		f->next = 1;
	}
	append = say_catenate(f);
	rump = copy_rump(f, f->next);
	if (pipelined) {
		ask = ask_grant(&g);
		if (create != 0)
			wait_for(f, create);
	}
	r = imap_client_answer(c, append, granted, &g);
	if (r == IMAP_OK)
		learn_copy(f);
	else
		need(f, r, "the message cannot be put together",
		    span_ieq(c->code, SPAN("BADURL")) ?
		    "; has it such a part? -p names them" : "");
	if (f->copy == 0) {
		buf_adds(&c->why, "the server does not say where it is");
		give_up(f, "the copy in Sent", "; --download does without",
		    EXIT_TEMP);
	}
	if (ask == 0 || f->copy != f->next) {
		if (ask != 0)
			wait_for(f, ask);
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
	    body(l))
		d->state = imap_client_stream(&d->f->imap, l, keep, d->f);
}

static void
download(struct forward *f, struct piece *p)
{
	struct imap_client *c = &f->imap;
	struct download d = { f, IMAP_UNKNOWN };
	unsigned tag = imap_client_begin(c, "UID FETCH ");
	enum imap_result r;

	imap_client_add_number(c, f->uid);
	imap_client_add(c, SPAN(" BODY.PEEK["));
	for (size_t i = 0; i < p->part.depth; i++) {
		imap_client_add(c, i > 0 ? SPAN(".") : SPAN(""));
		imap_client_add_number(c, p->part.path[i]);
	}
	imap_client_add(c, p->part.kind == SECTION_MIME ? SPAN(".MIME]") :
	    SPAN("]"));
	imap_client_end(c);
	p->from = spool_size(&f->spool);
	r = imap_client_answer(c, tag, downloaded, &d);
	if (f->spool.error != 0) {
		tally(f);
		die_temp("no room for the message in $TMPDIR: %s",
		    strerror(f->spool.error));
	}
	need(f, r, "the message", "");
	if (d.state != IMAP_GIVEN) {
		buf_clear(&c->why);
		buf_adds(&c->why, "it has no such part");
		give_up(f, "the message", "; -p names them", EXIT_REFUSED);
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

	add_mailbox(f, f->sent);
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
	return wait_for(f, tag);
}

void
mailbox_download(struct forward *f)
{
	enum imap_result r;
	uint64_t size = 0;

	if (f->selected != SOURCE)
		need(f, wait_for(f, say_mailbox(f, "SELECT ", f->mailbox,
		    "")), "the mailbox", "; is its name right?");
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
		give_up(f, "the message", "; that cannot be sent by DATA",
		    EXIT_REFUSED);
	}
	if (f->next == 0)
		wait_for(f, say_mailbox(f, "CREATE ", f->sent, ""));
	r = append(f, size);
	need(f, r, "no copy in Sent", "; -m names another mailbox");
	learn_copy(f);
}

/* --- afterwards --- */

/* Whether it is the one that the copy is in. */
static bool
open_sent(struct forward *f)
{
	struct look k = { .f = f };

	return f->selected == SENT || (imap_client_answer(&f->imap,
	    say_mailbox(f, "SELECT ", f->sent, ""), heard, &k) == IMAP_OK &&
	    k.validity == f->copy_validity);
}

void
mailbox_take_back(struct forward *f)
{
	if (f->copy == 0 || !open_sent(f))
		return;
	wait_for(f, say_uid(f, "UID STORE ", f->copy,
	    " +FLAGS.SILENT \\Deleted"));
	if (f->imap.offered & IMAP_UIDPLUS)
		wait_for(f, say_uid(f, "UID EXPUNGE ", f->copy, ""));
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
			tag[n++] = say_mailbox(f, "SELECT ", source ?
			    f->mailbox : f->sent, "");
		if (source)
			tag[n++] = say_uid(f, "UID STORE ", f->uid,
			    " +FLAGS.SILENT $Forwarded");
		else
			tag[n++] = say_uid(f, "UID STORE ", f->copy,
			    " -FLAGS.SILENT $SubmitPending");
	}
	for (unsigned i = 0; i < n; i++)
		good = wait_for(f, tag[i]) == IMAP_OK && good;
	if (!good)
		log_warn("it is sent, but not marked so: %s",
		    buf_cstr(&f->imap.why));
	f->marked_out = f->imap.out.total - f->marked_out;
	f->marked_in = f->imap.in.total - f->marked_in;
	tally(f);
}
