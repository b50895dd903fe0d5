/* SPDX-License-Identifier: ISC */
#include "text/charset.h"

#include <stdlib.h>
#include <string.h>

#include "base/die.h"
#include "text/icu.h"
#include "text/utf8.h"

enum { NAME_MAX_LEN = 63, PIECE = 1024 };

enum kind { ASCII, UTF8, LATIN1, LATIN9, CP1252, OTHER };

struct charset {
	enum kind kind;
	bool failed, ended;
	char held[4];		/* UTF8: the beginning of a character */
	uint8_t n_held;
	UConverter *conv;	/* OTHER */
	UChar high;		/* a high surrogate that waits, or 0 */
};

static const struct {
	const char *name;
	enum kind kind;
} ours[] = {
	{ "", ASCII }, { "us-ascii", ASCII }, { "ascii", ASCII },
	{ "ansi_x3.4-1968", ASCII }, { "iso646-us", ASCII },
	{ "utf-8", UTF8 }, { "utf8", UTF8 },
	{ "iso-8859-1", LATIN1 }, { "iso8859-1", LATIN1 },
	{ "iso_8859-1", LATIN1 }, { "latin1", LATIN1 },
	{ "iso-8859-15", LATIN9 }, { "iso8859-15", LATIN9 },
	{ "iso_8859-15", LATIN9 }, { "latin-9", LATIN9 },
	{ "windows-1252", CP1252 }, { "cp1252", CP1252 },
};

/* Names that are used for more than they mean. */
static const struct {
	const char *name, *meant;
} wider[] = {
	{ "gb2312", "gb18030" }, { "gb_2312-80", "gb18030" },
	{ "gbk", "gb18030" }, { "euc-kr", "windows-949" },
	{ "ks_c_5601-1987", "windows-949" },
};

static const uint16_t cp1252[32] = {
	0x20ac, 0x81, 0x201a, 0x192, 0x201e, 0x2026, 0x2020, 0x2021,
	0x2c6, 0x2030, 0x160, 0x2039, 0x152, 0x8d, 0x17d, 0x8f,
	0x90, 0x2018, 0x2019, 0x201c, 0x201d, 0x2022, 0x2013, 0x2014,
	0x2dc, 0x2122, 0x161, 0x203a, 0x153, 0x9d, 0x17e, 0x178
};

static uint32_t
one_octet(enum kind kind, unsigned char c)
{
	if (kind == CP1252 && c >= 0x80 && c < 0xa0)
		return cp1252[c - 0x80];
	if (kind != LATIN9)
		return c;
	switch (c) {
	case 0xa4: return 0x20ac;
	case 0xa6: return 0x160;
	case 0xa8: return 0x161;
	case 0xb4: return 0x17d;
	case 0xb8: return 0x17e;
	case 0xbc: return 0x152;
	case 0xbd: return 0x153;
	case 0xbe: return 0x178;
	}
	return c;
}

/* ICU takes options after a comma and file names of its own data: only a
 * plain name that it lists is passed on. */
static UConverter *
converter(struct span name)
{
	const struct icu *lib;
	char t[NAME_MAX_LEN + 1];
	UErrorCode e = U_ZERO_ERROR;
	UConverter *conv;

	if (span_istarts(name, SPAN("x-")) && name.n > 2 &&
	    !span_istarts(name, SPAN("x-mac")))
		name = span_skip(name, 2);
	for (size_t i = 0; i < COUNT(wider); i++)
		if (span_ieq(name, span_str(wider[i].name)))
			name = span_str(wider[i].meant);
	if (name.n == 0 || name.n > NAME_MAX_LEN)
		return NULL;
	for (size_t i = 0; i < name.n; i++)
		if (!ascii_alpha(name.p[i]) && !ascii_digit(name.p[i]) &&
		    memchr("-_.:+()", name.p[i], 7) == NULL)
			return NULL;
	if ((lib = icu()) == NULL)
		return NULL;
	memcpy(t, name.p, name.n);
	t[name.n] = '\0';
	if (lib->ucnv_countAliases(t, &e) == 0 || U_FAILURE(e))
		return NULL;
	conv = lib->ucnv_open(t, &e);
	if (U_FAILURE(e))
		return NULL;
	lib->ucnv_setToUCallBack(conv, lib->stop, NULL, NULL, NULL, &e);
	return conv;
}

struct charset *
charset_open(struct span name)
{
	struct charset c = { .kind = OTHER }, *p;

	for (size_t i = 0; i < COUNT(ours); i++)
		if (span_ieq(name, span_str(ours[i].name)))
			c.kind = ours[i].kind;
	if (c.kind == OTHER && (c.conv = converter(name)) == NULL)
		return NULL;
	p = xmalloc(sizeof *p);
	*p = c;
	return p;
}

void
charset_close(struct charset *c)
{
	if (c == NULL)
		return;
	if (c->conv != NULL)
		icu()->ucnv_close(c->conv);
	free(c);
}

static void
octets(struct charset *c, struct span in, struct buf *to)
{
	size_t n = utf8_ascii(in);
	char *p;

	buf_add(to, span_head(in, n));
	in = span_skip(in, n);
	p = buf_room(to, in.n * 3);
	for (size_t i = 0; i < in.n; i++) {
		unsigned char u = (unsigned char)in.p[i];

		p += utf8_put(p, u < 0x80 ? u : one_octet(c->kind, u));
	}
	to->n = (size_t)(p - to->p);
}

static void
utf8(struct charset *c, struct span in, struct buf *to)
{
	while (in.n > 0) {
		size_t n = utf8_good(in);
		uint32_t cp;
		bool good;

		if (c->kind == ASCII && utf8_ascii(in) < n)
			c->failed = true;
		buf_add(to, span_head(in, n));
		in = span_skip(in, n);
		if (in.n == 0)
			return;
		c->failed = true;
		utf8_add(to, UTF8_BAD);
		in = span_skip(in, utf8_next(in, &cp, &good));
	}
}

/* Whole characters now, the beginning of another with the next piece. */
static void
utf8_piece(struct charset *c, struct span in, struct buf *to)
{
	size_t n;

	while (c->n_held > 0 && in.n > 0) {
		struct span held;

		c->held[c->n_held++] = in.p[0];
		held = (struct span){ c->held, c->n_held };
		if (utf8_partial(held) == held.n) {
			in = span_skip(in, 1);
			continue;
		}
		uint32_t cp;
		bool good;

		/* Either it is whole now, or this octet is not part of it and
		 * is read again. */
		if (utf8_next(held, &cp, &good) == held.n)
			in = span_skip(in, 1);
		else
			held.n--;
		c->n_held = 0;
		utf8(c, held, to);
	}
	n = utf8_partial(in);
	utf8(c, span_head(in, in.n - n), to);
	if (n > 0) {
		memcpy(c->held, in.p + in.n - n, n);
		c->n_held = (uint8_t)n;
	}
}

static void
utf16(struct charset *c, const UChar *u, size_t n, struct buf *to)
{
	/* Each unit gives at most three octets, and one that waited. */
	char *p = buf_room(to, 3 * n + 3);

	for (size_t i = 0; i < n; i++) {
		uint32_t cp = u[i];

		if (c->high != 0) {
			uint32_t high = c->high;

			c->high = 0;
			if (cp >= 0xdc00 && cp < 0xe000) {
				p += utf8_put(p, ((high - 0xd7c0) << 10) +
				    (cp & 0x3ff));
				continue;
			}
			c->failed = true;
			p += utf8_put(p, UTF8_BAD);
		}
		if (cp >= 0xd800 && cp < 0xdc00) {
			c->high = (UChar)cp;
			continue;
		}
		if (cp >= 0xdc00 && cp < 0xe000) {
			c->failed = true;
			cp = UTF8_BAD;
		}
		p += utf8_put(p, cp);
	}
	to->n = (size_t)(p - to->p);
}

static void
other(struct charset *c, struct span in, bool end, struct buf *to)
{
	const struct icu *lib = icu();
	const char *p = in.n > 0 ? in.p : "", *limit = p + in.n;
	UErrorCode e;

	do {
		UChar out[PIECE], *o = out;

		e = U_ZERO_ERROR;
		lib->ucnv_toUnicode(c->conv, &o, out + PIECE, &p, limit, NULL,
		    end, &e);
		utf16(c, out, (size_t)(o - out), to);
		if (e == U_INVALID_CHAR_FOUND || e == U_ILLEGAL_CHAR_FOUND ||
		    e == U_TRUNCATED_CHAR_FOUND ||
		    e == U_ILLEGAL_ESCAPE_SEQUENCE ||
		    e == U_UNSUPPORTED_ESCAPE_SEQUENCE) {
			c->failed = true;
			utf8_add(to, UTF8_BAD);
		} else if (U_FAILURE(e) && e != U_BUFFER_OVERFLOW_ERROR) {
			c->failed = true;
			break;
		}
	} while (U_FAILURE(e));
}

void
charset_decode(struct charset *c, struct span in, struct buf *to)
{
	if (c->ended) {
		c->ended = false;
		c->failed = false;
	}
	if (c->kind == ASCII || c->kind == UTF8)
		utf8_piece(c, in, to);
	else if (c->kind == OTHER)
		other(c, in, false, to);
	else
		octets(c, in, to);
}

void
charset_decode_end(struct charset *c, struct buf *to)
{
	charset_decode(c, SPAN(""), to);
	utf8(c, (struct span){ c->held, c->n_held }, to);
	c->n_held = 0;
	if (c->kind == OTHER) {
		other(c, SPAN(""), true, to);
		if (c->high != 0) {
			c->failed = true;
			utf8_add(to, UTF8_BAD);
		}
		c->high = 0;
		icu()->ucnv_reset(c->conv);
	}
	c->ended = true;
}

bool
charset_failed(const struct charset *c)
{
	return c->failed;
}

bool
charset_is_utf8(const struct charset *c)
{
	return c->kind == ASCII || c->kind == UTF8;
}

enum charset_result
charset_to_utf8(struct span name, struct span in, struct buf *to)
{
	struct charset *c = charset_open(name);
	bool failed;

	if (c == NULL)
		return CHARSET_UNKNOWN;
	charset_decode(c, in, to);
	charset_decode_end(c, to);
	failed = charset_failed(c);
	charset_close(c);
	return failed ? CHARSET_BAD : CHARSET_OK;
}
