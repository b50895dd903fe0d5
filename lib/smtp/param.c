/* SPDX-License-Identifier: ISC */
#include "smtp/param.h"

#include <string.h>

#include "text/utf8.h"

/* RFC 3461 4.4 and 4.2: as sent, encoded. */
enum { ENVID_MAX = 100, ORCPT_MAX = 500, AUTH_MAX = 500 };

/* What the rows below work on: a sticky error and the two kinds of arguments,
 * of which one is being filled. */
struct params {
	struct arena *a;
	struct smtp_mail *m;
	struct smtp_rcpt *c;
	struct buf tmp;
	unsigned seen;		/* rows met, for duplicates */
	bool utf8;
};

static struct span
keep(struct params *p)
{
	struct span s = arena_dup(p->a, buf_span(&p->tmp));

	buf_clear(&p->tmp);
	return s;
}

/* RFC 1870 6.1: 1*20DIGIT */
static bool
param_size(struct params *p, struct span v)
{
	p->m->has_size = true;
	return v.n <= 20 && span_u64(v, INT64_MAX, &p->m->size);
}

/* RFC 6152 2, RFC 3030 3 */
static bool
param_body(struct params *p, struct span v)
{
	if (span_ieq(v, SPAN("7BIT")))
		p->m->body = SMTP_BODY_7BIT;
	else if (span_ieq(v, SPAN("8BITMIME")))
		p->m->body = SMTP_BODY_8BIT;
	else if (span_ieq(v, SPAN("BINARYMIME")))
		p->m->body = SMTP_BODY_BINARY;
	else
		return false;
	return true;
}

/* RFC 6531 3.4: without a value */
static bool
param_utf8(struct params *p, struct span v)
{
	p->m->utf8 = true;
	return v.p == NULL;
}

/* RFC 4954 5: xtext of a mailbox, or "<>" */
static bool
param_auth(struct params *p, struct span v)
{
	struct smtp_path path;

	p->m->has_auth = true;
	if (v.n > AUTH_MAX || !smtp_xtext_decode(v, &p->tmp))
		return false;
	p->m->auth = keep(p);
	if (span_eq(p->m->auth, SPAN("<>"))) {
		p->m->auth.n = 0;
		return true;
	}
	return smtp_mailbox_parse(p->m->auth,
	    SMTP_PATH_BARE | SMTP_PATH_UTF8, &path) == SMTP_PATH_OK;
}

/* RFC 3461 4.3 */
static bool
param_ret(struct params *p, struct span v)
{
	if (span_ieq(v, SPAN("FULL")))
		p->m->ret = SMTP_RET_FULL;
	else if (span_ieq(v, SPAN("HDRS")))
		p->m->ret = SMTP_RET_HDRS;
	else
		return false;
	return true;
}

/* RFC 3461 4.4: it says graphic and white space of US-ASCII, decoded. */
static bool
param_envid(struct params *p, struct span v)
{
	p->m->has_envid = true;
	if (v.n == 0 || v.n > ENVID_MAX || !smtp_xtext_decode(v, &p->tmp))
		return false;
	p->m->envid = keep(p);
	return span_printable(p->m->envid);
}

/* RFC 3461 4.1: NEVER stands alone. */
static bool
param_notify(struct params *p, struct span v)
{
	static const struct {
		struct span name;
		unsigned bit;
	} word[] = {
		{ { "NEVER", 5 }, SMTP_NEVER },
		{ { "SUCCESS", 7 }, SMTP_SUCCESS },
		{ { "FAILURE", 7 }, SMTP_FAILURE },
		{ { "DELAY", 5 }, SMTP_DELAY },
	};

	while (v.p != NULL) {
		struct span w = span_cut(&v, ',');
		unsigned bit = 0;

		for (size_t i = 0; i < COUNT(word); i++)
			if (span_ieq(w, word[i].name))
				bit = word[i].bit;
		if (bit == 0 || p->c->notify & bit)
			return false;
		p->c->notify |= bit;
	}
	return p->c->notify != 0 && (!(p->c->notify & SMTP_NEVER) ||
	    p->c->notify == SMTP_NEVER);
}

/* Both grammars have it in upper case only. */
static int
hexdigit(char c)
{
	return c >= 'a' ? -1 : ascii_hex(c);
}

/* RFC 6533 3: "\x{" HEXPOINT "}" in what xtext left; add it as UTF-8. */
static bool
unicode_decode(struct span s, struct buf *to)
{
	while (s.n > 0) {
		uint32_t v = 0;
		size_t i = 3;

		if (!span_starts(s, SPAN("\\x{"))) {
			buf_addc(to, s.p[0]);
			s = span_skip(s, 1);
			continue;
		}
		for (; i < s.n && i < 9 && hexdigit(s.p[i]) >= 0; i++)
			v = v << 4 | (uint32_t)hexdigit(s.p[i]);
		if (i == 3 || i == s.n || s.p[i] != '}' || v > 0x10ffff ||
		    (v >= 0xd800 && v < 0xe000) || v < ' ' || v == 0x7f)
			return false;
		utf8_add(to, v);
		s = span_skip(s, i + 1);
	}
	return true;
}

/* RFC 6533 3: utf-8-addr-xtext, -unitext or -utf8 */
static bool
utf8_address(struct params *p, struct span v)
{
	struct buf plain = { 0 };
	bool fine = true;

	while (v.n > 0 && fine) {
		size_t n = 0;

		/* xtext up to the next octet above 127, which only SMTPUTF8
		 * allows */
		while (n < v.n && (unsigned char)v.p[n] < 0x80)
			n++;
		fine = smtp_xtext_decode(span_head(v, n), &plain);
		v = span_skip(v, n);
		for (; v.n > 0 && (unsigned char)v.p[0] >= 0x80;
		    v = span_skip(v, 1)) {
			buf_addc(&plain, v.p[0]);
			fine = fine && p->utf8;
		}
	}
	fine = fine && unicode_decode(buf_span(&plain), &p->tmp) &&
	    utf8_valid(buf_span(&p->tmp));
	buf_free(&plain);
	return fine;
}

/* RFC 3461 4.2: addr-type ";" xtext, printable when decoded */
static bool
param_orcpt(struct params *p, struct span v)
{
	struct span type;

	p->c->has_orcpt = true;
	if (v.n > ORCPT_MAX || span_chr(v, ';') == v.n)
		return false;
	type = span_cut(&v, ';');
	if (type.n == 0 || v.n == 0)
		return false;
	for (size_t i = 0; i < type.n; i++)
		if (!ascii_alpha(type.p[i]) && !ascii_digit(type.p[i]) &&
		    type.p[i] != '-')
			return false;
	if (span_ieq(type, SPAN("utf-8")) ? !utf8_address(p, v) :
	    !smtp_xtext_decode(v, &p->tmp) ||
	    !span_printable(buf_span(&p->tmp)))
		return false;
	p->c->orcpt_type = arena_dup(p->a, type);
	p->c->orcpt = keep(p);
	for (size_t i = 0; i < p->c->orcpt.n; i++)
		if ((unsigned char)p->c->orcpt.p[i] < ' ' ||
		    p->c->orcpt.p[i] == 0x7f)
			return false;
	return true;
}

struct row {
	const char *name;
	unsigned offered;	/* the extension that brings it */
	bool rcpt;		/* of RCPT, not of MAIL */
	bool (*set)(struct params *, struct span value);
};

static const struct row rows[] = {
	{ "SIZE", SMTP_SIZE, false, param_size },
	{ "BODY", SMTP_8BITMIME | SMTP_BINARYMIME, false, param_body },
	{ "SMTPUTF8", SMTP_UTF8, false, param_utf8 },
	{ "AUTH", SMTP_AUTH, false, param_auth },
	{ "RET", SMTP_DSN, false, param_ret },
	{ "ENVID", SMTP_DSN, false, param_envid },
	{ "NOTIFY", SMTP_DSN, true, param_notify },
	{ "ORCPT", SMTP_DSN, true, param_orcpt },
};

/* RFC 5321 4.1.2: SP esmtp-keyword ["=" esmtp-value], any number */
static bool
params(struct params *p, struct span s, unsigned offered,
    struct smtp_reply *r)
{
	while (s.n > 0) {
		size_t i = 0;
		struct span word, name;

		if (s.p[0] != ' ')
			break;
		while (s.n > 0 && s.p[0] == ' ')	/* be lenient */
			s = span_skip(s, 1);
		if (s.n == 0)
			return true;
		word = span_head(s, span_chr(s, ' '));
		s = span_skip(s, word.n);
		name = span_cut(&word, '=');
		while (i < COUNT(rows) && (rows[i].rcpt != (p->c != NULL) ||
		    !(rows[i].offered & offered) ||
		    !span_ieq(name, span_str(rows[i].name))))
			i++;
		if (i == COUNT(rows)) {
			/* RFC 5321 4.1.1.11 */
			smtp_reply_set(r, 555, "5.5.4", "Unknown parameter");
			return false;
		}
		if (p->seen & 1u << i || !rows[i].set(p, word)) {
			smtp_reply_f(r, 501, "5.5.4", "Bad %s parameter",
			    rows[i].name);
			return false;
		}
		p->seen |= 1u << i;
	}
	if (s.n > 0)
		smtp_reply_std(r, SMTP_BAD_SYNTAX);
	return s.n == 0;
}

/* Whether the word SMTPUTF8 is among the parameters: it rules how the path
 * before it is read (RFC 6531 3.4).  A path with blanks is quoted, so look
 * behind its end only. */
static bool
announces_utf8(struct span s)
{
	for (s = span_skip(s, span_rchr(s, '>') + 1); s.p != NULL;) {
		struct span word = span_cut(&s, ' ');

		if (span_ieq(word, SPAN("SMTPUTF8")))
			return true;
	}
	return false;
}

static void
path_keep(struct arena *a, struct smtp_path *p)
{
	p->address = arena_dup(a, p->address);
	p->local = span_head(p->address, p->local.n);
	p->domain = span_skip(p->address, p->address.n - p->domain.n);
}

/* "FROM:" or "TO:", blanks, path; some clients put a blank after the
 * colon. */
static bool
path(struct span *s, const char *word, unsigned allow, bool utf8,
    struct arena *a, struct smtp_path *p, struct smtp_reply *r)
{
	struct span text;
	bool from = word[0] == 'F';
	size_t n;

	if (!span_istarts(*s, span_str(word))) {
		smtp_reply_std(r, SMTP_BAD_SYNTAX);
		return false;
	}
	*s = span_skip(*s, strlen(word));
	while (s->n > 0 && s->p[0] == ' ')
		*s = span_skip(*s, 1);
	n = s->n;
	text = *s;
	if (utf8)
		allow |= SMTP_PATH_UTF8;
	switch (smtp_path_parse(s, allow, p)) {
	case SMTP_PATH_OK:
		p->address = span_head(p->address, n);
		path_keep(a, p);
		return true;
	case SMTP_PATH_NOT_ASCII:
		/* RFC 6531 3.5 */
		smtp_reply_set(r, from ? 550 : 553, "5.6.7",
		    "Non-ASCII address without SMTPUTF8");
		return false;
	case SMTP_PATH_TOO_LONG:
		smtp_reply_set(r, 553, from ? "5.1.7" : "5.1.3",
		    "Address too long");
		return false;
	case SMTP_PATH_SYNTAX:
		break;
	}
	/* RFC 5321 4.1.1.2: without brackets it is bad syntax; inside them
	 * it is a bad mailbox (RFC 3463 X.1.7, X.1.3). */
	if (text.n == 0 || text.p[0] != '<')
		smtp_reply_std(r, SMTP_BAD_SYNTAX);
	else
		smtp_reply_set(r, 553, from ? "5.1.7" : "5.1.3",
		    "Bad address");
	return false;
}

bool
smtp_mail_parse(struct span args, unsigned offered, unsigned allow,
    struct arena *a, struct smtp_mail *m, struct smtp_reply *r)
{
	struct params p = { .a = a, .m = m };
	bool good;

	*m = (struct smtp_mail){ 0 };
	p.utf8 = offered & SMTP_UTF8 && announces_utf8(args);
	good = path(&args, "FROM:", allow | SMTP_PATH_NULL, p.utf8, a,
	    &m->from, r) && params(&p, args, offered, r);
	buf_free(&p.tmp);
	if (good && m->body == SMTP_BODY_BINARY &&
	    !(offered & SMTP_BINARYMIME)) {
		smtp_reply_set(r, 501, "5.5.4", "Bad BODY parameter");
		return false;
	}
	return good;
}

bool
smtp_rcpt_parse(struct span args, unsigned offered, unsigned allow,
    struct arena *a, struct smtp_rcpt *c, struct smtp_reply *r)
{
	struct params p = { .a = a, .c = c };
	bool good;

	*c = (struct smtp_rcpt){ 0 };
	p.utf8 = allow & SMTP_PATH_UTF8;
	good = path(&args, "TO:", allow | SMTP_PATH_POSTMASTER, p.utf8, a,
	    &c->to, r) && params(&p, args, offered, r);
	buf_free(&p.tmp);
	return good;
}

void
smtp_mail_print(const struct smtp_mail *m, unsigned offered, struct buf *to)
{
	static const char *const body[] = { "", " BODY=7BIT",
		" BODY=8BITMIME", " BODY=BINARYMIME" };

	buf_adds(to, "MAIL FROM:<");
	buf_add(to, m->from.address);
	buf_addc(to, '>');
	if (m->has_size && offered & SMTP_SIZE) {
		buf_adds(to, " SIZE=");
		buf_addu(to, m->size);
	}
	if (offered & (m->body == SMTP_BODY_BINARY ? SMTP_BINARYMIME :
	    SMTP_8BITMIME))
		buf_adds(to, body[m->body]);
	if (m->utf8 && offered & SMTP_UTF8)
		buf_adds(to, " SMTPUTF8");
	if (m->has_auth && offered & SMTP_AUTH) {
		buf_adds(to, " AUTH=");
		smtp_xtext_encode(m->auth, to);
		if (m->auth.n == 0)
			buf_adds(to, "<>");
	}
	if (!(offered & SMTP_DSN))
		return;
	if (m->ret != SMTP_RET_NONE)
		buf_adds(to, m->ret == SMTP_RET_FULL ? " RET=FULL" :
		    " RET=HDRS");
	if (m->has_envid) {
		buf_adds(to, " ENVID=");
		smtp_xtext_encode(m->envid, to);
	}
}

/* RFC 6533 3: utf-8-addr-xtext, which needs no SMTPUTF8; s is UTF-8. */
static void
unicode_encode(struct span s, struct buf *to)
{
	for (size_t i = 0; i < s.n;) {
		unsigned char c = (unsigned char)s.p[i++];
		uint32_t v = c;

		if (c < 0x80 && c != '\\') {
			smtp_xtext_encode(span_head(span_skip(s, i - 1), 1),
			    to);
			continue;
		}
		if (c >= 0x80)
			v = c >= 0xf0 ? c & 7u : c >= 0xe0 ? c & 15u : c & 31u;
		while (c >= 0x80 && i < s.n &&
		    ((unsigned char)s.p[i] & 0xc0) == 0x80)
			v = v << 6 | ((unsigned char)s.p[i++] & 0x3f);
		buf_addf(to, "\\x{%X}", (unsigned)v);
	}
}

void
smtp_rcpt_print(const struct smtp_rcpt *c, unsigned offered, struct buf *to)
{
	static const char *const word[] = { "NEVER", "SUCCESS", "FAILURE",
		"DELAY" };
	char sep = '=';

	buf_adds(to, "RCPT TO:<");
	buf_add(to, c->to.address);
	buf_addc(to, '>');
	if (!(offered & SMTP_DSN))
		return;
	if (c->notify != 0)
		buf_adds(to, " NOTIFY");
	for (size_t i = 0; i < COUNT(word); i++) {
		if (!(c->notify & 1u << i))
			continue;
		buf_addc(to, sep);
		buf_adds(to, word[i]);
		sep = ',';
	}
	if (!c->has_orcpt)
		return;
	buf_adds(to, " ORCPT=");
	buf_add(to, c->orcpt_type);
	buf_addc(to, ';');
	if (span_ieq(c->orcpt_type, SPAN("utf-8")))
		unicode_encode(c->orcpt, to);
	else
		smtp_xtext_encode(c->orcpt, to);
}

/* What is before the end-marker, if there is one. */
static bool
chunk_parse(struct span args, struct span *what, bool *last)
{
	*what = span_cut(&args, ' ');
	*last = args.p != NULL;
	return !*last || span_ieq(args, SPAN("LAST"));
}

bool
smtp_burl_parse(struct span args, struct span *url, bool *last)
{
	return chunk_parse(args, url, last) && url->n > 0;
}

size_t
smtp_burl_shown(struct span line)
{
	size_t at = span_ifind(line, SPAN(";URLAUTH="));

	/* No access has a colon, and what follows a token may. */
	return at + span_chr(span_skip(line, at), ':');
}

bool
smtp_bdat_parse(struct span args, uint64_t *size, bool *last)
{
	struct span number;

	if (!chunk_parse(args, &number, last))
		return false;
	return number.n <= 20 && span_u64(number, INT64_MAX, size);
}

void
smtp_xtext_encode(struct span s, struct buf *to)
{
	for (size_t i = 0; i < s.n; i++) {
		char c = s.p[i];

		if (c >= '!' && c <= '~' && c != '+' && c != '=')
			buf_addc(to, c);
		else
			buf_addescape(to, '+', c);
	}
}

bool
smtp_xtext_decode(struct span s, struct buf *to)
{
	for (size_t i = 0; i < s.n; i++) {
		if (s.p[i] < '!' || s.p[i] > '~' || s.p[i] == '=')
			return false;
		if (s.p[i] != '+') {
			buf_addc(to, s.p[i]);
			continue;
		}
		if (s.n - i < 3 || hexdigit(s.p[i + 1]) < 0 ||
		    hexdigit(s.p[i + 2]) < 0)
			return false;
		buf_addc(to, (char)(hexdigit(s.p[i + 1]) << 4 |
		    hexdigit(s.p[i + 2])));
		i += 2;
	}
	return true;
}
