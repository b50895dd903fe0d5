/* SPDX-License-Identifier: ISC */
#include "store/uidlist.h"

#include <stdlib.h>

#include "store/view.h"

#include "../../t.h"

static const uint8_t guid[16] = { 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13,
	14, 15, 0xff };

static void
write_all(struct buf *b)
{
	struct set s = { 0 };

	uidlist_header(b, 1700000000, 7, guid);
	uidlist_modseq(b, 1000001);
	uidlist_uidnext(b, 1007);
	uidlist_message(b, 3, SPAN("1.a,S=1"));
	uidlist_message(b, 5, SPAN("2.b with space :2"));
	uidlist_keyword(b, 0, SPAN("$Forwarded"));
	uidlist_keyword(b, 1, SPAN("Work"));
	set_add(&s, 3, 3);
	set_add(&s, 5, 9);
	uidlist_flag(b, true, 0, &s);
	set_remove(&s, 3, 6);
	uidlist_flag(b, false, 0, &s);
	uidlist_late(b, true, MSG_FLAGGED, &s);
	uidlist_late(b, false, MSG_SEEN, &s);
	set_remove(&s, 8, 9);
	uidlist_late(b, true, MSG_SEEN, &s);
	uidlist_forget(b, (struct uidlist_gone[]){ { 3, 4711 } }, 1);
	set_clear(&s);
	set_add(&s, 9, 9);
	uidlist_settled(b, &s);
	set_free(&s);
}

static void
whole(void)
{
	struct buf b = { 0 };
	struct uidlist l;

	write_all(&b);
	ok(uidlist_parse(buf_span(&b), &l) && l.good == b.n &&
	    l.lines == 14, "what is written is read");
	ok(l.uidvalidity == 1700000000 && l.uidnext == 1007 &&
	    l.modseq == 1000001 && memcmp(l.guid, guid, 16) == 0,
	    "the numbers, as reserved");
	ok(l.n == 2 && l.msg[0].uid == 3 && l.msg[0].gone &&
	    l.msg[0].inode == 4711 && !l.msg[1].gone,
	    "what is forgotten keeps its inode");
	is(l.msg[1].base, SPAN("2.b with space :2"), "names may hold blanks");
	ok(l.keywords == 2 && set_has(&l.has[0], 3) &&
	    set_has(&l.has[0], 6) && !set_has(&l.has[0], 7),
	    "keywords are set and cleared");
	uint32_t flags;
	ok(uidlist_late_flags(&l, 7, &flags) == (MSG_FLAGGED | MSG_SEEN) &&
	    flags == (MSG_FLAGGED | MSG_SEEN) &&
	    uidlist_late_flags(&l, 8, &flags) == (MSG_FLAGGED | MSG_SEEN) &&
	    flags == MSG_FLAGGED, "flags that names do not tell, too");
	ok(uidlist_late_flags(&l, 6, &flags) == 0 &&
	    uidlist_late_flags(&l, 9, &flags) == 0 && flags == 0,
	    "until they do");
	uidlist_free(&l);
	buf_free(&b);
}

/* Cut or spoilt anywhere, all before that line holds and nothing after. */
static void
damage(void)
{
	struct buf b = { 0 };
	struct uidlist l;
	bool cut = true, spoilt = true;

	write_all(&b);
	size_t first = span_chr(buf_span(&b), '\n') + 1;
	for (size_t n = 0; n < b.n; n++) {
		bool read = uidlist_parse((struct span){ b.p, n }, &l);
		size_t start = span_rchr((struct span){ b.p, n }, '\n');

		start = n == 0 || start == n ? 0 : start + 1;
		cut = cut && read == (n >= first) && (!read ||
		    l.good == start);
		uidlist_free(&l);
	}
	ok(cut, "a torn line ends the list");
	for (size_t i = 0; i < b.n; i++) {
		size_t start = 0;

		for (size_t k = 0; k < i; k++)
			if (b.p[k] == '\n')
				start = k + 1;
		b.p[i] ^= 4;
		bool read = uidlist_parse(buf_span(&b), &l);
		b.p[i] ^= 4;
		spoilt = spoilt && read == (start > 0) &&
		    (!read || l.good == start);
		uidlist_free(&l);
	}
	ok(spoilt, "so does any other octet in one");
	buf_free(&b);
}

static void
refused(void)
{
	static const char *const line[] = { "4 :down", "0 :zero", "9 ", "9",
		"K 20000 x", "+ 7 1", "+ Q 1", "+ FS 1", "- F 0", "+ F",
		"= ", "= 0", "= 5:4", "= 1 2",  "+ 0 0", "+ 0 5:4", "N -1", "Q 1", "",
		"N 4294967296" };
	struct buf b = { 0 }, text = { 0 };
	struct uidlist l;

	write_all(&b);
	for (size_t i = 0; i < COUNT(line); i++) {
		buf_clear(&text);
		buf_add(&text, buf_span(&b));
		buf_adds(&text, line[i]);
		/* A good checksum does not make it good. */
		struct buf sealed = { 0 };
		buf_adds(&sealed, line[i]);
		uint32_t c = 0xffffffff;
		for (size_t k = 0; k < sealed.n; k++) {
			c ^= (unsigned char)sealed.p[k];
			for (int j = 0; j < 8; j++)
				c = c >> 1 ^ (c & 1 ? 0xedb88320 : 0);
		}
		buf_addf(&text, " %08x\n", ~c);
		ok(uidlist_parse(buf_span(&text), &l) && l.good == b.n,
		    line[i]);
		uidlist_free(&l);
		buf_free(&sealed);
	}
	buf_free(&b);
	buf_free(&text);
}

/* What comes after a damaged line counts for nothing but its numbers. */
static void
heeded(void)
{
	struct buf b = { 0 };
	struct uidlist l;

	write_all(&b);
	uidlist_parse(buf_span(&b), &l);
	size_t messages = l.n, good = b.n;
	uidlist_free(&l);
	buf_adds(&b, "X 1 00000000\n");
	uidlist_message(&b, 7000, SPAN("later"));
	uidlist_modseq(&b, 9000000);
	ok(uidlist_parse(buf_span(&b), &l) && l.good == good &&
	    l.n == messages, "a damaged line ends the list");
	ok(l.uidnext == 7001 && l.modseq == 9000000,
	    "but numbers after it are not given away again");
	uidlist_free(&l);
	uidlist_uidnext(&b, 50000);
	buf_adds(&b, "N 60000 0000");
	ok(uidlist_parse(buf_span(&b), &l) && l.uidnext == 50000,
	    "reservations neither, and half a line is none");
	uidlist_free(&l);
	buf_free(&b);
}

int
main(void)
{
	whole();
	damage();
	refused();
	heeded();
	return done();
}
