/* SPDX-License-Identifier: ISC */
#include "imap/url.h"

#include "base/civil.h"
#include "imap/fetch.h"

/* What is left to read; the first mistake sticks. */
struct parse {
	struct arena *arena;
	struct span in;
	const char *error;
	struct imap_url *u;
};

static void
fail(struct parse *p, const char *why)
{
	if (p->error == NULL)
		p->error = why;
	p->in = (struct span){ NULL, 0 };
}

static bool
next(const struct parse *p, char c)
{
	return p->in.n > 0 && p->in.p[0] == c;
}

static bool
try(struct parse *p, char c)
{
	if (!next(p, c))
		return false;
	p->in = span_skip(p->in, 1);
	return true;
}

/* Take ";NAME=" in any case if it is next. */
static bool
param(struct parse *p, struct span name)
{
	if (!next(p, ';') || p->in.n < name.n + 2 ||
	    !span_ieq(span_head(span_skip(p->in, 1), name.n), name) ||
	    p->in.p[name.n + 1] != '=')
		return false;
	p->in = span_skip(p->in, name.n + 2);
	return true;
}

static bool
one_of(char c, const char *set)
{
	return span_chr(span_str(set), c) < strlen(set);
}

/* RFC 5092 11: achar, with its percent signs, or one of more. */
static bool
achar(char c, const char *more)
{
	return ascii_alpha(c) || ascii_digit(c) ||
	    one_of(c, "-._~!$'()*+,&=%") || one_of(c, more);
}

static struct span
run(struct parse *p, const char *more)
{
	size_t n = 0;

	while (n < p->in.n && achar(p->in.p[n], more))
		n++;
	struct span s = span_head(p->in, n);

	p->in = span_skip(p->in, n);
	return s;
}

/* RFC 5092 11: bchar = achar / ":" / "@" / "/".  The slash before the next
 * parameter is that one's. */
static struct span
bchars(struct parse *p, bool *slash)
{
	struct span s = run(p, ":@/");

	*slash = next(p, ';') && s.n > 0 && s.p[s.n - 1] == '/';
	if (*slash)
		s.n--;
	return s;
}

static struct span
decode(struct parse *p, struct span s)
{
	char *to = arena_alloc(p->arena, s.n + 1);
	size_t n = 0;

	if (s.n == 0)
		fail(p, "Something is missing in the URL");
	while (s.n > 0) {
		int c = (unsigned char)s.p[0];
		bool encoded = c == '%';

		s = span_skip(s, 1);
		if (encoded) {
			c = span_hex(s);
			s = span_skip(s, 2);
		}
		if (c <= 0) {
			fail(p, "No octet is encoded like that in a URL");
			break;
		}
		to[n++] = (char)c;
	}
	return (struct span){ to, n };
}

static uint32_t
number(struct parse *p)
{
	uint64_t v = 0;
	size_t n = 0;

	while (n < p->in.n && ascii_digit(p->in.p[n]))
		n++;
	if (!span_u64(span_head(p->in, n), UINT32_MAX, &v))
		fail(p, "That is no number in the URL");
	p->in = span_skip(p->in, n);
	return (uint32_t)v;
}

static uint32_t
nz_number(struct parse *p)
{
	/* RFC 3501 9: nz-number = digit-nz *DIGIT */
	if (next(p, '0'))
		fail(p, "That number in the URL begins with 0");
	return number(p);
}

/* --- authority --- */

static bool
address_char(char c)
{
	return ascii_hex(c) >= 0 || c == ':' || c == '.';
}

static bool
name_char(char c)
{
	return ascii_alpha(c) || ascii_digit(c) || c == '-' || c == '.' ||
	    c == '_';
}

/* RFC 3986 3.2.2, without names that only percent signs could write. */
static void
host(struct parse *p)
{
	bool address = try(p, '[');
	size_t n = 0;

	while (n < p->in.n &&
	    (address ? address_char(p->in.p[n]) : name_char(p->in.p[n])))
		n++;
	p->u->host = span_head(p->in, n);
	p->in = span_skip(p->in, n);
	if (n == 0 || (address && !try(p, ']')))
		fail(p, "The URL names no server");
	if (!try(p, ':'))
		return;
	uint32_t port = number(p);

	if (port == 0 || port > UINT16_MAX)
		fail(p, "That is no port");
	p->u->port = (uint16_t)port;
}

/* RFC 5092 11: iuserinfo = enc-user [iauth] / [enc-user] iauth */
static void
server(struct parse *p)
{
	struct span rest = p->in;
	struct span name = run(p, "");

	if (!next(p, '@') && !next(p, ';')) {
		p->in = rest;
		host(p);
		return;
	}
	if (name.n > 0)
		p->u->user = decode(p, name);
	if (param(p, SPAN("AUTH")))
		p->u->mech = decode(p, run(p, ""));
	else if (name.n == 0)
		fail(p, "The URL names no user");
	if (!try(p, '@'))
		fail(p, "There is no server behind the URL's user");
	host(p);
}

/* --- URLAUTH --- */

static int
digits(struct parse *p, size_t n, char after)
{
	uint64_t v = 0;

	if (!span_u64(span_head(p->in, n), 9999, &v) || p->in.n < n) {
		fail(p, "That is no date and time in the URL");
		return 0;
	}
	p->in = span_skip(p->in, n);
	if (after != '\0' && !try(p, after) &&
	    (after != 'T' || !try(p, 't')))
		fail(p, "That is no date and time in the URL");
	return (int)v;
}

/* RFC 3339 5.6: seconds that the local time is ahead */
static int64_t
zone(struct parse *p)
{
	bool behind = next(p, '-');

	if (try(p, 'Z') || try(p, 'z'))
		return 0;
	if (!behind && !next(p, '+'))
		fail(p, "That date and time has no zone");
	p->in = span_skip(p->in, 1);
	int hours = digits(p, 2, ':'), minutes = digits(p, 2, '\0');

	if (hours > 23 || minutes > 59)
		fail(p, "There is no such zone");
	return (behind ? -60 : 60) * (int64_t)(60 * hours + minutes);
}

/* RFC 3339 5.6: date-time.  Of a fraction of a second nothing counts: the
 * URL is good until the end of that second. */
static int64_t
date_time(struct parse *p)
{
	int year = digits(p, 4, '-'), month = digits(p, 2, '-');
	int day = digits(p, 2, 'T'), hour = digits(p, 2, ':');
	int minute = digits(p, 2, ':'), second = digits(p, 2, '\0');

	if (try(p, '.'))
		do
			digits(p, 1, '\0');
		while (p->in.n > 0 && ascii_digit(p->in.p[0]));
	int64_t ahead = zone(p);

	if (p->error == NULL && (month < 1 || month > 12 || day < 1 ||
	    day > civil_month(year, month) || hour > 23 || minute > 59 ||
	    second > 60))
		fail(p, "There is no such date and time");
	if (p->error != NULL)
		return 0;
	return civil_days(year, month, day) * 86400 + hour * 3600 +
	    minute * 60 + second - ahead;
}

static const struct {
	struct span name;
	enum url_access access;
	bool user;
} accesses[] = {
	{ SPAN_INIT("submit+"), URL_SUBMIT, true },
	{ SPAN_INIT("user+"), URL_USER, true },
	{ SPAN_INIT("authuser"), URL_AUTHUSER, false },
	{ SPAN_INIT("anonymous"), URL_ANONYMOUS, false },
};

static void
access_of(struct parse *p)
{
	struct span s = run(p, "");

	for (size_t i = 0; i < COUNT(accesses); i++) {
		struct span name = accesses[i].name;

		if (!span_istarts(s, name) ||
		    (!accesses[i].user && s.n > name.n))
			continue;
		p->u->access = accesses[i].access;
		if (accesses[i].user)
			p->u->access_user = decode(p, span_skip(s, name.n));
		return;
	}
	fail(p, "The URL says not who may use it");
}

/* RFC 5092 11: iua-verifier = ":" uauth-mechanism ":" enc-urlauth */
static void
verifier(struct parse *p)
{
	size_t n = 0;

	while (n < p->in.n && (ascii_alpha(p->in.p[n]) ||
	    ascii_digit(p->in.p[n]) || one_of(p->in.p[n], "-.")))
		n++;
	p->u->auth_mech = span_head(p->in, n);
	p->in = span_skip(p->in, n);
	if (n == 0 || !try(p, ':'))
		fail(p, "The URL names no mechanism");
	for (n = 0; n < p->in.n && ascii_hex(p->in.p[n]) >= 0; n++)
		;
	p->u->token = span_head(p->in, n);
	p->in = span_skip(p->in, n);
	if (n < 32)
		fail(p, "The URL has no token");
}

/* RFC 5092 11: iurlauth-rump = [expire] ";URLAUTH=" access */
static void
urlauth(struct parse *p, struct span text)
{
	if (param(p, SPAN("EXPIRE"))) {
		p->u->expire = date_time(p);
		if (!next(p, ';'))
			fail(p, "What expires needs an access");
	}
	if (!param(p, SPAN("URLAUTH")))
		return;
	access_of(p);
	if (p->error != NULL)
		return;
	p->u->rump = span_head(text, text.n - p->in.n);
	if (try(p, ':'))
		verifier(p);
}

/* --- path --- */

/* RFC 5092 11: enc-section, the encoded section-spec of RFC 3501 9 */
static void
section(struct parse *p, bool *slash)
{
	struct lex l = { .arena = p->arena };

	l.in = decode(p, bchars(p, slash));
	p->u->section = lex_section(&l);
	if (!lex_end(&l))
		fail(p, "The URL names no section of a message");
}

/* RFC 5092 11: iuid-only [isection] [ipartial] [iurlauth] */
static void
message(struct parse *p, struct span text)
{
	p->u->uid = nz_number(p);
	bool slash = try(p, '/');

	if (slash && param(p, SPAN("SECTION"))) {
		section(p, &slash);
	}
	if (slash && param(p, SPAN("PARTIAL"))) {
		slash = false;
		p->u->partial = true;
		p->u->offset = number(p);
		if (try(p, '.'))
			p->u->length = nz_number(p);
	}
	if (slash)
		fail(p, "Something is missing behind a slash in the URL");
	urlauth(p, text);
}

/* RFC 5092 11: icommand = imessagelist / imessagepart [iurlauth] */
static void
command(struct parse *p, struct span text)
{
	bool slash;

	p->u->mailbox = decode(p, bchars(p, &slash));
	if (!slash && param(p, SPAN("UIDVALIDITY"))) {
		p->u->uidvalidity = nz_number(p);
		slash = try(p, '/');
		if (slash && !next(p, ';'))
			fail(p, "Something is missing behind a slash in "
			    "the URL");
	}
	if (slash) {
		if (!param(p, SPAN("UID")))
			fail(p, "The URL names no message");
		message(p, text);
	} else if (try(p, '?'))
		p->u->search = decode(p, run(p, ":@/?"));
}

const char *
imap_url_parse(struct arena *a, struct span text, struct imap_url *u)
{
	struct parse p = { .arena = a, .in = text, .u = u };

	*u = (struct imap_url){ .expire = INT64_MAX };
	if (text.n > IMAP_URL_MAX)
		return "That URL is too long";
	if (span_istarts(text, SPAN("imap://")) ||
	    span_starts(text, SPAN("//"))) {
		u->absolute = true;
		p.in = span_skip(p.in, span_chr(p.in, '/') + 2);
		server(&p);
		if (try(&p, '/') && p.in.n > 0)
			command(&p, text);
	} else if (try(&p, '/'))
		command(&p, text);
	/* RFC 5092 7.2: no other relative path may be taken. */
	else if (param(&p, SPAN("UID")))
		message(&p, text);
	else
		fail(&p, "That is no IMAP URL");
	if (p.in.n > 0)
		fail(&p, p.in.p[0] > ' ' && p.in.p[0] <= '~' ?
		    "There is something else in the URL" :
		    "A character in the URL has to be percent-encoded");
	/* RFC 5092 11: authimapurl = "imap://" … */
	if (u->access != URL_NONE && text.p[0] == '/' && u->absolute)
		fail(&p, "URLAUTH needs imap://");
	return p.error;
}

/* --- writing --- */

static void
encode(struct buf *to, struct span s, const char *keep)
{
	for (size_t i = 0; i < s.n; i++) {
		char c = s.p[i];

		if (ascii_alpha(c) || ascii_digit(c) || one_of(c, "-._~") ||
		    one_of(c, keep))
			buf_addc(to, c);
		else
			buf_addescape(to, '%', c);
	}
}

static void
add_server(struct buf *to, const struct imap_url *u)
{
	buf_adds(to, "imap://");
	encode(to, u->user, "+,");
	if (u->mech.p != NULL) {
		buf_adds(to, ";AUTH=");
		encode(to, u->mech, "*");
	}
	if (u->user.p != NULL || u->mech.p != NULL)
		buf_addc(to, '@');
	bool address = span_chr(u->host, ':') < u->host.n;

	if (address)
		buf_addc(to, '[');
	buf_add(to, u->host);
	if (address)
		buf_addc(to, ']');
	if (u->port != 0) {
		buf_addc(to, ':');
		buf_addu(to, u->port);
	}
}

/* A slash at either end would be taken for one of the URL's own. */
static void
add_mailbox(struct buf *to, const struct imap_url *u)
{
	struct span s = u->mailbox;

	buf_addc(to, '/');
	encode(to, span_head(s, 1), "+,");
	if (s.n > 2)
		encode(to, span_head(span_skip(s, 1), s.n - 2), "/+,");
	if (s.n > 1)
		encode(to, span_skip(s, s.n - 1), "+,");
	if (u->uidvalidity != 0) {
		buf_adds(to, ";UIDVALIDITY=");
		buf_addu(to, u->uidvalidity);
	}
}

static void
field_name(struct buf *to, struct span name)
{
	bool atom = name.n > 0;

	for (size_t i = 0; i < name.n; i++)
		atom = atom && lex_astring_char(name.p[i]);
	if (atom)
		buf_add(to, name);
	else
		buf_addquoted(to, name);
}

static void
add_section(struct buf *to, const struct section *q)
{
	static const char *const text[] = {
		[SECTION_ALL] = "", [SECTION_HEADER] = "HEADER",
		[SECTION_FIELDS] = "HEADER.FIELDS",
		[SECTION_FIELDS_NOT] = "HEADER.FIELDS.NOT",
		[SECTION_TEXT] = "TEXT", [SECTION_MIME] = "MIME",
	};
	struct buf b = { 0 };

	section_path(&b, q->path, q->depth);
	if (q->depth > 0 && q->kind != SECTION_ALL)
		buf_addc(&b, '.');
	buf_adds(&b, text[q->kind]);
	for (size_t i = 0; i < q->fields; i++) {
		buf_adds(&b, i > 0 ? " " : " (");
		field_name(&b, q->field[i]);
	}
	if (q->fields > 0)
		buf_addc(&b, ')');
	if (b.n > 0) {
		buf_adds(to, "/;SECTION=");
		encode(to, buf_span(&b), "()");
	}
	buf_free(&b);
}

static void
add_message(struct buf *to, const struct imap_url *u)
{
	if (u->absolute || u->mailbox.p != NULL)
		buf_addc(to, '/');
	buf_adds(to, ";UID=");
	buf_addu(to, u->uid);
	add_section(to, &u->section);
	if (!u->partial)
		return;
	buf_adds(to, "/;PARTIAL=");
	buf_addu(to, u->offset);
	if (u->length != 0) {
		buf_addc(to, '.');
		buf_addu(to, u->length);
	}
}

static void
add_rump(struct buf *to, const struct imap_url *u)
{
	if (u->expire != INT64_MAX) {
		int64_t day = u->expire / 86400, left = u->expire % 86400;
		int64_t year;
		int month, date;

		if (left < 0) {
			left += 86400;
			day--;
		}
		civil_date(day, &year, &month, &date);
		buf_addf(to, ";EXPIRE=%04d-%02d-%02dT%02d:%02d:%02dZ",
		    (int)year, month, date, (int)(left / 3600),
		    (int)(left / 60 % 60), (int)(left % 60));
	}
	buf_adds(to, ";URLAUTH=");
	for (size_t i = 0; i < COUNT(accesses); i++)
		if (accesses[i].access == u->access)
			buf_add(to, accesses[i].name);
	encode(to, u->access_user, "+,");
}

void
imap_url_add(struct buf *to, const struct imap_url *u)
{
	if (u->rump.p != NULL) {
		buf_add(to, u->rump);
	} else {
		if (u->absolute)
			add_server(to, u);
		if (u->mailbox.p != NULL)
			add_mailbox(to, u);
		if (u->search.p != NULL) {
			buf_addc(to, '?');
			encode(to, u->search, "+,/");
		}
		if (u->uid != 0)
			add_message(to, u);
		if (u->access != URL_NONE)
			add_rump(to, u);
	}
	if (u->token.p != NULL) {
		buf_addc(to, ':');
		buf_add(to, u->auth_mech);
		buf_addc(to, ':');
		buf_add(to, u->token);
	}
}
