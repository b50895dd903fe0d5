/* SPDX-License-Identifier: ISC */
#include "store/uidlist.h"

#include <stdio.h>
#include <string.h>

#include "store/letters.h"
#include "store/line.h"

void
uidlist_header(struct buf *b, uint32_t uidvalidity, uint32_t uidnext,
    const uint8_t guid[16])
{
	size_t start = b->n;

	buf_addf(b, "3 V%u N%u G", uidvalidity, uidnext);
	buf_addhex(b, guid, 16);
	line_seal(b, start);
}

void
uidlist_message(struct buf *b, uint32_t uid, struct span base)
{
	size_t start = b->n;

	buf_addu(b, uid);
	buf_adds(b, " :");
	buf_add(b, base);
	line_seal(b, start);
}

void
uidlist_uidnext(struct buf *b, uint32_t uidnext)
{
	size_t start = b->n;

	buf_addf(b, "N %u", uidnext);
	line_seal(b, start);
}

void
uidlist_modseq(struct buf *b, uint64_t modseq)
{
	size_t start = b->n;

	buf_addf(b, "M %llu", (unsigned long long)modseq);
	line_seal(b, start);
}

void
uidlist_keyword(struct buf *b, uint32_t number, struct span name)
{
	size_t start = b->n;

	buf_addf(b, "K %u ", number);
	buf_add(b, name);
	line_seal(b, start);
}

/* Lines of a head and the UIDs, as many as it takes. */
static void
add_uids(struct buf *b, const char *head, const struct set *uids)
{
	for (size_t i = 0; i < uids->n; ) {
		size_t start = b->n;

		buf_adds(b, head);
		for (size_t first = i; i < uids->n &&
		    b->n - start < UIDLIST_LINE_MAX / 2; i++) {
			if (i > first)
				buf_addc(b, ',');
			buf_addu(b, uids->r[i].lo);
			if (uids->r[i].hi != uids->r[i].lo) {
				buf_addc(b, ':');
				buf_addu(b, uids->r[i].hi);
			}
		}
		line_seal(b, start);
	}
}

void
uidlist_flag(struct buf *b, bool on, uint32_t number, const struct set *uids)
{
	char head[24];

	snprintf(head, sizeof head, "%c %u ", on ? '+' : '-', number);
	add_uids(b, head, uids);
}

void
uidlist_late(struct buf *b, bool on, uint32_t flag, const struct set *uids)
{
	char head[] = { on ? '+' : '-', ' ', letters_of(flag), ' ', '\0' };

	add_uids(b, head, uids);
}

void
uidlist_settled(struct buf *b, const struct set *uids)
{
	add_uids(b, "= ", uids);
}

void
uidlist_forget(struct buf *b, const struct uidlist_gone *g, size_t n)
{
	for (size_t i = 0; i < n; ) {
		size_t start = b->n;

		buf_addc(b, 'X');
		for (; i < n && b->n - start < UIDLIST_LINE_MAX / 2; i++)
			buf_addf(b, " %u/%llu", g[i].uid,
			    (unsigned long long)g[i].inode);
		line_seal(b, start);
	}
}

static bool
number(struct span s, uint32_t *v)
{
	uint64_t u;

	if (!span_u64(s, UINT32_MAX, &u))
		return false;
	*v = (uint32_t)u;
	return true;
}

static bool
parse_header(struct span line, struct uidlist *l)
{
	struct span v = span_cut(&line, ' ');

	if (!span_eq(v, SPAN("3")))
		return false;
	bool guid = false;
	while (line.p != NULL) {
		struct span f = span_cut(&line, ' ');
		struct span rest = span_skip(f, 1);

		if (f.n == 0)
			return false;
		if (f.p[0] == 'V' && !number(rest, &l->uidvalidity))
			return false;
		if (f.p[0] == 'N' && !number(rest, &l->uidnext))
			return false;
		if (f.p[0] == 'G' && !(guid = span_unhex(rest, l->guid, 16)))
			return false;
	}
	return l->uidvalidity != 0 && guid;
}

struct uidlist_msg *
uidlist_find(const struct uidlist *l, uint32_t uid)
{
	size_t lo = 0, hi = l->n;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;

		if (l->msg[mid].uid < uid)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo < l->n && l->msg[lo].uid == uid ? &l->msg[lo] : NULL;
}

/* "UID [fields] :BASE".  UIDs rise, or the line is bad. */
static bool
parse_message(struct span line, struct uidlist *l)
{
	struct span base = line;
	uint32_t uid;
	size_t at = span_find(line, SPAN(" :"));

	if (at == line.n || !number(span_cut(&base, ' '), &uid) ||
	    uid == 0 || uid == UINT32_MAX)
		return false;
	base = span_skip(line, at + 2);
	if (base.n == 0 || (l->n > 0 && l->msg[l->n - 1].uid >= uid))
		return false;
	l->msg = arena_grow(&l->mem, l->msg, &l->cap, l->n + 1,
	    sizeof *l->msg);
	l->msg[l->n++] = (struct uidlist_msg){ .uid = uid, .base = base,
		.hash = letters_hash(base) };
	if (uid >= l->uidnext)
		l->uidnext = uid + 1;
	return true;
}

static bool
parse_keyword(struct span s, struct uidlist *l)
{
	uint32_t k;

	if (!number(span_cut(&s, ' '), &k) || k >= UIDLIST_KEYWORDS_MAX ||
	    s.n == 0 || s.n > KEYWORD_MAX)
		return false;
	if (l->keyword == NULL) {
		l->keyword = arena_zero(&l->mem,
		    UIDLIST_KEYWORDS_MAX * sizeof *l->keyword);
		l->has = arena_zero(&l->mem,
		    UIDLIST_KEYWORDS_MAX * sizeof *l->has);
	}
	l->keyword[k] = s;
	if (k >= l->keywords)
		l->keywords = k + 1;
	return true;
}

/* The next of "UID[:UID],…"; false if it is none. */
static bool
parse_range(struct span *s, uint32_t *lo, uint32_t *hi)
{
	struct span r = span_cut(s, ',');

	if (!number(span_cut(&r, ':'), lo) || *lo == 0)
		return false;
	*hi = *lo;
	return r.p == NULL || (number(r, hi) && *hi >= *lo);
}

static bool
parse_late(bool on, size_t letter, struct span s, struct uidlist *l)
{
	uint32_t lo, hi;

	while (s.p != NULL) {
		if (!parse_range(&s, &lo, &hi))
			return false;
		set_add(&l->late[on][letter], lo, hi);
		set_remove(&l->late[!on][letter], lo, hi);
	}
	return true;
}

static bool
parse_flag(bool on, struct span s, struct uidlist *l)
{
	struct span what = span_cut(&s, ' ');
	uint32_t k, lo, hi, flag = letters_flags(what);

	if (what.n == 1 && flag != 0)
		return s.p != NULL &&
		    parse_late(on, (size_t)__builtin_ctz(flag), s, l);
	if (!number(what, &k) || k >= l->keywords || l->keyword[k].n == 0)
		return false;
	while (s.p != NULL) {
		if (!parse_range(&s, &lo, &hi))
			return false;
		if (on)
			set_add(&l->has[k], lo, hi);
		else
			set_remove(&l->has[k], lo, hi);
	}
	return true;
}

static bool
parse_settled(struct span s, struct uidlist *l)
{
	uint32_t lo, hi;

	while (s.p != NULL) {
		if (!parse_range(&s, &lo, &hi))
			return false;
		for (size_t i = 0; i < UIDLIST_LETTERS; i++) {
			set_remove(&l->late[0][i], lo, hi);
			set_remove(&l->late[1][i], lo, hi);
		}
	}
	return true;
}

uint32_t
uidlist_late_flags(const struct uidlist *l, uint32_t uid, uint32_t *flags)
{
	uint32_t late = 0;

	*flags = 0;
	for (size_t i = 0; i < UIDLIST_LETTERS; i++) {
		if (set_has(&l->late[1][i], uid))
			*flags |= 1u << i;
		else if (!set_has(&l->late[0][i], uid))
			continue;
		late |= 1u << i;
	}
	return late;
}

static bool
parse_forget(struct span s, struct uidlist *l)
{
	while (s.p != NULL) {
		struct span f = span_cut(&s, ' ');
		struct uidlist_msg *m;
		uint32_t uid;
		uint64_t inode = 0;

		if (!number(span_cut(&f, '/'), &uid) ||
		    (f.p != NULL && !span_u64(f, UINT64_MAX, &inode)))
			return false;
		if ((m = uidlist_find(l, uid)) != NULL) {
			m->gone = true;
			m->inode = inode;
		}
	}
	return true;
}

static bool
parse_line(struct span line, struct uidlist *l)
{
	struct span rest = span_skip(line, 2);
	uint64_t v;

	if (ascii_digit(line.p[0]))
		return parse_message(line, l);
	if (line.n < 3 || line.p[1] != ' ')
		return false;
	switch (line.p[0]) {
	case 'N':
		if (!span_u64(rest, UINT32_MAX, &v))
			return false;
		if (v > l->uidnext)
			l->uidnext = (uint32_t)v;
		return true;
	case 'M':
		if (!span_u64(rest, INT64_MAX, &v))
			return false;
		if (v > l->modseq)
			l->modseq = v;
		return true;
	case 'K':
		return parse_keyword(rest, l);
	case '+':
	case '-':
		return parse_flag(line.p[0] == '+', rest, l);
	case '=':
		return parse_settled(rest, l);
	case 'X':
		return parse_forget(rest, l);
	default:
		return false;
	}
}

void
uidlist_heed(struct span text, uint32_t *uidnext, uint64_t *modseq)
{
	while (text.p != NULL) {
		struct span line = span_cut(&text, '\n'), f;
		uint64_t v, most = 0;

		if (line.n > UIDLIST_LINE_MAX || !line_check(line, &line))
			continue;
		f = line;
		struct span kind = span_cut(&f, ' ');
		if (span_u64(kind, UINT32_MAX - 1, &v))
			most = v + 1;
		else if (span_eq(kind, SPAN("N")) &&
		    span_u64(f, UINT32_MAX, &v))
			most = v;
		else if (span_eq(kind, SPAN("M")) &&
		    span_u64(f, INT64_MAX, &v) && v > *modseq)
			*modseq = v;
		if (most > *uidnext)
			*uidnext = (uint32_t)most;
	}
}

bool
uidlist_parse(struct span text, struct uidlist *l)
{
	*l = (struct uidlist){ .uidnext = 1, .modseq = 1 };
	for (struct span rest = text; rest.n > 0; ) {
		struct span whole = span_head(rest, UIDLIST_LINE_MAX + 1);
		size_t n = span_chr(whole, '\n');
		struct span line = span_head(rest, n);

		if (n == whole.n || line.n > UIDLIST_LINE_MAX ||
		    !line_check(line, &line) ||
		    !(l->lines == 0 ? parse_header(line, l) :
		    parse_line(line, l)))
			break;
		l->lines++;
		rest = span_skip(rest, n + 1);
		l->good = text.n - rest.n;
	}
	if (l->uidnext == 0)
		l->uidnext = 1;
	if (l->lines > 0)
		uidlist_heed(span_skip(text, l->good), &l->uidnext,
		    &l->modseq);
	return l->lines > 0;
}

void
uidlist_free(struct uidlist *l)
{
	for (size_t i = 0; i < l->keywords; i++)
		set_free(&l->has[i]);
	for (size_t i = 0; i < UIDLIST_LETTERS; i++) {
		set_free(&l->late[0][i]);
		set_free(&l->late[1][i]);
	}
	arena_free(&l->mem);
	*l = (struct uidlist){ 0 };
}
