/* SPDX-License-Identifier: ISC */
/* Commands as a client might send them: whatever pieces they come in, the
 * same is read, and memory stays bounded. */
#include <stdlib.h>

#include "../memory.h"
#include "imap/fetch.h"
#include "imap/mailbox.h"
#include "imap/reader.h"

int LLVMFuzzerTestOneInput(const unsigned char *p, size_t n);

static void
mailbox(struct span wire, struct buf *said)
{
	static const struct imap_space ns = { { "", 0 }, '/' };
	struct buf name = { 0 }, again = { 0 };

	if (imap_mailbox_decode(&ns, wire, &name)) {
		imap_mailbox_encode(&ns, buf_span(&name), &again);
		if (wire.n > 0 && wire.p[wire.n - 1] == '/')
			wire.n--;
		if (!span_ieq(wire, SPAN("INBOX")) &&
		    !span_eq(buf_span(&again), wire))
			abort();
		buf_add(said, buf_span(&name));
	}
	buf_free(&name);
	buf_free(&again);
}

static void
message(struct reader *r, struct lex *l, struct buf *said)
{
	struct lex_literal lit;

	lex_space(l);
	if (!lex_announce(l, &lit))
		return;
	if (lit.n > 100000)
		return;
	reader_accept(r, &lit);
	for (struct span s; (s = reader_pull(r)).n > 0; )
		buf_add(said, s);
	reader_after(r, l);
}

static void
numbers(struct lex *l, struct buf *said)
{
	struct seqset q = lex_seqset(l);
	struct set s = { 0 };

	if (seqset_add(&q, 1000, UINT32_MAX, &s))
		set_print(&s, said);
	set_free(&s);
	lex_space(l);
}

static void
command(struct reader *r, struct lex *l, struct buf *said, struct out *out)
{
	lex_tag(l);
	lex_space(l);
	struct span name = lex_atom(l);

	lex_space(l);
	if (span_ieq(name, SPAN("FETCH"))) {
		numbers(l, said);
		struct fetch f = lex_fetch(l);

		for (size_t i = 0; i < f.sections; i++)
			wire_fetch_label(out, &f.section[i]);
	} else if (span_ieq(name, SPAN("STORE"))) {
		numbers(l, said);
		lex_name(l);
		lex_space(l);
		buf_addu(said, lex_flags(l, true).keywords);
	} else if (span_ieq(name, SPAN("APPEND"))) {
		mailbox(lex_astring(l), said);
		lex_space(l);
		lex_flags(l, false);
		lex_space(l);
		wire_date_time(out, lex_date_time(l));
		message(r, l, said);
	} else if (span_ieq(name, SPAN("LIST"))) {
		wire_astring(out, lex_astring(l));
		lex_space(l);
		wire_astring(out, lex_list_mailbox(l));
	} else {
		buf_addu(said, (uint64_t)lex_date(l));
		lex_space(l);
		while (lex_try(l, '('))
			lex_open(l);
		wire_nstring(out, lex_nstring(l));
	}
	buf_adds(said, lex_end(l) ? "ok\n" : l->error);
}

static void
converse(struct span in, size_t step, struct buf *said)
{
	struct t_said src = { in, step };
	struct arena arena = { 0 };
	struct buf heard = { 0 };
	struct in i;
	struct out o;
	const char *why;
	struct lex l;

	stream_open(&i, &o, -1, -1);
	i.op = t_say;
	i.ctx = &src;
	o.op = t_hear;
	o.ctx = &heard;
	struct reader r = { .in = &i, .out = &o, .arena = &arena,
	    .line_max = 2000, .total_max = 8000, .skip_max = 20000 };

	for (;;) {
		enum reader_result got = reader_command(&r, &l, &why);

		if (got == READER_END)
			break;
		if (got == READER_BAD)
			buf_adds(said, why);
		else
			command(&r, &l, said, &o);
		if (arena.total > 1000000)
			abort();
		arena_reset(&arena);
		if (!reader_finish(&r))
			break;
	}
	out_flush(&o);
	buf_add(said, buf_span(&heard));
	buf_free(&heard);
	reader_free(&r);
	arena_free(&arena);
	stream_free(&i, &o);
}

int
LLVMFuzzerTestOneInput(const unsigned char *p, size_t n)
{
	struct span in = { (const char *)p, n };
	struct buf whole = { 0 }, pieces = { 0 };

	converse(in, STREAM_BUFFER, &whole);
	converse(in, 1, &pieces);
	if (!span_eq(buf_span(&whole), buf_span(&pieces)))
		abort();
	buf_free(&whole);
	buf_free(&pieces);
	return 0;
}
