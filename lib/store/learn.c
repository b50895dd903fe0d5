/* SPDX-License-Identifier: ISC */
#include "store/learn.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/die.h"
#include "store/record.h"

/* Octets of digests that one hand makes at once, and of files that it reads
 * before a client sees something; the last file may go beyond. */
enum { OUT_MAX = 1 << 20, READ_MAX = 8 << 20 };

void
hands_init(struct hands *h)
{
	*h = (struct hands){ 0 };
	crew_init(&h->crew);
}

void
hands_free(struct hands *h)
{
	crew_free(&h->crew);
	for (size_t i = 0; i < CREW_HANDS; i++)
		digester_free(&h->digester[i]);
}

void
learner_clear(struct learner *l)
{
	l->n = 0;
	for (size_t i = 0; i < CREW_HANDS; i++) {
		buf_clear(&l->out[i]);
		l->read[i] = 0;
	}
}

void
learner_add(struct learner *l, const struct unread *u)
{
	if (l->n == l->cap) {
		l->cap = l->cap == 0 ? 64 : l->cap * 2;
		l->unread = xrealloc(l->unread, l->cap * sizeof *l->unread);
	}
	l->unread[l->n++] = *u;
}

/* The digest of an open file; none if it cannot be read. */
static void
make_digest(struct learner *l, unsigned hand, struct unread *u, int fd,
    struct span file)
{
	struct buf *out = &l->out[hand];
	uint64_t size = 0, wire;

	u->hand = hand;
	u->at = out->n;
	if (digester_read(&l->hands->digester[hand], fd, file, out) != 0)
		out->n = u->at;
	u->n = out->n - u->at;
	digest_sizes(span_skip(buf_span(out), u->at), &size, &wire);
	l->read[hand] += size;
	/* What digest_open reads is 8-octet aligned. */
	while (out->n % 8 != 0)
		buf_addc(out, '\0');
}

/* Where the index says that it is; anything else is for find.  It may be the
 * second thread that does this: it uses nothing of the view. */
static bool
look_into(void *arg, unsigned hand, size_t i)
{
	struct learner *l = arg;
	struct unread *u = &l->unread[i];
	int fd = u->file == NULL || l->dir[u->dir] == -1 ? -1 :
	    message_openat(l->dir[u->dir], u->file);

	if (fd != -1) {
		make_digest(l, hand, u, fd, span_str(u->file));
		close(fd);
	}
	return l->out[hand].n < OUT_MAX && l->read[hand] < READ_MAX;
}

/* Wherever it is now. */
static void
find(struct learner *l, struct unread *u)
{
	struct buf file = { 0 };
	uint64_t object;
	int fd;
	enum store_result r = view_file(l->v, u->uid, &fd, &object, &file);

	u->gone = r == STORE_EXPUNGED || r == STORE_NONEXISTENT;
	if (r == STORE_OK) {
		errno = 0;
		make_digest(l, 0, u, fd, buf_span(&file));
		if (u->n == 0)
			store_fail(view_mailbox(l->v)->st, "read a message",
			    errno);
		close(fd);
	}
	buf_free(&file);
}

void
learner_start(struct learner *l)
{
	for (int d = CUR; d <= NEW; d++)
		l->dir[d] = mailbox_sub(view_mailbox(l->v), d);
	crew_start(&l->hands->crew, look_into, l, l->n);
	l->begun = true;
}

size_t
learner_finish(struct learner *l)
{
	size_t n = crew_finish(&l->hands->crew);

	l->begun = false;
	for (size_t i = 0; i < n; i++)
		if (l->unread[i].n == 0)
			find(l, &l->unread[i]);
	l->n = n;
	return n;
}

void
learner_stop(struct learner *l)
{
	if (l->begun)
		crew_stop(&l->hands->crew);
	l->begun = false;
}

struct span
learner_digest(const struct learner *l, size_t i)
{
	const struct unread *u = &l->unread[i];

	return u->n == 0 ? SPAN("") :
	    (struct span){ l->out[u->hand].p + u->at, u->n };
}

static void
keep_one(struct change *c, uint32_t uid, uint64_t object, struct span d)
{
	struct key o = key_object('o', object), k = key_object('d', object);
	uint64_t size, wire;
	struct span v;
	struct rec r;

	if (!txn_get(c->t, &o, &v) || !digest_sizes(d, &size, &wire))
		return;
	txn_put(c->t, &k, d);
	if (rec_alive(c->t, c->mb->id, uid, &r) &&
	    r.object == object)
		change_wire(c, uid, &r, wire);
}

void
learner_keep(struct learner *l)
{
	struct change c;
	size_t need = 0;

	for (size_t i = 0; i < l->n; i++)
		if (l->unread[i].n > 0)
			need += 4096 + l->unread[i].n;
	if (need == 0 || change_begin(&c, view_mailbox(l->v), need * 2,
	    false) != STORE_OK)
		return;
	for (size_t i = 0; i < l->n; i++)
		if (l->unread[i].n > 0)
			keep_one(&c, l->unread[i].uid, l->unread[i].object,
			    learner_digest(l, i));
	change_commit(&c);
}

void
learner_free(struct learner *l)
{
	learner_stop(l);
	free(l->unread);
	for (size_t i = 0; i < CREW_HANDS; i++)
		buf_free(&l->out[i]);
}

bool
object_digest(struct store *st, uint64_t object, struct buf *digest)
{
	struct key k = key_object('d', object);
	struct span d;
	struct txn t;

	if (txn_read(st, &t) != STORE_OK)
		return false;
	bool yes = txn_get(&t, &k, &d);
	if (yes)
		buf_add(digest, d);
	txn_abort(&t);
	return yes;
}

void
object_learn(struct view *v, uint32_t uid, uint64_t object,
    struct span digest)
{
	struct change c;

	if (change_begin(&c, view_mailbox(v), digest.n * 2 + 8192,
	    false) != STORE_OK)
		return;
	keep_one(&c, uid, object, digest);
	change_commit(&c);
}
