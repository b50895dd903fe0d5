/* SPDX-License-Identifier: ISC */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/die.h"
#include "caller.h"

enum grant
caller_check(struct house *h, struct imap_url *u)
{
	struct span s = span_str(h->ask->caller);
	struct caller c = { .user = s };

	c.submitter = span_istarts(s, SPAN("submit+"));
	if (c.submitter)
		c.user = span_skip(s, 7);
	enum grant g = grant_check(&h->owner, h->now, u, &c);

	/* RFC 4468 3.1: that is the submission server's to look at. */
	if (g == GRANT_OK && u->access == URL_SUBMIT &&
	    !grant_is_user(&h->owner, u->access_user, c.user))
		g = GRANT_ACCESS;
	return g;
}

static int
wrong_access(struct house *h, struct span text, const struct imap_url *u)
{
	struct buf why = { 0 };

	buf_adds(&why, "wrong access: it is for ");
	reader_add(&why, u);
	buf_adds(&why, "; -c says who wants to read");
	int code = house_invalid(h, text, buf_cstr(&why));

	buf_free(&why);
	return code;
}

/* Whether it is good, and what it names; call resolved_free in any case. */
static int
look(struct house *h, struct span text, struct imap_url *u,
    struct resolved *r)
{
	const char *why = imap_url_parse(&h->arena, text, u);

	*r = (struct resolved){ 0 };
	if (why != NULL)
		return house_no_url(h, text, why);
	if (u->user.p != NULL &&
	    !grant_is_user(&h->owner, u->user, h->owner.name))
		return house_not_ours(h, text, u->user);
	if (u->token.p == NULL)
		return house_invalid(h, text, "it is not signed: "
		    "lemon-urlauth mint signs it");
	enum grant g = caller_check(h, u);

	if (g == GRANT_ACCESS)
		return wrong_access(h, text, u);
	int code = house_grant(h, text, u, g);

	return code != EXIT_OK ? code : house_result(h, text, u,
	    url_resolve(h->store, &h->space, u, NULL, r));
}

int
verify_url(struct house *h, struct span text)
{
	struct buf line = { 0 };
	struct resolved r;
	struct imap_url u;
	int code = look(h, text, &u, &r);

	if (code == EXIT_OK) {
		buf_add(&line, text);
		house_print(&line);
	}
	buf_free(&line);
	resolved_free(&r);
	return code;
}

static void
print(void *arg, struct span octets)
{
	int *error = arg;

	if (fwrite(octets.p, 1, octets.n, stdout) < octets.n && *error == 0)
		*error = errno;
}

/* What the part holds, in place of how it came. */
static int
decode(struct house *h, struct span text, const struct imap_url *u,
    struct resolved *r)
{
	enum store_result e = resolved_decode(r, u);

	return e == STORE_CANNOT ? house_invalid(h, text,
	    "its encoding is unknown or malformed") :
	    house_result(h, text, u, e);
}

int
fetch_url(struct house *h, struct span text)
{
	struct resolved r;
	struct imap_url u;
	int code = look(h, text, &u, &r), error = 0;

	if (code == EXIT_OK && h->ask->decode)
		code = decode(h, text, &u, &r);
	if (code == EXIT_OK && resolved_read(&r, print, &error) != 0)
		die_temp("the message cannot be read: %s", strerror(errno));
	resolved_free(&r);
	if (error == EPIPE)	/* who reads has seen enough, as head does */
		return EXIT_TEMP;
	if (ferror(stdout))
		die_temp("standard output: %s", strerror(error));
	return code;
}
