/* SPDX-License-Identifier: ISC */
#include "imap/client.h"

enum { BATCH = 8 };	/* URLs on their way at once */

struct fetching {
	struct imap_client *c;
	struct imap_url_fetch *u;
	size_t n;
};

/* RFC 4467 9: "URLFETCH" 1*(SP url-full SP nstring) */
static void
fetched(void *ctx, uint32_t number, struct span name, struct lex *l)
{
	struct fetching *f = ctx;

	if (number != 0 || !span_ieq(name, SPAN("URLFETCH")))
		return;
	do {
		struct span url = lex_astring(l);
		size_t i = 0;

		lex_space(l);
		while (i < f->n && (f->u[i].state != IMAP_UNKNOWN ||
		    !span_eq(f->u[i].url, url)))
			i++;
		/* What nobody asked for is skipped, as far as we let it. */
		if (!lex_ok(l) || i == f->n)
			return;
		f->u[i].state = imap_client_stream(f->c, l, f->u[i].sink,
		    f->u[i].ctx);
	} while (!f->c->lost && lex_try(l, ' '));
}

unsigned
imap_client_say_urlfetch(struct imap_client *c, struct span url)
{
	unsigned tag = imap_client_begin(c, "URLFETCH ");

	imap_client_add_string(c, url);
	imap_client_end(c);
	return tag;
}

enum imap_result
imap_client_urlfetched(struct imap_client *c, unsigned tag,
    struct imap_url_fetch *u)
{
	struct fetching f = { c, u, 1 };

	return imap_client_answer(c, tag, fetched, &f);
}

enum imap_result
imap_client_urlfetch(struct imap_client *c, struct imap_url_fetch *u,
    size_t n)
{
	enum imap_result all = IMAP_OK, r;
	unsigned tag[BATCH];

	for (size_t from = 0; from < n && !c->lost; from += BATCH) {
		size_t many = n - from < BATCH ? n - from : BATCH;
		struct fetching f = { c, u + from, many };

		for (size_t i = 0; i < many; i++)
			tag[i] = imap_client_say_urlfetch(c, u[from + i].url);
		for (size_t i = 0; i < many; i++) {
			r = imap_client_answer(c, tag[i], fetched, &f);
			if (r != IMAP_OK)
				all = r;
		}
	}
	return c->lost ? IMAP_LOST : all;
}
