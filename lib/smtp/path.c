/* SPDX-License-Identifier: ISC */
#include "smtp/path.h"

#include <arpa/inet.h>
#include <string.h>

#include "text/utf8.h"

static bool
high(char c)
{
	return (unsigned char)c >= 0x80;
}

/* RFC 5322 3.2.3 */
static bool
atext(char c)
{
	return ascii_alpha(c) || ascii_digit(c) ||
	    (c != '\0' && strchr("!#$%&'*+-/=?^_`{|}~", c) != NULL);
}

/* The length of the dot-string at the front of s, 0 if there is none. */
static size_t
dot_string(struct span s)
{
	size_t i = 0;

	for (;;) {
		size_t from = i;

		while (i < s.n && (atext(s.p[i]) || high(s.p[i])))
			i++;
		if (i == from)
			return 0;
		if (i == s.n || s.p[i] != '.')
			return i;
		i++;
	}
}

/* RFC 5321 4.1.2: Quoted-string; the length with its quotes, or 0. */
static size_t
quoted_string(struct span s)
{
	size_t i;

	if (s.n == 0 || s.p[0] != '"')
		return 0;
	for (i = 1; i < s.n && s.p[i] != '"'; i++) {
		if (s.p[i] == '\\' && (++i == s.n || high(s.p[i])))
			return 0;
		if (!high(s.p[i]) && (s.p[i] < ' ' || s.p[i] > '~'))
			return 0;
	}
	return i < s.n ? i + 1 : 0;
}

/* RFC 5321 4.1.3 */
static bool
literal_ok(struct span s)
{
	char text[INET6_ADDRSTRLEN + 1];
	unsigned char addr[16];
	bool v6 = span_istarts(s, SPAN("IPv6:"));
	size_t colon = span_chr(s, ':');

	if (!v6 && colon < s.n) {	/* General-address-literal */
		if (colon == 0 || s.p[colon - 1] == '-' || colon + 1 == s.n)
			return false;
		for (size_t i = 0; i < s.n; i++)
			if (i < colon ? !ascii_alpha(s.p[i]) &&
			    !ascii_digit(s.p[i]) && s.p[i] != '-' :
			    s.p[i] < '!' || s.p[i] > '~' ||
			    strchr("[\\]", s.p[i]) != NULL)
				return false;
		return true;
	}
	if (v6)
		s = span_skip(s, 5);
	if (s.n >= sizeof text || memchr(s.p, '\0', s.n) != NULL)
		return false;
	memcpy(text, s.p, s.n);
	text[s.n] = '\0';
	return inet_pton(v6 ? AF_INET6 : AF_INET, text, addr) == 1;
}

/* The length of the domain or address literal at the front of s, or 0.
 * Underscores are no part of the RFC's names, but of real ones. */
static size_t
domain(struct span s)
{
	size_t i = 0;

	if (s.n > 0 && s.p[0] == '[') {
		i = span_chr(s, ']');
		return i < s.n &&
		    literal_ok(span_head(span_skip(s, 1), i - 1)) ? i + 1 : 0;
	}
	for (;;) {
		size_t from = i;

		while (i < s.n && (ascii_alpha(s.p[i]) ||
		    ascii_digit(s.p[i]) || s.p[i] == '-' || s.p[i] == '_' ||
		    high(s.p[i])))
			i++;
		if (i == from || i - from > 63 || s.p[from] == '-' ||
		    s.p[i - 1] == '-')
			return 0;
		if (i == s.n || s.p[i] != '.')
			return i;
		i++;
	}
}

bool
smtp_domain_ok(struct span s, bool utf8)
{
	if (s.n == 0 || s.n > SMTP_DOMAIN_MAX || domain(s) != s.n)
		return false;
	for (size_t i = 0; i < s.n; i++)
		if (high(s.p[i]))
			return utf8 && utf8_valid(s);
	return true;
}

/* RFC 5321 4.1.2: A-d-l ":", which is dropped. */
static bool
skip_route(struct span *s)
{
	while (s->n > 0 && s->p[0] == '@') {
		size_t n = domain(span_skip(*s, 1));

		if (n == 0)
			return false;
		*s = span_skip(*s, n + 1);
		if (s->n == 0 || (s->p[0] != ',' && s->p[0] != ':'))
			return false;
		if (s->p[0] == ',' && (s->n < 2 || s->p[1] != '@'))
			return false;
		*s = span_skip(*s, 1);
	}
	return true;
}

static enum smtp_path_error
check(const struct smtp_path *p, unsigned allow)
{
	if (p->local.n > SMTP_LOCAL_MAX || p->domain.n > SMTP_DOMAIN_MAX)
		return SMTP_PATH_TOO_LONG;
	if (p->utf8 && !utf8_valid(p->address))
		return SMTP_PATH_SYNTAX;
	if (p->utf8 && !(allow & SMTP_PATH_UTF8))
		return SMTP_PATH_NOT_ASCII;
	if (p->domain.n > 0 || allow & SMTP_PATH_BARE)
		return SMTP_PATH_OK;
	/* RFC 5321 4.1.1.3: "postmaster" alone, in any case. */
	return allow & SMTP_PATH_POSTMASTER &&
	    span_ieq(p->local, SPAN("postmaster")) ?
	    SMTP_PATH_OK : SMTP_PATH_SYNTAX;
}

/* Take a mailbox off the front of *s. */
static enum smtp_path_error
take(struct span *s, unsigned allow, struct smtp_path *p)
{
	size_t n = quoted_string(*s);

	if (n == 0)
		n = dot_string(*s);
	if (n == 0)
		return SMTP_PATH_SYNTAX;
	*p = (struct smtp_path){ .local = span_head(*s, n) };
	if (n < s->n && s->p[n] == '@') {
		p->domain = span_skip(*s, n + 1);
		p->domain.n = domain(p->domain);
		if (p->domain.n == 0)
			return SMTP_PATH_SYNTAX;
		n += 1 + p->domain.n;
	}
	p->address = span_head(*s, n);
	for (size_t i = 0; i < n; i++)
		p->utf8 |= high(s->p[i]);
	*s = span_skip(*s, n);
	return check(p, allow);
}

enum smtp_path_error
smtp_mailbox_parse(struct span s, unsigned allow, struct smtp_path *p)
{
	enum smtp_path_error e = take(&s, allow, p);

	return e == SMTP_PATH_OK && s.n > 0 ? SMTP_PATH_SYNTAX : e;
}

enum smtp_path_error
smtp_path_parse(struct span *s, unsigned allow, struct smtp_path *p)
{
	enum smtp_path_error e;

	*p = (struct smtp_path){ .address = { "", 0 } };
	if (span_starts(*s, SPAN("<>")) && allow & SMTP_PATH_NULL) {
		*s = span_skip(*s, 2);
		return SMTP_PATH_OK;
	}
	if (!span_starts(*s, SPAN("<")))
		return SMTP_PATH_SYNTAX;
	*s = span_skip(*s, 1);
	if (!skip_route(s))
		return SMTP_PATH_SYNTAX;
	e = take(s, allow, p);
	if (e != SMTP_PATH_OK)
		return e;
	if (!span_starts(*s, SPAN(">")))
		return SMTP_PATH_SYNTAX;
	*s = span_skip(*s, 1);
	return SMTP_PATH_OK;
}

void
smtp_path_canon(const struct smtp_path *p, struct buf *to)
{
	struct buf plain = { 0 };
	struct span local = p->local;

	if (local.n >= 2 && local.p[0] == '"') {
		for (size_t i = 1; i + 1 < local.n; i++) {
			if (local.p[i] == '\\')
				i++;
			buf_addc(&plain, local.p[i]);
		}
		local = buf_span(&plain);
	}
	if (local.n > 0 && dot_string(local) == local.n) {
		buf_add(to, local);
	} else if (p->local.n > 0) {
		buf_addquoted(to, local);
	}
	if (p->domain.n > 0) {
		buf_addc(to, '@');
		buf_add(to, p->domain);
	}
	buf_free(&plain);
}
