/* SPDX-License-Identifier: ISC */
#include <stdio.h>

#include "base/die.h"
#include "house.h"
#include "imap/fetch.h"

enum { HOUR = 3600 };

/* --- what the options say --- */

/* So many seconds of "90m". */
static bool
duration(struct span s, int64_t *seconds)
{
	static const struct {
		char unit;
		uint32_t n;
	} t[] = { { 's', 1 }, { 'm', 60 }, { 'h', HOUR }, { 'd', 24 * HOUR },
		{ 'w', 7 * 24 * HOUR } };
	/* The year keeps four digits. */
	const uint64_t longest = UINT64_C(1000) * 365 * 24 * HOUR;
	uint64_t v;

	for (size_t i = 0; s.n > 1 && i < COUNT(t); i++)
		if (t[i].unit == s.p[s.n - 1] &&
		    span_u64(span_head(s, s.n - 1), longest / t[i].n, &v)) {
			*seconds = (int64_t)(v * t[i].n);
			return true;
		}
	return false;
}

/* The date and time that a URL would have; of a day its end. */
static bool
date(struct house *h, struct span s, int64_t *expire)
{
	struct buf text = { 0 };
	struct imap_url u;

	buf_adds(&text, "/INBOX/;UID=1;EXPIRE=");
	buf_add(&text, s);
	if (s.n == 10)
		buf_adds(&text, "T23:59:59Z");
	buf_adds(&text, ";URLAUTH=anonymous");
	bool good = imap_url_parse(&h->arena, buf_span(&text), &u) == NULL;

	*expire = good ? u.expire : 0;
	buf_free(&text);
	return good;
}

static int64_t
expire(struct house *h)
{
	struct span s = span_str(h->ask->expire);
	int64_t t = HOUR;

	if (s.p == NULL)
		return h->now + HOUR;
	if (span_eq(s, SPAN("never")))
		return INT64_MAX;
	if (span_starts(s, SPAN("+")) && duration(span_skip(s, 1), &t))
		return h->now + t;
	if (!date(h, s, &t))
		die_usage("-e takes a date as 2026-12-24 or "
		    "2026-12-24T18:00:00Z, +90m, +1h, +7d, or never");
	return t;
}

static void
access_of(const struct ask *a, struct imap_url *u)
{
	struct span s = a->access == NULL ? SPAN("anonymous") :
	    span_str(a->access);

	if (span_ieq(s, SPAN("anonymous"))) {
		u->access = URL_ANONYMOUS;
	} else if (span_ieq(s, SPAN("authuser"))) {
		u->access = URL_AUTHUSER;
	} else if (span_istarts(s, SPAN("user+")) && s.n > 5) {
		u->access = URL_USER;
		u->access_user = span_skip(s, 5);
	} else if (span_istarts(s, SPAN("submit+")) && s.n > 7) {
		u->access = URL_SUBMIT;
		u->access_user = span_skip(s, 7);
	} else
		die_usage("-a takes anonymous, authuser, user+NAME or "
		    "submit+NAME");
}

static void
server(struct house *h, struct imap_url *u)
{
	struct span host = h->ask->host == NULL ? buf_span(&h->me) :
	    span_str(h->ask->host);
	struct buf text = { 0 };
	struct imap_url of;

	buf_adds(&text, "imap://");
	buf_add(&text, host);
	buf_addc(&text, '/');
	struct span kept = arena_dup(&h->arena, buf_span(&text));

	buf_free(&text);
	if (imap_url_parse(&h->arena, kept, &of) != NULL ||
	    of.user.p != NULL || of.mailbox.p != NULL) {
		if (h->ask->host != NULL)
			die_usage("-n takes HOST or HOST:PORT");
		die_temp("the control file me is no host: -n names one");
	}
	u->host = of.host;
	u->port = of.port;
}

static uint64_t
number(struct span s, uint64_t least, const char *wrong)
{
	uint64_t v;

	if (!span_u64(s, UINT32_MAX, &v) || v < least)
		die_usage("%s", wrong);
	return v;
}

static void
part(struct house *h, struct imap_url *u)
{
	struct lex l = { .in = span_str(h->ask->part), .arena = &h->arena };

	if (h->ask->part == NULL)
		return;
	u->section = lex_section(&l);
	if (!lex_end(&l))
		die_usage("-p takes the name of a part, as 2, 1.2.MIME, TEXT "
		    "or \"HEADER.FIELDS (Subject)\"");
}

static void
range(const struct ask *a, struct imap_url *u)
{
	static const char wrong[] = "-r takes FROM or FROM.LENGTH, in octets";
	struct span length = span_str(a->range);

	if (a->range == NULL)
		return;
	u->partial = true;
	u->offset = (uint32_t)number(span_cut(&length, '.'), 0, wrong);
	if (length.p != NULL)
		u->length = (uint32_t)number(length, 1, wrong);
}

/* --- signing --- */

/* What a URL lacks to be a rump. */
static void
complete(struct house *h, struct imap_url *u)
{
	u->absolute = true;
	if (u->user.p == NULL)
		u->user = h->owner.name;
	if (u->host.p == NULL)
		server(h, u);
	access_of(h->ask, u);
	u->expire = expire(h);
}

static int
refuse(struct house *h, const struct imap_url *u, struct span text,
    enum grant g)
{
	if (g == GRANT_ACCESS)
		return house_not_ours(h, text, u->user);
	if (g == GRANT_SYNTAX && u->token.p != NULL)
		return house_invalid(h, text, "it has a token already");
	if (g == GRANT_SYNTAX)
		return house_invalid(h, text, "it names no owner");
	return house_grant(h, text, u, g);
}

/* The rump signed, if there is something that it names. */
static int
sign(struct house *h, struct span rump)
{
	struct buf line = { 0 };
	struct resolved r = { 0 };
	struct imap_url u;
	const char *why = imap_url_parse(&h->arena, rump, &u);

	if (why != NULL)
		return house_no_url(h, rump, why);
	enum grant g = grant_mint(&h->owner, h->now, &u, &line);
	int code = g == GRANT_OK ? EXIT_OK : refuse(h, &u, rump, g);

	if (code == EXIT_OK)
		code = house_result(h, rump, &u, url_resolve(h->store,
		    &h->space, &u, NULL, &r));
	if (code == EXIT_OK)
		house_print(&line);
	resolved_free(&r);
	buf_free(&line);
	return code;
}

static int
complete_and_sign(struct house *h, struct imap_url *u)
{
	struct buf rump = { 0 };

	complete(h, u);
	imap_url_add(&rump, u);
	int code = sign(h, buf_span(&rump));

	buf_free(&rump);
	return code;
}

int
mint_url(struct house *h, struct span text)
{
	const struct ask *a = h->ask;
	struct imap_url u;
	const char *why = imap_url_parse(&h->arena, text, &u);

	if (why != NULL)
		return house_no_url(h, text, why);
	if (u.uid == 0)
		return house_no_url(h, text, "it names no message");
	if (u.access == URL_NONE)
		return complete_and_sign(h, &u);
	if (a->access != NULL || a->expire != NULL || a->host != NULL)
		return house_invalid(h, text,
		    "it says itself who may read it, and until when");
	return sign(h, text);
}

int
mint_run(struct house *h)
{
	const struct ask *a = h->ask;
	struct imap_url u = { .uid = (uint32_t)number(span_str(a->uid), 1,
	    "-u takes a message's UID") };
	struct buf name = { 0 }, text = { 0 };
	struct mailbox_status s;
	struct mailbox *mb;

	part(h, &u);
	range(a, &u);
	house_folder(h, a->folder == NULL ? "INBOX" : a->folder, &name);
	if (!imap_mailbox_text(&h->space, buf_span(&name), &text))
		die_refused("%s cannot be written in a URL", a->folder);
	house_must(h, mailbox_open(h->store, buf_span(&name), RIGHT_READ,
	    &mb));
	house_must(h, mailbox_status(mb, &s));
	mailbox_close(mb);
	u.mailbox = buf_span(&text);
	u.uidvalidity = s.uidvalidity;
	int code = complete_and_sign(h, &u);

	buf_free(&name);
	buf_free(&text);
	return code;
}
