/* SPDX-License-Identifier: ISC */
/* APPEND, one message or several, all or nothing.  RFC 3501 6.3.11,
 * RFC 3502, RFC 3516 4.4, RFC 4315 3, RFC 4469, RFC 7888. */

#include <stdlib.h>
#include <string.h>

#include "base/die.h"
#include "chores.h"
#include "session.h"
#include "store/draft.h"
#include "url/resolve.h"

/* In one command: messages, and parts that CATENATE puts together. */
enum { APPEND_MAX = 1000, PARTS_MAX = 1000 };

/* RFC 3502 6.3.11: a message without octets cancels the append. */
static const char EMPTY[] = "A message has at least one octet.";

struct append {
	struct session *s;
	struct mailbox *mb;
	struct draft **draft;	/* [n], the last may be unfinished */
	size_t n, cap;
	uint64_t size;		/* of the message that is put together */
	uint64_t copied;	/* octets of others, in all of the command:
				   no more than one message may have */
	size_t parts;
	struct span *url;	/* [urls]: parts that wait to be copied */
	size_t urls, url_cap;
};

static void
append_free(struct append *a)
{
	for (size_t i = 0; i < a->n; i++)
		draft_free(a->draft[i]);
	free(a->draft);
	mailbox_close(a->mb);
}

/* RFC 3501 9: append = … [SP flag-list] [SP date-time] SP literal */
static void
parse_info(struct lex *l, struct draft_info *info)
{
	*info = (struct draft_info){ .internaldate = INT64_MIN };
	if (lex_next(l, '(')) {
		struct flags f = lex_flags(l, false);

		/* FLAG_* and MSG_* are the same numbers. */
		info->flags = f.system;
		info->keyword = f.keyword;
		info->keywords = f.keywords;
		lex_space(l);
	}
	if (lex_next(l, '"')) {
		info->internaldate = lex_date_time(l);
		lex_space(l);
	}
}

/* Whether n more octets than size have room in one message. */
static bool
fits(struct append *a, uint64_t size, uint64_t n)
{
	struct session *s = a->s;
	uint64_t max = s->message_max > 0 && s->message_max < UINT32_MAX ?
	    s->message_max : UINT32_MAX;

	/* RFC 3501 9: number, and so a literal and RFC822.SIZE, is below
	 * 2^32. */
	if (n <= max && size <= max - n)
		return true;
	reply_no(s, "TOOBIG", "That message is too big.");
	return false;
}

static struct draft *
current(const struct append *a)
{
	return a->draft[a->n - 1];
}

/* A draft for the next message. */
static enum result
begin(struct append *a, const struct draft_info *info)
{
	struct draft *d;

	if (a->n >= APPEND_MAX)
		return reply_no(a->s, "LIMIT", "Too many messages at once.");
	enum store_result r = draft_open(a->mb, info, &d);

	if (r != STORE_OK)
		return reply_store(a->s, r);
	if (a->n == a->cap) {
		a->cap = a->cap == 0 ? 4 : 2 * a->cap;
		a->draft = xrealloc(a->draft, a->cap * sizeof(*a->draft));
	}
	a->draft[a->n++] = d;
	return OK;
}

/* Take the octets of the literal to the end, whatever becomes of them, and
 * the line after them. */
static enum result
take(struct append *a, struct lex *l, const struct lex_literal *literal)
{
	struct reader *in = &a->s->reader;
	enum store_result r = STORE_OK;
	struct span some;
	bool nul = false;

	reader_accept(in, literal);
	while ((some = reader_pull(in)).n > 0) {
		/* RFC 3501 9: CHAR8 = %x01-ff; RFC 3516 7: *OCTET */
		nul = nul || (!literal->binary &&
		    memchr(some.p, '\0', some.n) != NULL);
		if (!nul && r == STORE_OK)
			r = draft_write(current(a), some);
	}
	if (!reader_pulled(in))
		return reply_bad(a->s, "The message did not come to its end.");
	if (nul)
		return reply_bad(a->s, "NUL in a literal");
	if (r != STORE_OK)
		return reply_store(a->s, r);
	reader_after(in, l);
	return OK;
}

/* RFC 4469 5: badurl-response-code = "BADURL" SP url-resp-text, which has no
 * "]" and nothing that is no TEXT-CHAR. */
static enum result
bad_url(struct append *a, struct span url)
{
	struct buf *code = &a->s->code;

	reply_no(a->s, url.n > 0 ? "BADURL " : NULL,
	    "That URL names no octets here.");
	url = span_head(url, IMAP_URL_MAX);
	for (size_t i = 0; i < url.n; i++) {
		char c = url.p[i];

		if (c > ' ' && c <= '~' && c != ']' && c != '\\')
			buf_addc(code, c);
		else
			buf_addescape(code, '%', c);
	}
	return NO;
}

struct copying {
	struct draft *to;
	enum store_result r;
};

static void
copy_some(void *arg, struct span octets)
{
	struct copying *c = arg;

	if (c->r == STORE_OK)
		c->r = draft_write(c->to, octets);
}

/* The octets found go on the draft, as they are. */
static enum result
copy(struct append *a, const struct resolved *from)
{
	struct copying c = { .to = current(a), .r = STORE_OK };

	if (!fits(a, a->size, from->n) || !fits(a, a->copied, from->n))
		return NO;
	if (resolved_read(from, copy_some, &c) != 0 && c.r == STORE_OK)
		c.r = STORE_ERROR;
	a->size += from->n;
	a->copied += from->n;
	return c.r == STORE_OK ? OK : reply_store(a->s, c.r);
}

/* RFC 4469 3: only of this user, and so relative to the mailbox that is
 * selected. */
static enum result
resolve(struct append *a, struct span text, struct imap_url *u,
    struct resolved *r)
{
	struct session *s = a->s;

	*r = (struct resolved){ 0 };
	if (imap_url_parse(&s->arena, text, u) != NULL || u->absolute ||
	    u->access != URL_NONE || u->expire != INT64_MAX)
		return bad_url(a, text);
	enum store_result e = url_resolve(s->store, &s->space, u, s->view, r);

	if (e == STORE_NONEXISTENT)
		return bad_url(a, text);
	return e == STORE_OK ? OK : reply_store(s, e);
}

/* Whether all that wait are there and fit, before the first is stored. */
static enum result
check_urls(struct append *a)
{
	enum result answer = OK;
	uint64_t n = 0;

	for (size_t i = 0; i < a->urls && answer == OK; i++) {
		struct resolved r;
		struct imap_url u;

		answer = resolve(a, a->url[i], &u, &r);
		if (answer == OK && (!fits(a, a->size + n, r.n) ||
		    !fits(a, a->copied + n, r.n)))
			answer = NO;
		n += r.n;
		resolved_free(&r);
	}
	return answer;
}

static enum result
copy_url(struct append *a, struct span text)
{
	struct resolved r;
	struct imap_url u;
	enum result answer = resolve(a, text, &u, &r);

	if (answer == OK)
		answer = copy(a, &r);
	resolved_free(&r);
	return answer;
}

/* The octets of the URLs that wait go on the draft. */
static enum result
copy_urls(struct append *a)
{
	enum result answer = a->urls > 1 ? check_urls(a) : OK;

	for (size_t i = 0; i < a->urls && answer == OK; i++)
		answer = copy_url(a, a->url[i]);
	a->urls = 0;
	return answer;
}

static enum result
text_part(struct append *a, struct lex *l)
{
	struct lex_literal literal;

	lex_space(l);
	lex_announce(l, &literal);
	if (!lex_ok(l))
		return BAD;
	if (!fits(a, a->size, literal.n))
		return NO;
	a->size += literal.n;
	return take(a, l, &literal);
}

/* RFC 4469 5: cat-part = "TEXT" SP literal / "URL" SP astring.  URLs wait for
 * the next text or the end. */
static enum result
part(struct append *a, struct lex *l)
{
	if (++a->parts > PARTS_MAX)
		return reply_no(a->s, "LIMIT", "Too many parts at once.");
	if (lex_word(l, "TEXT")) {
		enum result answer = copy_urls(a);

		return answer == OK ? text_part(a, l) : answer;
	}
	if (!lex_word(l, "URL"))
		lex_fail(l, "Neither URL nor TEXT");
	lex_space(l);
	struct span url = lex_astring(l);

	if (!lex_ok(l))
		return BAD;
	a->url = arena_grow(l->arena, a->url, &a->url_cap, a->urls + 1,
	    sizeof *a->url);
	a->url[a->urls++] = url;
	return OK;
}

/* RFC 4469 5: "(" cat-part *(SP cat-part) ")" */
static enum result
catenate(struct append *a, struct lex *l, const struct draft_info *info)
{
	enum result answer;

	lex_space(l);
	lex_open(l);
	if (!lex_ok(l))
		return BAD;
	a->size = 0;
	answer = begin(a, info);
	if (answer != OK)
		return answer;
	do
		answer = part(a, l);
	while (answer == OK && lex_try(l, ' '));
	lex_close(l);
	if (answer == OK && !lex_ok(l))
		return BAD;
	if (answer == OK)
		answer = copy_urls(a);
	if (answer == OK && a->size == 0)
		return reply_no(a->s, NULL, EMPTY);
	return answer;
}

static enum result
whole(struct append *a, struct lex *l, const struct draft_info *info)
{
	struct lex_literal literal;
	enum result answer;

	lex_announce(l, &literal);
	if (!lex_ok(l))
		return BAD;
	if (literal.n == 0)
		return reply_no(a->s, NULL, EMPTY);
	if (!fits(a, 0, literal.n))
		return NO;
	answer = begin(a, info);
	return answer == OK ? take(a, l, &literal) : answer;
}

/* One message: what precedes it, its octets, and the line after them. */
static enum result
one(struct append *a, struct lex *l)
{
	struct draft_info info;

	parse_info(l, &info);
	enum result answer = lex_word(l, "CATENATE") ?
	    catenate(a, l, &info) : whole(a, l, &info);

	if (answer != OK)
		return answer;
	uint64_t size;
	enum store_result r = draft_finish(current(a), &size);

	if (r != STORE_OK)
		return reply_store(a->s, r);
	/* What came as binary is larger now. */
	return fits(a, 0, size) ? OK : NO;
}

/* RFC 4315 3: "APPENDUID" SP uidvalidity SP uid-set */
static enum result
place(struct append *a)
{
	uint32_t *uids = xcalloc(a->n, sizeof(*uids)), uidvalidity;
	struct session *s = a->s;
	enum store_result r = mailbox_place(a->mb, a->draft, a->n, false,
	    uids, &uidvalidity);

	if (r == STORE_OK) {
		buf_adds(&s->code, "APPENDUID ");
		buf_addu(&s->code, uidvalidity);
		buf_addc(&s->code, ' ');
		wire_numbers(&s->code, uids, a->n);
		s->count.appended += a->n;
	}
	free(uids);
	return r == STORE_OK ? reply_ok(s, "Appended.") :
	    reply_target(s, r);
}

static enum result
cmd_append(struct session *s, struct lex *l)
{
	struct append a = { .s = s };
	enum result answer = OK;
	struct span name;

	lex_space(l);
	struct span wire = lex_astring(l);
	lex_space(l);
	if (!lex_ok(l))
		return BAD;
	if (!session_name(s, wire, &name))
		return NO;
	enum store_result r = mailbox_open(s->store, name, RIGHT_WRITE,
	    &a.mb);

	/* RFC 3501 6.3.11: before the client sends the message, and never
	 * made by us. */
	if (r != STORE_OK)
		return reply_target(s, r);
	chores_make_room(s);
	do
		answer = one(&a, l);
	while (answer == OK && lex_try(l, ' '));
	if (answer == OK)
		answer = lex_end(l) ? place(&a) : BAD;
	append_free(&a);
	return answer;
}

const struct cmd cmds_append[] = {
	{ "APPEND", USER, "MULTIAPPEND", cmd_append },
	{ 0 }
};
