/* SPDX-License-Identifier: ISC */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/die.h"
#include "mime/digest.h"
#include "store/bits.h"
#include "store/check_internal.h"
#include "store/filename.h"
#include "store/keyword.h"
#include "store/letters.h"

enum { TICK = 1000, BATCH = 64 };

/* What the records come to, to be compared with the counters. */
struct sums {
	uint32_t messages, unseen, deleted, unsized, tombstones, pending,
	    late;
	uint64_t bytes;
};

static void
fault(struct checking *k, enum fault f, uint32_t uid)
{
	set_add(&k->fault[f], uid, uid);
}

static bool
has(struct checking *k, const struct key *key)
{
	struct span v;

	return txn_get(&k->t, key, &v);
}

/* --- a record and the files --- */

static int
by_name(const void *a, const void *b)
{
	const struct there *x = a, *y = b;

	return x->hash < y->hash ? -1 : x->hash > y->hash;
}

/* The file of that name; else another of the same base, or NULL. */
static struct there *
find_file(struct checking *k, int dir, struct span name)
{
	struct there key = { .hash = letters_hash(filename_base(name)) };
	struct there *e = k->n == 0 ? NULL :
	    bsearch(&key, k->f, k->n, sizeof *k->f, by_name), *other = NULL;

	if (e == NULL)
		return NULL;
	while (e > k->f && e[-1].hash == key.hash)
		e--;
	for (; e < k->f + k->n && e->hash == key.hash; e++) {
		if (e->dir == dir && span_eq(e->name, name))
			return e;
		if (span_eq(filename_base(e->name), filename_base(name)))
			other = e;
	}
	return other;
}

/* A file that is as big as its name says, and as its digest does. */
static void
check_file(struct checking *k, uint32_t uid, const struct rec *r,
    const struct there *e)
{
	struct key d = key_object('d', r->object);
	uint64_t named, size, wire;
	struct span digest;
	struct stat s;

	if (fstatat(mailbox_sub(k->mb, e->dir), (char *)e->name.p, &s,
	    AT_SYMLINK_NOFOLLOW) == -1)
		return;
	if (filename_size(e->name, &named) && named != (uint64_t)s.st_size)
		fault(k, OTHER_SIZE, uid);
	if (!txn_get(&k->t, &d, &digest)) {
		fault(k, NO_DIGEST, uid);
		return;
	}
	if (!digest_sizes(digest, &size, &wire) ||
	    (r->wire != 0 && wire != r->wire))
		fault(k, BAD_DIGEST, uid);
	else if (size != (uint64_t)s.st_size)
		fault(k, OTHER_DIGEST, uid);
}

static void
against_files(struct checking *k, uint32_t uid, const struct rec *r, int dir,
    struct span name)
{
	struct there *e = find_file(k, dir, name);
	bool gone = (r->flags & REC_GONE) != 0;

	if (e == NULL) {
		if (!gone && k->settled[dir])
			fault(k, NO_FILE, uid);
		return;
	}
	bool same = e->dir == dir && span_eq(e->name, name);
	if (same || e->inode == r->inode)
		e->known = true;
	if (gone)
		fault(k, STILL_THERE, uid);
	else if (!same && k->settled[dir] && k->settled[e->dir])
		fault(k, OTHER_NAME, uid);
	else if (e->inode != r->inode && k->settled[dir])
		fault(k, OTHER_FILE, uid);
	else
		check_file(k, uid, r, e);
}

/* --- a record and the list --- */

/* Whether the keywords of the record are those of the list. */
static bool
same_keywords(struct checking *k, uint32_t uid, const struct rec *r)
{
	size_t n, listed = 0;
	const uint32_t *set = set_keywords(k->mb, &k->t, r->set, &n);

	for (size_t i = 0; i < k->l.keywords; i++)
		listed += set_has(&k->l.has[i], uid);
	if (listed != n)
		return false;
	for (size_t i = 0; i < n; i++)
		if (set[i] >= k->l.keywords ||
		    !set_has(&k->l.has[set[i]], uid))
			return false;
	return true;
}

/* Whether both have the same flags that the file's name does not tell. */
static bool
same_late(struct checking *k, uint32_t uid, const struct rec *r)
{
	uint32_t flags, late = uidlist_late_flags(&k->l, uid, &flags);

	return late == rec_late(r) && flags == (r->flags & late);
}

static void
against_list(struct checking *k, uint32_t uid, const struct rec *r,
    struct span name)
{
	const struct uidlist_msg *m = uidlist_find(&k->l, uid);

	if (m == NULL)
		fault(k, NOT_LISTED, uid);
	else if (!span_eq(m->base, filename_base(name)))
		fault(k, LISTED_OTHER, uid);
	else if (m->gone)
		fault(k, LISTED_GONE, uid);
	else if (!same_keywords(k, uid, r))
		fault(k, OTHER_KEYWORDS, uid);
	else if (!same_late(k, uid, r))
		fault(k, OTHER_LATE, uid);
}

/* --- the index against itself --- */

static void
check_name(struct checking *k, uint32_t uid, const struct rec *r)
{
	bool gone = (r->flags & REC_GONE) != 0;
	struct key u = key_uid('u', k->mb->id, uid);
	struct span name;
	uint64_t full = 0;
	int dir;

	if (!rec_name(&k->t, k->mb->id, uid, &dir, &name)) {
		fault(k, NO_NAME, uid);
		return;
	}
	struct key n = key_name(k->mb->id,
	    letters_hash(filename_base(name)), uid);
	if (!txn_get_fixed(&k->t, &n, &full, sizeof full) ||
	    full != full_hash(dir, name))
		fault(k, NO_LOOKUP, uid);
	if (!gone && has(k, &u) != (dir == NEW))
		fault(k, NEW_MARK, uid);
	if (!gone && dir == CUR &&
	    ((letters_flags(filename_flags(name)) ^ r->flags) & REC_FLAGS &
	    ~rec_late(r)) != 0)
		fault(k, OTHER_FLAGS, uid);
	if (!gone && rec_late(r) != 0)
		fault(k, OLD_NAME, uid);
	if (!gone && k->listed)
		against_list(k, uid, r, name);
	against_files(k, uid, r, dir, name);
}

static void
check_record(struct checking *k, uint32_t uid, const struct rec *r,
    const struct bits *present, struct sums *s)
{
	bool gone = (r->flags & REC_GONE) != 0;
	struct key p = key_uid('p', k->mb->id, uid);
	struct key j = key_modseq(gone ? 't' : 'j', k->mb->id, r->modseq, uid);
	struct key o = key_object('o', r->object);

	if (!has(k, &j))
		fault(k, NO_JOURNAL, uid);
	if (gone == bits_has(present, uid))
		fault(k, NO_BIT, uid);
	if (gone) {
		s->tombstones++;
		if (!has(k, &p))
			return;
		s->pending++;
	} else {
		s->messages++;
		s->unseen += !(r->flags & MSG_SEEN);
		s->deleted += (r->flags & MSG_DELETED) != 0;
		s->late += rec_late(r) != 0;
		s->unsized += r->wire == 0;
		s->bytes += r->wire;
	}
	if (!has(k, &o))
		fault(k, NO_OBJECT, uid);
	check_name(k, uid, r);
}

/* How many entries of a kind the mailbox has. */
static uint64_t
entries(struct checking *k, char kind)
{
	struct key from = key_mailbox(kind, k->mb->id);
	struct walk w;
	uint64_t n = 0;

	walk_start(&w, &k->t, &from, from.n);
	while (walk_next(&w))
		n++;
	walk_end(&w);
	return n;
}

static void
compare(struct checking *k, const char *what, uint64_t count, uint64_t real)
{
	if (count != real)
		check_say(k, check_rebuild, "the index counts %llu %s and has "
		    "%llu", (unsigned long long)count, what,
		    (unsigned long long)real);
}

static void
compare_bits(struct checking *k, int kind, const char *what, uint64_t real)
{
	struct bits b = { 0 };

	bits_load(&b, &k->t, k->mb->id, kind);
	compare(k, what, b.total, real);
	bits_free(&b);
}

static void
compare_sums(struct checking *k, const struct sums *s)
{
	const struct meta *m = &k->m;

	compare(k, "messages", m->messages, s->messages);
	compare(k, "unseen messages", m->unseen, s->unseen);
	compare(k, "deleted messages", m->deleted, s->deleted);
	compare(k, "messages of unknown size", m->unsized, s->unsized);
	compare(k, "octets", m->bytes, s->bytes);
	compare(k, "tombstones", m->tombstones, s->tombstones);
	compare(k, "files to unlink", m->pending, s->pending);
	compare(k, "keywords", m->keywords, entries(k, 'w'));
	compare(k, "sets of keywords", m->sets, entries(k, 'k'));
	compare(k, "look-ups of keywords", m->sets, entries(k, 'q'));
	compare(k, "changes", m->messages, entries(k, 'j'));
	compare(k, "expunges", m->tombstones, entries(k, 't'));
	compare(k, "unlinks", m->pending, entries(k, 'p'));
	compare(k, "file names", (uint64_t)m->messages + m->pending,
	    entries(k, 'f'));
	compare(k, "look-ups of names", (uint64_t)m->messages + m->pending,
	    entries(k, 'n'));
	compare(k, "files to rename", m->late, s->late);
	compare_bits(k, LATE, "files to rename (bitmap)", s->late);
	compare_bits(k, SEEN, "seen messages (bitmap)",
	    s->messages - s->unseen);
	compare_bits(k, DELETED, "deleted messages (bitmap)", s->deleted);
}

static void
tick(struct checking *k)
{
	if (++k->done % TICK == 0 && k->ask->progress != NULL)
		k->ask->progress(k->ask->arg, k->ask->messages + k->done, 0);
}

void
check_records(struct checking *k)
{
	struct key from = key_uid('m', k->mb->id, 0);
	struct bits present = { 0 }, missed;
	struct sums s = { 0 };
	struct walk w;

	if (k->n > 0)
		qsort(k->f, k->n, sizeof *k->f, by_name);
	names_load(k->mb, &k->t, &k->m);
	bits_load(&present, &k->t, k->mb->id, PRESENT);
	compare(k, "messages (bitmap)", present.total, k->m.messages);
	missed = (struct bits){ 0 };
	bits_load(&missed, &k->t, k->mb->id, PRESENT);
	walk_start(&w, &k->t, &from, 5);
	while (walk_next(&w)) {
		uint32_t uid = key_get_u32(&w.key, 5);
		struct rec r;

		tick(k);
		bits_set(&missed, uid, false);
		if (w.val.mv_size != sizeof r) {
			fault(k, NO_RECORD, uid);
			continue;
		}
		memcpy(&r, w.val.mv_data, sizeof r);
		if (uid >= k->m.uidnext)
			check_say(k, check_rebuild,
			    "uid %u is above UIDNEXT %u", uid, k->m.uidnext);
		if (r.modseq > k->m.modseq)
			check_say(k, check_rebuild, "uid %u has a MODSEQ "
			    "above the highest", uid);
		check_record(k, uid, &r, &present, &s);
	}
	walk_end(&w);
	for (uint32_t uid = bits_next(&missed, 1); uid != 0;
	    uid = bits_next(&missed, uid + 1))
		fault(k, NO_RECORD, uid);
	bits_free(&missed);
	bits_free(&present);
	compare_sums(k, &s);
}

/* --- digests against their messages --- */

struct look {
	uint32_t uid;
	int dir;
	char name[256];
	struct buf digest;
};

static size_t
collect(struct checking *k, struct txn *t, uint32_t *uid,
    struct look look[BATCH])
{
	struct key from = key_uid('m', k->mb->id, *uid);
	struct walk w;
	size_t n = 0;

	walk_start(&w, t, &from, 5);
	while (n < BATCH && walk_next(&w)) {
		struct look *l = &look[n];
		struct span name, digest;
		struct rec r;

		*uid = key_get_u32(&w.key, 5) + 1;
		if (w.val.mv_size != sizeof r)
			continue;
		memcpy(&r, w.val.mv_data, sizeof r);
		struct key d = key_object('d', r.object);
		if ((r.flags & REC_GONE) || !txn_get(t, &d, &digest) ||
		    !rec_name(t, k->mb->id, *uid - 1, &l->dir, &name) ||
		    name.n >= sizeof l->name)
			continue;
		memcpy(l->name, name.p, name.n);
		l->name[name.n] = '\0';
		l->uid = *uid - 1;
		buf_add(&l->digest, digest);
		n++;
	}
	walk_end(&w);
	return n;
}

static void
read_one(struct checking *k, struct look *l)
{
	struct buf made = { 0 };
	int fd = openat(mailbox_sub(k->mb, l->dir), l->name,
	    O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);

	/* What is renamed meanwhile the other look tells. */
	if (fd == -1 && (errno == ENOENT || check_starved(k->ask,
	    store_fail(k->mb->st, l->name, errno))))
		return;
	if (fd == -1 || digest_make(fd, span_str(l->name), &made) != 0)
		fault(k, UNREADABLE, l->uid);
	else if (!span_eq(buf_span(&made), buf_span(&l->digest)))
		fault(k, OTHER_DIGEST, l->uid);
	if (fd != -1)
		close(fd);
	buf_free(&made);
}

void
check_digests(struct checking *k)
{
	struct look *look = xcalloc(BATCH, sizeof *look);
	uint32_t uid = 1;
	struct txn t;
	struct meta m;
	size_t n;

	/* No snapshot is kept while files are read. */
	do {
		enum store_result r = txn_read(k->mb->st, &t);

		check_starved(k->ask, r);
		if (r != STORE_OK)
			break;
		bool same = k->mb->generation == index_generation(k->mb->st) &&
		    meta_get(&t, k->mb->id, &m);
		n = same ? collect(k, &t, &uid, look) : 0;
		txn_abort(&t);
		for (size_t i = 0; i < n; i++) {
			tick(k);
			read_one(k, &look[i]);
			buf_free(&look[i].digest);
		}
	} while (n == BATCH);
	free(look);
}
