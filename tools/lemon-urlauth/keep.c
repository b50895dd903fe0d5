/* SPDX-License-Identifier: ISC */
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "keeper.h"
#include "url/resolve.h"
#include "url/structure.h"

/* The owner's mail, in its own process. */
struct keeping {
	const struct kept *kept;
	struct store *store;
	enum store_result opened;
	struct buf space_value, locals;
	struct imap_space space;
	struct owner owner;
	struct in in;
	struct out out;
	struct arena arena;	/* of one request */
};

/* What becomes of a request. */
struct judged {
	enum remote_result answer;
	const char *why;	/* for the log, if it is none */
	struct imap_url url;
	struct resolved found;
	struct buf structure;
};

static void
log_request(const struct remote_request *q, const struct judged *j)
{
	struct span user = q->caller.user;
	struct log l;

	log_begin(&l, j->answer <= REMOTE_UNKNOWN_CTE ? "fetched" :
	    "refused");
	log_kv(&l, "user", user.p != NULL ? user : SPAN("-"));
	log_ks(&l, "rip", "local");
	log_kv(&l, "owner", j->url.user);
	log_kv(&l, "mailbox", j->url.mailbox);
	log_ku(&l, "uid", j->url.uid);
	if (j->answer <= REMOTE_UNKNOWN_CTE)
		log_ku(&l, "size", j->found.n);
	else
		log_ks(&l, "why", j->why);
	log_end(&l);
}

static void
refuse(struct judged *j, enum remote_result answer, const char *why)
{
	j->answer = answer;
	j->why = why;
}

/* Who has no Maildir yet has no valid URL. */
static void
not_open(const struct keeping *k, struct judged *j)
{
	if (k->opened == STORE_NONEXISTENT)
		refuse(j, REMOTE_INVALID, "no such mail");
	else
		refuse(j, REMOTE_LATER, "the mail cannot be opened");
}

static bool
granted(const struct keeping *k, const struct remote_request *q,
    struct judged *j)
{
	enum grant g = grant_check(&k->owner, clock_now(), &j->url,
	    &q->caller);

	if (g == GRANT_LATER)
		refuse(j, REMOTE_LATER, store_why(k->store));
	else if (k->kept->nobody)
		refuse(j, REMOTE_INVALID, "no such owner");
	else if (g == GRANT_ACCESS && j->url.access == URL_SUBMIT &&
	    q->caller.user.n > 0 && !q->caller.submitter)
		refuse(j, REMOTE_INVALID, "the fetcher is not in submitters");
	else if (g != GRANT_OK)
		refuse(j, REMOTE_INVALID, grant_text(g));
	else
		return true;
	return false;
}

static void
failed(const struct keeping *k, struct judged *j, enum store_result e)
{
	if (e == STORE_NONEXISTENT)
		refuse(j, REMOTE_INVALID, grant_text(GRANT_GONE));
	else
		refuse(j, REMOTE_LATER, store_why(k->store));
}

/* As it was wanted: decoded, and with its structure. */
static void
prepare(const struct keeping *k, const struct remote_request *q,
    struct judged *j)
{
	struct resolved *r = &j->found;
	enum store_result e = q->binary ? resolved_decode(r, &j->url) :
	    STORE_OK;
	bool nul = false;

	if (e == STORE_CANNOT)
		j->answer = REMOTE_UNKNOWN_CTE;
	else if (e != STORE_OK)
		failed(k, j, e);
	else if (q->binary && piece_has_nul(&r->piece, r->message, r->from,
	    r->n, &nul) != 0)
		refuse(j, REMOTE_LATER, "the message cannot be read");
	else if (nul)
		j->answer = REMOTE_NUL;
	if (j->answer <= REMOTE_UNKNOWN_CTE && q->structure &&
	    !url_structure(&j->url, r, &j->structure))
		refuse(j, REMOTE_LATER, "the message cannot be read");
}

static void
judge(struct keeping *k, const struct remote_request *q, struct judged *j)
{
	const char *why = imap_url_parse(&k->arena, q->url, &j->url);

	if (why != NULL)
		refuse(j, REMOTE_INVALID, why);
	else if (k->store == NULL)
		not_open(k, j);
	else if (granted(k, q, j)) {
		enum store_result e = url_resolve(k->store, &k->space,
		    &j->url, NULL, &j->found);

		if (e == STORE_OK)
			prepare(k, q, j);
		else
			failed(k, j, e);
	}
}

static void
give(void *arg, struct span octets)
{
	out_add(arg, octets);
}

/* False if it broke off: only the end of the line can tell that. */
static bool
answer(struct keeping *k, const struct remote_request *q)
{
	struct judged j = { .answer = REMOTE_OK };
	bool whole = true;

	judge(k, q, &j);
	remote_give(&k->out, j.answer, buf_span(&j.structure), j.found.n);
	if (j.answer <= REMOTE_NUL) {
		whole = resolved_read(&j.found, give, &k->out) == 0;
		if (whole)
			remote_end(&k->out);
		else
			log_warn("the message cannot be read to its end");
	}
	log_request(q, &j);
	buf_free(&j.structure);
	resolved_free(&j.found);
	return whole;
}

/* The settings are read before the doors are shut. */
static void
enter(struct keeping *k, const struct control *general)
{
	struct control c = *general;
	const struct mail *m = k->kept->mail;
	const struct confine walls = { 0 };
	const char *why = IMAP_SPACE_WRONG;

	c.user = m->account.name;
	control_list(&c, "locals", &k->locals);
	k->opened = imap_space_read(&c, &k->space_value, &k->space) ?
	    mail_open(m, &walls, &k->store, &why) : STORE_ERROR;
	if (k->opened != STORE_OK)
		log_warn("user=%s: %s", m->account.name, why);
	k->owner = (struct owner){ .store = k->store, .space = &k->space,
		.name = k->kept->nobody ? k->kept->name :
		span_str(m->account.name), .locals = buf_span(&k->locals) };
}

void
keep(const struct control *c, const struct kept *kept)
{
	struct keeping k = { .kept = kept };
	struct remote_request q;

	enter(&k, c);
	stream_open(&k.in, &k.out, 0, 1);
	while (remote_take(&k.in, &k.arena, &q) == 1) {
		if (!answer(&k, &q))
			break;
		arena_reset(&k.arena);
	}
	store_close(k.store);
	stream_free(&k.in, &k.out);
	arena_free(&k.arena);
	buf_free(&k.space_value);
	buf_free(&k.locals);
}
