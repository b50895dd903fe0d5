/* SPDX-License-Identifier: ISC */
#include "burl.h"

#include <errno.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "submit.h"
#include "url/resolve.h"

enum { WAIT_S = 60 };

/* One URL on its way. */
struct fetch {
	struct submit *s;
	struct span url;
	struct imap_url u;
	struct smtp_reply *r;
	const char *why;	/* of a refusal, for the log alone; or NULL */
	uint64_t octets;
};

void
burl_reset(struct burl *b)
{
	remote_close(&b->remote);
	imap_client_close(&b->client);
	b->host = NULL;
	b->next = b->asked = 0;
	store_close(b->store);
	b->store = NULL;
	buf_clear(&b->space_value);
	buf_clear(&b->locals);
}

void
burl_free(struct burl *b)
{
	burl_reset(b);
	trusted_free(&b->trusted);
	for (size_t i = 0; i < BURL_AHEAD; i++)
		buf_free(&b->ahead[i].url);
	buf_free(&b->space_value);
	buf_free(&b->locals);
	*b = (struct burl){ 0 };
}

void
submit_burl_words(void *ctx, struct buf *words)
{
	(void)ctx;
	buf_adds(words, "imap");
}

/* --- answers (RFC 4468 6) --- */

static void
refuse(struct fetch *f, unsigned code, const char *status, const char *text)
{
	smtp_reply_set(f->r, code, status, text);
}

static void
not_allowed(struct fetch *f)
{
	refuse(f, 554, "5.7.0", "IMAP URL authorization failed");
}

static void
not_there(struct fetch *f)
{
	refuse(f, 554, "5.6.6", "IMAP URL resolution failed");
}

static void
not_now(struct fetch *f)
{
	refuse(f, 451, "4.4.1", "The mail is not available now");
}

/* Whether so many octets may come; what is too big is not even read. */
static bool
fits(struct fetch *f, uint64_t n)
{
	const struct smtp_server *v = &f->s->server;

	if (v->size_max == 0 || n <= v->size_max - v->size)
		return true;
	smtp_reply_std(f->r, SMTP_TOO_BIG);
	return false;
}

static void
add(void *arg, struct span octets)
{
	struct fetch *f = arg;

	f->octets += octets.n;
	smtp_server_add(&f->s->server, octets);
}

/* --- other owners' --- */

static int64_t
wait_ms(const struct submit *s)
{
	return 1000 * (int64_t)control_num(&s->control, "burltimeout", WAIT_S,
	    1, 3600);
}

/* RFC 4467 7: whatever is wrong with the URL, the answer is the same. */
static void
answered(struct fetch *f, int64_t ms)
{
	struct remote *m = &f->s->burl.remote;
	struct buf structure = { 0 };
	enum remote_result a;
	uint64_t n;

	a = remote_answer(m, ms, &structure, &n);
	buf_free(&structure);
	if (a == REMOTE_INVALID || a == REMOTE_UNKNOWN_CTE) {
		not_there(f);
		return;
	}
	if (a == REMOTE_OK && fits(f, n) && remote_read(m, add, f) == 0)
		return;
	if (a != REMOTE_OK || f->r->code == 250)
		not_now(f);
	remote_close(m);	/* it may still be talking */
}

static void
by_socket(struct fetch *f)
{
	struct submit *s = f->s;
	struct buf path = { 0 };
	struct remote_request q = { .caller = {
		.user = span_str(s->mail.account.name), .submitter = true },
		.url = f->url };
	int64_t ms = wait_ms(s);

	if (!control_line(&s->control, "urlfetch-socket", &path) ||
	    path.n == 0) {
		refuse(f, 554, "5.7.14",
		    "URLs of others are not resolved here");
	} else if (remote_open(&s->burl.remote, buf_cstr(&path), ms) != 0) {
		log_warn("urlfetch-socket: %s", strerror(errno));
		not_now(f);
	} else {
		remote_ask(&s->burl.remote, &q);
		answered(f, ms);
	}
	buf_free(&path);
}

/* --- the user's own --- */

/* The doors were shut around it at login. */
static bool
opened(struct fetch *f)
{
	struct submit *s = f->s;
	struct burl *b = &s->burl;
	enum store_result e = STORE_ERROR;
	const char *why = IMAP_SPACE_WRONG;

	if (b->store != NULL)
		return true;
	if (imap_space_read(&s->control, &b->space_value, &b->space))
		e = store_open(&b->store, &s->mail.cfg, &why);
	if (e == STORE_OK)
		return true;
	if (e == STORE_DENIED) {	/* it is another account's file */
		by_socket(f);
		return false;
	}
	log_warn("user=%s: %s", s->mail.account.name, why);
	if (e == STORE_NONEXISTENT)	/* who has no mail yet */
		not_there(f);
	else
		not_now(f);
	return false;
}

static void
own(struct fetch *f)
{
	struct submit *s = f->s;
	struct burl *b = &s->burl;
	struct span me = span_str(s->mail.account.name);
	struct resolved found;
	enum store_result e;

	if (!opened(f))
		return;
	struct owner o = { .store = b->store, .space = &b->space, .name = me,
		.locals = buf_span(&b->locals) };
	struct caller c = { .user = me, .submitter = true };

	enum grant g = grant_check(&o, clock_now(), &f->u, &c);

	if (g != GRANT_OK)
		f->why = grant_text(g);
	switch (g) {
	case GRANT_OK:
		break;
	case GRANT_LATER:
		log_warn("user=%s: %s", s->mail.account.name,
		    store_why(b->store));
		not_now(f);
		return;
	case GRANT_SYNTAX:
	case GRANT_GONE:
		not_there(f);
		return;
	case GRANT_EXPIRED:
	case GRANT_ACCESS:
	case GRANT_REVOKED:
		not_allowed(f);
		return;
	}
	e = url_resolve(b->store, &b->space, &f->u, NULL, &found);
	if (e != STORE_OK)
		f->why = grant_text(grant_found(e));
	if (e == STORE_NONEXISTENT)
		not_there(f);
	else if (e != STORE_OK)
		not_now(f);
	else if (fits(f, found.n) && resolved_read(&found, add, f) != 0)
		not_now(f);
	resolved_free(&found);
}

/* --- other servers' --- */

static void
host_failed(struct fetch *f, const struct trusted_host *h, const char *what)
{
	struct imap_client *c = &f->s->burl.client;

	log_warn("burlhosts %.*s: %s%.*s", (int)h->where.n, h->where.p, what,
	    (int)c->why.n, c->why.p);
	refuse(f, 451, "4.4.1", "IMAP server unavailable: ");
	buf_adds(&f->r->text, what);
	buf_add(&f->r->text, buf_span(&c->why));
}

/* Connected and logged in, by the broker where we cannot. */
static bool
connected(struct fetch *f, const struct trusted_host *h, int64_t ms)
{
	struct burl *b = &f->s->burl;
	struct imap_client *c = &b->client;
	struct broker_door door = { &f->s->broker,
		b->first_place + (size_t)(h - b->trusted.host) };
	struct imap_client_opts o = { .where = h->where, .port = h->port,
		.tls = h->tls, .implicit = h->implicit, .timeout_ms = ms,
		.deadline = clock_ms() + ms, .connect_ctx = &door };
	struct imap_login l = { .user = h->user, .password = h->password };

	if (b->host == h && !c->lost) {
		imap_client_until(c, clock_ms() + ms);
		return true;
	}
	imap_client_close(c);
	b->host = h;
	if (b->trusted.cafile.n > 0)
		o.cafile = buf_cstr(&b->trusted.cafile);
	if (f->s->broker.fd > 0)
		o.connect = broker_connect;
	bool open = imap_client_open(c, &o);

	if (open && imap_client_login(c, &l) == IMAP_OK)
		return true;
	host_failed(f, h, open && !c->lost ?
	    "the account in burlhosts was refused: " : "");
	imap_client_close(c);
	return false;
}

static bool
more(void *ctx, struct span octets)
{
	struct fetch *f = ctx;

	f->octets += octets.n;
	return smtp_server_add(&f->s->server, octets);
}

/* --- which --- */

/* Whether the URL's host is this system, by its names.  Its port does not
 * matter: nothing is sent there. */
static bool
here(const struct submit *s, struct span host)
{
	struct span rest = buf_span(&s->burl.locals);

	if (span_ieq(host, buf_span(&s->me)))
		return true;
	while (rest.n > 0)
		if (span_ieq(span_cut(&rest, '\n'), host))
			return true;
	return false;
}

enum way { WAY_NONE, WAY_OWN, WAY_SOCKET, WAY_HOST };

/* Where it is to come from; WAY_NONE: nowhere, and the reply says why. */
static enum way
way(struct fetch *f, const struct trusted_host **host)
{
	struct submit *s = f->s;
	struct owner o = { .locals = buf_span(&s->burl.locals) };
	struct span me = span_str(s->mail.account.name);
	const struct imap_url *u = &f->u;
	bool local = here(s, u->host);

	*host = local ? NULL :
	    trusted_find(&s->burl.trusted, u->host, u->port);
	if (!u->absolute || u->host.n == 0 || u->uid == 0)
		not_there(f);
	else if (!local && *host == NULL && s->burl.trusted.wrong != NULL)
		refuse(f, 451, "4.3.5", s->burl.trusted.wrong);
	else if (!local && *host == NULL)	/* RFC 4468 8 */
		refuse(f, 554, "5.7.14",
		    "There is no trust relationship with that server");
	else if (u->token.p == NULL || u->user.p == NULL)
		refuse(f, 554, "5.7.14", "Only URLs with URLAUTH are taken");
	else if ((u->access == URL_SUBMIT &&	/* RFC 4468 3.3 */
	    !grant_is_user(&o, u->access_user, me)) ||
	    /* There we are somebody else, who may be meant. */
	    (!local && u->access == URL_USER)) {
		f->why = grant_text(GRANT_ACCESS);
		not_allowed(f);
	} else if (!local)
		return WAY_HOST;
	else
		return s->mail.cfg.maildir != NULL &&
		    grant_is_user(&o, u->user, me) ? WAY_OWN : WAY_SOCKET;
	return WAY_NONE;
}

static void
ask(struct burl *b, struct span url)
{
	struct burl_asked *a = &b->ahead[b->asked++];

	buf_clear(&a->url);
	buf_add(&a->url, url);
	a->tag = imap_client_say_urlfetch(&b->client, url);
}

/* What the client pipelined is asked for at once, as far as it may be. */
static void
ask_ahead(struct submit *s, const struct trusted_host *h)
{
	struct burl *b = &s->burl;
	struct smtp_reply why = { 0 };
	struct fetch f = { .s = s, .r = &why };
	const struct trusted_host *host;
	struct arena a = { 0 };
	size_t at = 0;

	while (b->asked < BURL_AHEAD &&
	    smtp_server_ahead(&s->server, &at, &f.url)) {
		enum way w;

		if (imap_url_parse(&a, f.url, &f.u) != NULL)
			break;
		w = way(&f, &host);
		if (w == WAY_NONE)
			break;
		if (w == WAY_HOST && host == h)
			ask(b, f.url);
	}
	smtp_reply_free(&why);
	arena_free(&a);
}

/* Wait for the next answer; *given says what it brought. */
static enum imap_result
hear(struct fetch *f, enum imap_fetched *given)
{
	struct burl *b = &f->s->burl;
	struct imap_url_fetch u = { .url = f->url, .sink = more, .ctx = f };
	enum imap_result r = imap_client_urlfetched(&b->client,
	    b->ahead[b->next++].tag, &u);

	*given = u.state;
	return r;
}

/* Ask anew, for that alone.  False: *f->r says why that cannot be. */
static bool
ask_alone(struct fetch *f, const struct trusted_host *h)
{
	struct burl *b = &f->s->burl;

	imap_client_close(&b->client);
	b->next = b->asked = 0;
	if (!connected(f, h, wait_ms(f->s)))
		return false;
	ask(b, f->url);
	return true;
}

static void
by_host(struct fetch *f, const struct trusted_host *h)
{
	struct burl *b = &f->s->burl;
	enum imap_fetched given;
	enum imap_result r;

	/* What was asked for and is not wanted any more is in the way. */
	if (b->next < b->asked && (b->host != h ||
	    !span_eq(buf_span(&b->ahead[b->next].url), f->url)))
		imap_client_close(&b->client);
	if (b->client.lost || b->next == b->asked)
		b->next = b->asked = 0;
	if (!connected(f, h, wait_ms(f->s)))
		return;
	if (b->asked == 0) {
		ask(b, f->url);
		ask_ahead(f->s, h);
	}
	bool alone = b->asked == 1;

	r = hear(f, &given);
	/* A server may answer in an order of its own (RFC 3501 5.5); what it
	 * said too early is gone. */
	if (r == IMAP_OK && given == IMAP_UNKNOWN && !alone &&
	    f->octets == 0) {
		if (!ask_alone(f, h))
			return;
		r = hear(f, &given);
	}
	if (given == IMAP_GIVEN)
		return;
	if (r == IMAP_LOST)
		host_failed(f, h, "");
	else if (r == IMAP_NO &&	/* RFC 5530 3 */
	    span_ieq(b->client.code, SPAN("UNAVAILABLE")))
		not_now(f);
	else
		not_there(f);
}

static void
resolve(struct fetch *f)
{
	const struct trusted_host *host;

	switch (way(f, &host)) {
	case WAY_NONE:
		break;
	case WAY_OWN:
		own(f);
		break;
	case WAY_SOCKET:
		by_socket(f);
		break;
	case WAY_HOST:
		by_host(f, host);
		break;
	}
}

static void
log_burl(const struct fetch *f)
{
	struct log l;

	log_begin(&l, "burl");
	log_ks(&l, "user", f->s->mail.account.name);
	log_ks(&l, "rip", peer_shown(&f->s->peer));
	log_ku(&l, "octets", f->octets);
	log_ku(&l, "code", f->r->code);
	log_ks(&l, "status", f->r->status);
	log_ks(&l, "why", f->why);
	log_kv(&l, "url", span_head(f->url, smtp_burl_shown(f->url)));
	log_end(&l);
}

void
submit_burl(void *ctx, struct span url, struct smtp_reply *r)
{
	struct submit *s = ctx;
	struct fetch f = { .s = s, .url = url, .r = r };
	struct arena a = { 0 };
	const char *why;

	if (s->burl.locals.n == 0)
		control_list(&s->control, "locals", &s->burl.locals);
	why = imap_url_parse(&a, url, &f.u);
	if (why != NULL)
		refuse(&f, 501, "5.5.4", why);
	else
		resolve(&f);
	log_burl(&f);
	arena_free(&a);
}
