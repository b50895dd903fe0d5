/* SPDX-License-Identifier: ISC */
#include "url/grant.h"

#include "base/file.h"
#include "imap/urlauth.h"
#include "store/urlkey.h"
#include "url/resolve.h"

_Static_assert((int)URLKEY == (int)URLAUTH_KEY, "one key");

const char *
grant_text(enum grant g)
{
	static const char *const text[] = {
		[GRANT_OK] = "valid",
		[GRANT_SYNTAX] = "no URL that could have a token",
		[GRANT_EXPIRED] = "expired",
		[GRANT_ACCESS] = "wrong access",
		[GRANT_REVOKED] = "revoked, or never valid",
		[GRANT_GONE] = "no such message or part",
		[GRANT_LATER] = "cannot be told now",
	};

	return text[g];
}

enum grant
grant_found(enum store_result r)
{
	return r == STORE_OK ? GRANT_OK :
	    r == STORE_NONEXISTENT ? GRANT_GONE : GRANT_LATER;
}

bool
grant_is_user(const struct owner *o, struct span written,
    struct span account)
{
	size_t at = span_rchr(written, '@');
	struct span domain = span_skip(written, at + 1);
	struct span rest = o->locals;

	if (span_eq(written, account))
		return true;
	if (at == written.n || domain.n == 0 ||
	    !span_eq(span_head(written, at), account))
		return false;
	while (rest.n > 0)
		if (span_ieq(span_cut(&rest, '\n'), domain))
			return true;
	return false;
}

/* RFC 4467 9: authimapurlrump */
static bool
has_rump(const struct imap_url *u)
{
	return u->absolute && u->user.p != NULL && u->uid != 0 &&
	    u->rump.p != NULL;
}

/* The key of the mailbox.  UIDVALIDITY is part of its name; it is 0 if there
 * is no such mailbox. */
static enum store_result
key_of(const struct owner *o, const struct imap_url *u, bool make,
    uint32_t *found, unsigned char key[URLKEY])
{
	struct buf name = { 0 };
	uint32_t uidvalidity = 0;
	enum store_result r = STORE_NONEXISTENT;

	if (url_name(o->space, u, &name))
		r = urlkey_of(o->store, buf_span(&name), make, &uidvalidity,
		    key);
	if (r == STORE_OK && u->uidvalidity != 0 &&
	    u->uidvalidity != uidvalidity)
		r = STORE_NONEXISTENT;
	/* What the owner may not read is not there. */
	if (r == STORE_DENIED)
		r = STORE_NONEXISTENT;
	*found = uidvalidity;
	buf_free(&name);
	return r;
}

enum grant
grant_mint(const struct owner *o, int64_t now, const struct imap_url *u,
    struct buf *to)
{
	unsigned char key[URLKEY];
	uint32_t found;

	if (!has_rump(u) || u->token.p != NULL)
		return GRANT_SYNTAX;
	if (!grant_is_user(o, u->user, o->name))
		return GRANT_ACCESS;
	if (now > u->expire)
		return GRANT_EXPIRED;
	enum store_result r = key_of(o, u, true, &found, key);

	if (r != STORE_OK)
		return grant_found(r);
	buf_add(to, u->rump);
	buf_adds(to, ":internal:");
	urlauth_token(key, u->rump, to);
	explicit_bzero(key, sizeof key);
	return GRANT_OK;
}

/* Look for INBOX after a mailbox that is not there, and for one that is not
 * there after another, so that both took the same. */
static void
look_again(const struct owner *o, bool found)
{
	struct imap_url u = { .mailbox = SPAN("INBOX") };
	unsigned char key[URLKEY];
	struct buf name = { 0 };
	uint32_t again;

	random_fill(key, sizeof key);
	buf_addhex(&name, key, sizeof key / 2);
	if (found)
		u.mailbox = buf_span(&name);
	key_of(o, &u, false, &again, key);
	explicit_bzero(key, sizeof key);
	buf_free(&name);
}

/* Whether the key of the mailbox made the token.  Without a key one that
 * nobody has takes its place; what was kept open for a good token is no
 * quicker for others. */
static enum grant
check_token(const struct owner *o, const struct imap_url *u, uint32_t *found)
{
	unsigned char key[URLKEY];

	random_fill(key, sizeof key);
	enum store_result r = key_of(o, u, false, found, key);

	if (r != STORE_OK && r != STORE_NONEXISTENT)
		return GRANT_LATER;
	bool good = urlauth_valid(key, u->rump, u->token) && r == STORE_OK;

	explicit_bzero(key, sizeof key);
	if (!good) {
		look_again(o, *found != 0);
		urlkey_forget(o->store);
	}
	return good ? GRANT_OK : GRANT_REVOKED;
}

/* RFC 4467 2.3 */
static bool
may(const struct owner *o, const struct imap_url *u, const struct caller *c)
{
	switch (u->access) {
	case URL_SUBMIT:
		return c->user.n > 0 && c->submitter;
	case URL_USER:
		return c->user.n > 0 &&
		    grant_is_user(o, u->access_user, c->user);
	case URL_AUTHUSER:
		return c->user.n > 0;
	case URL_ANONYMOUS:
		return true;
	default:
		return false;
	}
}

enum grant
grant_check(const struct owner *o, int64_t now, struct imap_url *u,
    const struct caller *c)
{
	uint32_t uidvalidity;

	if (!has_rump(u) || u->token.p == NULL ||
	    !span_ieq(u->auth_mech, SPAN("INTERNAL")))
		return GRANT_SYNTAX;
	if (!grant_is_user(o, u->user, o->name))
		return GRANT_ACCESS;
	enum grant g = check_token(o, u, &uidvalidity);

	if (g != GRANT_OK)
		return g;
	if (now > u->expire)
		return GRANT_EXPIRED;
	if (!may(o, u, c))
		return GRANT_ACCESS;
	u->uidvalidity = uidvalidity;
	return GRANT_OK;
}
