/* SPDX-License-Identifier: ISC */
#include "text/header.h"

#include "text/base64.h"
#include "text/charset.h"
#include "text/utf8.h"

enum { CHARSET_NAME_MAX = 100 };

/* An encoded word as it stands. */
struct word {
	struct span charset, text;
	char encoding;		/* 'b' or 'q' */
	size_t n;		/* octets from "=?" to "?=" */
};

/* What is being decoded: the octets of encoded words in one charset wait
 * until something else comes, since a character may begin in one word and
 * end in the next. */
struct decoder {
	struct buf *to;
	struct charset *charset;
	struct span name;	/* of charset; borrowed from the field */
	struct buf octets;
	bool as_octets;		/* charsets do not matter */
	bool failed;
};

static bool
token(char c)
{
	return c > ' ' && c <= '~' &&
	    span_chr(SPAN("()<>@,;:\"/[]?.="), c) == 15;
}

/* RFC 2047 2: encoded-word = "=?" charset "?" encoding "?" text "?=".  Charsets
 * do have "." and ":" in their names. */
static bool
word_at(struct span s, struct word *w)
{
	size_t i = 2, lang;

	while (i < s.n && i < CHARSET_NAME_MAX &&
	    (token(s.p[i]) || s.p[i] == '.' || s.p[i] == ':'))
		i++;
	if (i == 2 || i + 2 >= s.n || s.p[i] != '?' || s.p[i + 2] != '?')
		return false;
	w->charset = (struct span){ s.p + 2, i - 2 };
	lang = span_chr(w->charset, '*');
	if (lang == 0)
		return false;
	w->charset.n = lang;
	w->encoding = ascii_lower(s.p[i + 1]);
	i += 3;
	w->text.p = s.p + i;
	while (i < s.n && s.p[i] > ' ' && s.p[i] <= '~' && s.p[i] != '?')
		i++;
	w->text.n = (size_t)(s.p + i - w->text.p);
	w->n = i + 2;
	return i + 1 < s.n && s.p[i] == '?' && s.p[i + 1] == '=' &&
	    (w->encoding == 'b' || w->encoding == 'q');
}

/* RFC 2047 4.2 */
static bool
decode_q(struct span text, struct buf *to)
{
	size_t start = to->n;

	for (size_t i = 0; i < text.n; i++) {
		char c = text.p[i];

		if (c == '=') {
			int octet = span_hex(span_skip(text, i + 1));

			if (octet < 0) {
				to->n = start;
				return false;
			}
			c = (char)octet;
			i += 2;
		} else if (c == '_')
			c = ' ';
		buf_addc(to, c);
	}
	return true;
}

/* RFC 2047 4.1; missing padding is common and harmless. */
static bool
decode_b(struct span text, struct buf *to)
{
	struct base64_dec d = { 0 };
	size_t start = to->n;

	for (size_t i = 0; i < 2 && span_ends(text, SPAN("=")); i++)
		text.n--;
	base64_decode(&d, text, to);
	if (d.bad || d.have == 1 || span_chr(text, '=') < text.n) {
		to->n = start;
		return false;
	}
	base64_decode_end(&d, to);
	return true;
}

/* Octets of words are over: their characters. */
static void
settle(struct decoder *d)
{
	if (d->octets.n == 0)
		return;
	if (d->as_octets) {
		buf_add(d->to, buf_span(&d->octets));
		buf_clear(&d->octets);
		return;
	}
	charset_decode(d->charset, buf_span(&d->octets), d->to);
	charset_decode_end(d->charset, d->to);
	d->failed |= charset_failed(d->charset);
	buf_clear(&d->octets);
}

/* Whether a character may be cut between two words: in charsets with shifts
 * each word begins in the first one (RFC 2047 3). */
static bool
joins(struct span charset)
{
	return !span_istarts(charset, SPAN("iso-2022")) &&
	    !span_istarts(charset, SPAN("hz")) &&
	    !span_istarts(charset, SPAN("utf-7"));
}

/* The octets of a word, with its charset made the present one. */
static bool
word_decode(struct decoder *d, const struct word *w, struct buf *octets)
{
	if (!d->as_octets &&
	    (d->charset == NULL || !span_ieq(d->name, w->charset))) {
		settle(d);
		charset_close(d->charset);
		d->name = w->charset;
		d->charset = charset_open(w->charset);
		if (d->charset == NULL)
			return false;
	}
	return w->encoding == 'q' ? decode_q(w->text, octets) :
	    decode_b(w->text, octets);
}

/* Text outside words, unfolded: RFC 5322 2.2.3. */
static void
plain(struct decoder *d, struct span s)
{
	while (s.n > 0) {
		size_t n = 0;
		uint32_t cp;
		bool good;

		while (n < s.n && (unsigned char)s.p[n] < 0x80 &&
		    s.p[n] != '\r' && s.p[n] != '\n')
			n++;
		buf_add(d->to, span_head(s, n));
		s = span_skip(s, n);
		if (s.n == 0)
			return;
		if (s.p[0] == '\r' || s.p[0] == '\n') {
			s = span_skip(s, 1);
			continue;
		}
		n = utf8_next(s, &cp, &good);
		if (good || d->as_octets)
			buf_add(d->to, span_head(s, n));
		else
			utf8_add(d->to, cp);
		d->failed |= !good;
		s = span_skip(s, n);
	}
}

/* A word that was decoded: the text before it, if that is not just the blanks
 * between two words (RFC 2047 6.2), then its octets to those that wait. */
static void
join(struct decoder *d, struct span gap, bool after_word, struct span octets)
{
	if (!after_word || span_trim(gap).n > 0) {
		settle(d);
		plain(d, gap);
	} else if (!d->as_octets && !joins(d->name))
		settle(d);
	buf_add(&d->octets, octets);
}

static void
decode(struct decoder *d, struct span raw)
{
	struct buf octets = { 0 };
	bool after_word = false;
	size_t from = 0, i = 0;		/* plain text is [from, i) */

	while (i < raw.n) {
		struct word w;

		i += span_find(span_skip(raw, i), SPAN("=?"));
		if (i == raw.n)
			break;
		if (!word_at(span_skip(raw, i), &w)) {
			i++;
			continue;
		}
		buf_clear(&octets);
		if (word_decode(d, &w, &octets)) {
			join(d, span_head(span_skip(raw, from), i - from),
			    after_word, buf_span(&octets));
			from = i + w.n;
			after_word = true;
		} else
			d->failed = true;
		i += w.n;
	}
	settle(d);
	plain(d, span_skip(raw, from));
	charset_close(d->charset);
	buf_free(&d->octets);
	buf_free(&octets);
}

bool
header_decode(struct span raw, struct buf *utf8)
{
	struct decoder d = { .to = utf8 };

	decode(&d, raw);
	return !d.failed;
}

void
header_octets(struct span raw, struct buf *to)
{
	struct decoder d = { .to = to, .as_octets = true };

	decode(&d, raw);
}
