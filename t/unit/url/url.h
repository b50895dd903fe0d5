/* SPDX-License-Identifier: ISC */
/* A store with alice's mail, and URLs into it. */
#ifndef T_URL_H
#define T_URL_H

#include "imap/url.h"
#include "url/grant.h"
#include "url/resolve.h"

#include "../store/store.h"

enum { T_NOW = 1000000000 };

static const struct imap_space t_space = { .prefix = SPAN_INIT(""),
	.delimiter = '/' };

static inline struct owner
t_owner(struct store *st)
{
	return (struct owner){ .store = st, .space = &t_space,
		.name = SPAN("alice"), .locals = SPAN("example.org\n") };
}

static inline enum grant
t_mint(const struct owner *o, int64_t now, struct span rump, struct buf *to)
{
	struct arena a = { 0 };
	struct imap_url u;
	enum grant g = GRANT_SYNTAX;

	buf_clear(to);
	if (imap_url_parse(&a, rump, &u) == NULL)
		g = grant_mint(o, now, &u, to);
	arena_free(&a);
	return g;
}

static inline enum grant
t_check(const struct owner *o, int64_t now, struct span url,
    const struct caller *c)
{
	struct arena a = { 0 };
	struct imap_url u;
	enum grant g = GRANT_SYNTAX;

	if (imap_url_parse(&a, url, &u) == NULL)
		g = grant_check(o, now, &u, c);
	arena_free(&a);
	return g;
}

#endif
