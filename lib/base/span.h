/* SPDX-License-Identifier: ISC */
#ifndef BASE_SPAN_H
#define BASE_SPAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

/*
 * A span is a read-only view of n octets owned by someone else.  It may
 * hold NULs and is never NUL-terminated.  Pass it by value.  All letter
 * case here is ASCII's, so nothing depends on a locale.
 */
struct span {
	const char *p;
	size_t n;
};

#define SPAN(lit) ((struct span){ (lit), sizeof(lit) - 1 })
#define SPAN_INIT(lit) { (lit), sizeof(lit) - 1 }	/* of static tables */
#define COUNT(a) (sizeof(a) / sizeof *(a))

/* The span of a NUL-terminated string; NULL gives the empty span. */
inline struct span span_str(const char *s);

/* Equality of octets; of octets but for ASCII case. */
inline bool span_eq(struct span a, struct span b);
inline bool span_ieq(struct span a, struct span b);

/* Order by octets, as memcmp; a prefix sorts first.  <0, 0 or >0. */
int span_cmp(struct span a, struct span b);

/* Whether s begins (ends) with that; the i forms ignore ASCII case. */
bool span_starts(struct span s, struct span with);
bool span_istarts(struct span s, struct span with);
bool span_ends(struct span s, struct span with);
bool span_iends(struct span s, struct span with);

/* s without its first n octets, or its first n only; n may exceed s.n. */
inline struct span span_skip(struct span s, size_t n);
inline struct span span_head(struct span s, size_t n);

/* Offset of the first (last) c in s, or s.n if there is none. */
inline size_t span_chr(struct span s, char c);
size_t span_rchr(struct span s, char c);

/* Offset of the first occurrence of what in s, or s.n.  The i form
 * ignores ASCII case.  An empty what is found at 0. */
size_t span_find(struct span s, struct span what);
size_t span_ifind(struct span s, struct span what);

/* Whether all of s is ASCII, without controls. */
bool span_printable(struct span s);

/* s without leading and trailing space, tab, CR and LF. */
struct span span_trim(struct span s);

/* Cut the text before the first c off *s, which then begins after c.
 * Without a c all of *s is returned and *s is empty with p == NULL, so
 *     while (s.p != NULL) { f = span_cut(&s, ','); … }
 * visits every field, empty ones too. */
struct span span_cut(struct span *s, char c);

/* A decimal number, digits only and all of s, at most max.  False if not;
 * *v is then untouched. */
bool span_u64(struct span s, uint64_t max, uint64_t *v);

/* One octet in ASCII, whatever the locale. */
inline char ascii_lower(char c);
char ascii_upper(char c);
bool ascii_digit(char c);
bool ascii_alpha(char c);

/* Whether n octets are the same but for case; for span_ieq. */
bool ascii_ieq(const char *a, const char *b, size_t n);

/* The value of a hexadecimal digit in either case, or -1. */
int ascii_hex(char c);

/* The octet of the two hexadecimal digits that s begins with, or -1. */
int span_hex(struct span s);

/* n octets from s, which must be just their 2n digits.  False if it is
 * not. */
bool span_unhex(struct span s, void *to, size_t n);

/* The decimal digits of v, written to the end of t. */
enum { DECIMAL_MAX = 20 };
struct span ascii_decimal(char t[DECIMAL_MAX], uint64_t v);

/* --- what is called for every octet --- */

inline char
ascii_lower(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c + 32) : c;
}

inline struct span
span_str(const char *s)
{
	return (struct span){ s, s == NULL ? 0 : strlen(s) };
}

inline bool
span_eq(struct span a, struct span b)
{
	return a.n == b.n && (a.n == 0 || memcmp(a.p, b.p, a.n) == 0);
}

inline bool
span_ieq(struct span a, struct span b)
{
	return a.n == b.n && ascii_ieq(a.p, b.p, a.n);
}

inline struct span
span_skip(struct span s, size_t n)
{
	if (n > s.n)
		n = s.n;
	return n == 0 ? s : (struct span){ s.p + n, s.n - n };
}

inline struct span
span_head(struct span s, size_t n)
{
	return (struct span){ s.p, n < s.n ? n : s.n };
}

inline size_t
span_chr(struct span s, char c)
{
	const char *at = s.n == 0 ? NULL :
	    (const char *)memchr(s.p, c, s.n);

	return at == NULL ? s.n : (size_t)(at - s.p);
}

#endif
