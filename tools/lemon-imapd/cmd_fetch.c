/* SPDX-License-Identifier: ISC */
/* FETCH and UID FETCH.  RFC 3501 6.4.5, RFC 3516. */

#include "base/log.h"
#include "body.h"
#include "updates.h"

enum { BATCH = 64 };	/* messages that become \Seen in one transaction */

struct fetching {
	struct session *s;
	struct fetch f;
	unsigned need;
	bool file;		/* some section needs the message's file */
	const struct set *fresh;	/* \Seen was set here and now */
	bool gone;		/* some were expunged elsewhere */
	enum store_result failed;	/* some could not be read */
	enum body_found undecoded;	/* why some could not be decoded */
	uint32_t answering;	/* the message that is being answered, ... */
	bool begun;		/* and whether its line was */
};

/* Another item of one response, which begins with the first of them. */
static void
item(struct fetching *c, struct span name)
{
	struct out *o = &c->s->out;

	if (c->begun) {
		out_addc(o, ' ');
	} else {
		untagged(c->s);
		out_addu(o, c->answering);
		out_adds(o, " FETCH (");
	}
	c->begun = true;
	out_add(o, name);
}

static void
wire_items(struct fetching *c, const struct msg *m, const struct digest *d)
{
	struct out *o = &c->s->out;
	unsigned items = c->f.items;

	if (items & FETCH_UID) {
		item(c, SPAN("UID "));
		out_addu(o, m->uid);
	}
	if (items & FETCH_FLAGS ||
	    (c->fresh != NULL && set_has(c->fresh, m->uid))) {
		item(c, SPAN(""));
		wire_flags(c->s, m);
	}
	if (items & FETCH_INTERNALDATE) {
		item(c, SPAN("INTERNALDATE "));
		wire_date_time(o, m->internaldate);
	}
	if (items & FETCH_SIZE) {
		item(c, SPAN("RFC822.SIZE "));
		out_addu(o, m->size);
	}
	if (items & FETCH_ENVELOPE) {
		item(c, SPAN("ENVELOPE "));
		out_add(o, d->envelope);
	}
	if (items & FETCH_BODY) {
		item(c, SPAN("BODY "));
		out_add(o, d->body);
	}
	if (items & FETCH_BODYSTRUCTURE) {
		item(c, SPAN("BODYSTRUCTURE "));
		out_add(o, d->bodystructure);
	}
}

/* The file of a message whose digest does not answer everything. */
static enum store_result
open_file(struct fetching *c, const struct msg *m, const struct digest *d,
    struct message **file)
{
	*file = NULL;
	if (!c->file && (c->f.sections == 0 || d->fields_whole))
		return STORE_OK;
	return message_shown(c->s->view, m, d, file);
}

/* A response that breaks off in a literal leaves nothing to go on with. */
static void
broken(struct session *s, uint32_t uid)
{
	if (s->out.state == STREAM_OK)
		log_warn("user=%s FETCH: uid %u: cannot be read to its end",
		    s->mail.account.name, uid);
	s->out.state = STREAM_ERROR;
	s->closing = true;
	s->bye = "error";
}

static bool
respond(struct fetching *c, uint32_t seq, const struct msg *m,
    const struct digest *d, struct message *file)
{
	struct session *s = c->s;
	struct body b = { .out = &s->out, .digest = d, .message = file,
		.memos = &s->memos, .object = m->object };

	c->answering = seq;
	c->begun = false;
	wire_items(c, m, d);
	for (size_t i = 0; i < c->f.sections; i++) {
		enum body_found found = body_find(&b, &c->f.section[i]);

		if (found == BODY_UNKNOWN_CTE || found == BODY_MALFORMED) {
			c->undecoded = found;
			continue;
		}
		if (found == BODY_FOUND)
			item(c, SPAN(""));
		if (found == BODY_LOST || !body_write(&b)) {
			broken(s, m->uid);
			return false;
		}
	}
	if (!c->begun)
		return true;
	out_addc(&s->out, ')');
	untagged_end(s);
	s->count.fetched += c->f.sections > 0;
	return s->out.state == STREAM_OK;
}

static bool
one(void *arg, uint32_t seq, const struct msg *m, struct span raw)
{
	struct fetching *c = arg;
	struct message *file = NULL;
	struct digest d = { 0 };
	enum store_result r = STORE_OK;

	/* Of a message that is gone its last flags are still known. */
	if (m->object == 0 && (c->need != 0 ||
	    c->f.items & ~(unsigned)(FETCH_UID | FETCH_FLAGS))) {
		c->gone = true;
		return true;
	}
	/* A size of 0 is true only of what was read. */
	if ((c->need & NEED_DIGEST && !digest_open(raw, &d)) ||
	    (c->need & NEED_SIZE && m->size == 0 && raw.n == 0))
		r = STORE_ERROR;
	if (r == STORE_OK)
		r = open_file(c, m, &d, &file);
	if (r == STORE_EXPUNGED || r == STORE_NONEXISTENT)
		c->gone = true;
	else if (r != STORE_OK)
		c->failed = r;
	if (r != STORE_OK)
		return true;
	/* A file that was changed in place has a digest of its own. */
	bool more = respond(c, seq, m, file == NULL ? &d :
	    message_digest(file), file);

	message_close(file);
	return more;
}

static bool
unseen(void *arg, uint32_t seq, const struct msg *m, struct span digest)
{
	(void)seq, (void)digest;
	if (!(m->flags & MSG_SEEN) && m->object != 0)
		set_add(arg, m->uid, m->uid);
	return true;
}

/* The part of a set from lo to hi. */
static void
clip(const struct set *from, uint32_t lo, uint32_t hi, struct set *to)
{
	set_clear(to);
	for (size_t i = 0; i < from->n; i++) {
		uint32_t a = from->r[i].lo, b = from->r[i].hi;

		if (b >= lo && a <= hi)
			set_add(to, a > lo ? a : lo, b < hi ? b : hi);
	}
}

/* As many of todo from lo on as one transaction takes; the UID of the last
 * one, or all UIDs above if there are no more. */
static uint32_t
batch(const struct set *todo, uint32_t lo, struct set *some)
{
	uint32_t uid = lo;

	set_clear(some);
	for (int i = 0; i < BATCH; i++) {
		uid = set_next(todo, uid);
		if (uid == 0)
			return UINT32_MAX;
		set_add(some, uid, uid);
		if (uid == UINT32_MAX)
			return uid;
		uid++;
	}
	return uid - 1;
}

/* RFC 3501 6.4.5: reading a body sets \Seen, and the change is part of the
 * response.  Batches keep what was not yet sent unread when a client goes
 * away. */
static enum store_result
fetch_and_mark(struct fetching *c, const struct set *uids)
{
	struct session *s = c->s;
	struct set *todo = session_set(s), *part = session_set(s);
	struct set *some = session_set(s);
	struct flag_change seen = { .op = FLAGS_ADD, .flags = MSG_SEEN,
	    .unchangedsince = UINT64_MAX };
	uint32_t lo = 1, hi = 0;
	enum store_result r = view_each(s->view, uids, 0, unseen, todo);

	while (r == STORE_OK && hi != UINT32_MAX && !s->closing &&
	    s->out.state == STREAM_OK) {
		struct set done = { 0 }, modified = { 0 };
		uint64_t modseq;

		hi = batch(todo, lo, some);
		clip(uids, lo, hi, part);
		/* On a full disk mail can be read still. */
		if (some->n > 0 && view_store(s->view, some, &seen, &done,
		    &modified, &modseq) != STORE_OK)
			session_warn(s, "FETCH");
		c->fresh = &done;
		r = view_each(s->view, part, c->need, one, c);
		c->fresh = NULL;
		set_free(&done);
		set_free(&modified);
		lo = hi + 1;
	}
	return r;
}

static void
look(struct fetching *c, bool *marks)
{
	if (c->f.items & FETCH_SIZE)
		c->need |= NEED_SIZE;
	if (c->f.items & FETCH_DIGEST || c->f.sections > 0)
		c->need |= NEED_DIGEST;
	for (size_t i = 0; i < c->f.sections; i++) {
		c->file = c->file || !piece_kept(&c->f.section[i].section);
		*marks = *marks || !c->f.section[i].peek;
	}
	if (c->file)
		c->need |= NEED_FILE;
}

static enum result
fetch(struct session *s, struct lex *l, bool uid)
{
	struct fetching c = { .s = s };
	struct set *uids;
	bool marks = false;

	lex_space(l);
	struct seqset q = lex_seqset(l);
	lex_space(l);
	c.f = lex_fetch(l);
	if (!lex_end(l))
		return BAD;

	if (!session_uids(s, &q, uid, &uids))
		return BAD;
	if (uid)
		c.f.items |= FETCH_UID;
	look(&c, &marks);
	if (c.f.items & FETCH_FLAGS)
		updates_keywords(s);
	enum store_result r = marks && !s->readonly ?
	    fetch_and_mark(&c, uids) :
	    view_each(s->view, uids, c.need, one, &c);

	if (r == STORE_OK)
		r = c.failed;
	if (r != STORE_OK)
		return reply_store(s, r);
	if (c.undecoded == BODY_UNKNOWN_CTE)
		return reply_no(s, "UNKNOWN-CTE",
		    "Some of it is in an unknown encoding.");
	if (c.undecoded == BODY_MALFORMED)
		return reply_no(s, "PARSE", "Some of it is no base64.");
	/* A UID that names nothing is no mistake (RFC 3501 6.4.8), and UID
	 * FETCH can tell the EXPUNGE at once. */
	if (c.gone && !uid)
		return reply_no(s, "EXPUNGEISSUED",
		    "Some of the messages are gone.");
	return reply_ok(s, "Fetched.");
}

static enum result
cmd_fetch(struct session *s, struct lex *l)
{
	return fetch(s, l, false);
}

static enum result
cmd_uid_fetch(struct session *s, struct lex *l)
{
	return fetch(s, l, true);
}

const struct cmd cmds_fetch[] = {
	{ "FETCH", SEL | NOEXPUNGE, NULL, cmd_fetch },
	{ "UID FETCH", SEL, NULL, cmd_uid_fetch },
	{ 0 }
};
