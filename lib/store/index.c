/* SPDX-License-Identifier: ISC */
#include "store/index.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "base/die.h"
#include "base/file.h"
#include "base/log.h"
#include "store/guard.h"
#include "store/seal.h"

enum {
	LOCK_SIZE = 65536,		/* room for about a thousand readers */
	HEADROOM = 4 << 20,		/* of the map, at first */
	RESERVE = 1 << 20,		/* on disk, for EXPUNGE when it is full */
	STEP = 256 << 10,		/* the file grows by at least that */
	PAGE_MAX = 32 << 10		/* LMDB's are no larger */
};

enum { DBI = 1 };	/* LMDB's number of what needs no opening */

#define DATA "index/data.mdb"
#define LOCK "index/lock.mdb"

struct index {
	MDB_env *env;
	int fd;			/* LMDB's descriptor of the data */
	dev_t dev;
	ino_t ino, lock_ino;
	uint64_t generation;
	size_t page;		/* octets; LMDB's, of the machine */
	const char *map;	/* what LMDB maps, of that size; NULL: unknown */
	size_t map_size;
	struct page_seen seen;
	bool damaged, stale, unwanted;
};

MDB_env *
index_env(const struct store *st)
{
	return st->ix->env;
}

uint64_t
index_generation(const struct store *st)
{
	return st->ix->generation;
}

void
index_damaged(struct store *st)
{
	st->ix->damaged = true;
}

void
index_unwanted(struct store *st)
{
	st->ix->damaged = st->ix->unwanted = true;
}

void
index_stale(struct store *st)
{
	st->ix->stale = true;
}

bool
index_again(const struct store *st, enum store_result r)
{
	return r == STORE_ERROR && st->ix->damaged && !st->look;
}

int
index_lock(struct store *st)
{
	while (flock(st->dir, LOCK_EX) == -1)
		/* A file system that cannot lock a directory (EBADF, ENOLCK)
		 * leaves LMDB's own lock, which only a deleted index evades. */
		if (errno != EINTR)
			return errno == EBADF || errno == ENOLCK ||
			    errno == EINVAL || errno == EOPNOTSUPP ? 0 : -1;
	return 0;
}

void
index_unlock(struct store *st)
{
	flock(st->dir, LOCK_UN);
}

/* LMDB's locks and its map need one kernel for all processes. */
static bool
is_remote(int fd)
{
	static const uint32_t magic[] = {
		0x6969,			/* NFS */
		0x517b, 0xff534d42, 0xfe534d42,	/* SMB, CIFS, SMB2 */
		0x01021997,		/* 9P */
		0x5346414f, 0x6b414653,	/* AFS */
		0x73757245,		/* Coda */
		0x00c36400,		/* Ceph */
		0x0bd00bd0,		/* Lustre */
		0x01161970, 0x7461636f	/* GFS2, OCFS2 */
	};
	struct statfs f;

	if (fstatfs(fd, &f) == -1)
		return false;
	for (size_t i = 0; i < COUNT(magic); i++)
		if ((uint32_t)f.f_type == magic[i])
			return true;
	return false;
}

/* A new lock file begins with what the index says now, so it is made with the
 * Maildir locked: a commit that is on its way with the old one would be
 * overwritten. */
static bool
has_lock(struct store *st)
{
	struct stat s;

	return fstatat(st->index_dir, LOCK, &s, AT_SYMLINK_NOFOLLOW) == 0 &&
	    s.st_size >= LOCK_SIZE;
}

/* LMDB maps its lock file sparse: on a full disk the first store into it
 * would be a SIGBUS, so it gets its blocks before. */
static int
reserve_lock(struct store *st)
{
	if (has_lock(st))
		return 0;
	int fd = openat(st->index_dir, LOCK,
	    O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd == -1)
		return -1;
	int e = posix_fallocate(fd, 0, LOCK_SIZE);
	close(fd);
	if (e != 0) {
		unlinkat(st->index_dir, LOCK, 0);
		errno = e;
		return -1;
	}
	return 0;
}

/* Someone cut the lock file short that we have mapped: LMDB writes into it
 * when it closes, which would be a SIGBUS. */
static void
heal_lock(struct store *st)
{
	struct stat l;

	if (st->ix->env != NULL && fstatat(st->index_dir, LOCK, &l,
	    AT_SYMLINK_NOFOLLOW) == 0 && l.st_ino == st->ix->lock_ino &&
	    l.st_size < LOCK_SIZE)
		reserve_lock(st);
}

static void
env_close(struct index *ix)
{
	if (ix->env != NULL)
		mdb_env_close(ix->env);
	ix->env = NULL;
	ix->fd = -1;
	ix->map = NULL;
	ix->stale = false;
}

/* Whether the directory of the index is where it was: it may have been
 * deleted, or moved away, and another process has made a new one. */
static bool
in_place(const struct store *st)
{
	struct stat a, b;

	return fstat(st->index_dir, &a) == 0 &&
	    stat(st->index_path, &b) == 0 && a.st_dev == b.st_dev &&
	    a.st_ino == b.st_ino;
}

/* Whether the path leads to what is open, and all of it is there. */
static bool
is_same(struct store *st)
{
	struct index *ix = st->ix;
	struct stat d, l;
	MDB_envinfo info;

	if (ix->env == NULL || ix->damaged || ix->stale || !in_place(st) ||
	    fstatat(st->index_dir, DATA, &d, AT_SYMLINK_NOFOLLOW) == -1 ||
	    fstatat(st->index_dir, LOCK, &l, AT_SYMLINK_NOFOLLOW) == -1 ||
	    d.st_dev != ix->dev || d.st_ino != ix->ino ||
	    l.st_ino != ix->lock_ino || l.st_size < LOCK_SIZE ||
	    (size_t)d.st_size < 2 * ix->page)
		return false;
	/* A page beyond the end of the file would be a SIGBUS; it may have
	 * grown since it was looked at. */
	mdb_env_info(ix->env, &info);
	return (uint64_t)d.st_size / ix->page > info.me_last_pgno ||
	    (fstat(ix->fd, &d) == 0 &&
	    (uint64_t)d.st_size / ix->page > info.me_last_pgno);
}

void
index_enter(const struct store *st)
{
	if (!st->look)
		guard_begin(st->index_dir, DATA, st->ix->dev, st->ix->ino);
}

void
index_leave(const struct store *st)
{
	if (!st->look)
		guard_end();
}

/* 0 if LMDB can open what is there, MDB_INVALID if not; or an errno, which
 * says nothing of the index. */
static int
opens(const struct store *st)
{
	int fd = openat(st->index_dir, DATA,
	    O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	size_t page = (size_t)sysconf(_SC_PAGESIZE);

	if (fd == -1)
		return errno == ELOOP || errno == ENXIO ? MDB_INVALID : errno;
	bool yes = page_opens(fd, page < PAGE_MAX ? page : PAGE_MAX);

	close(fd);
	return yes ? 0 : MDB_INVALID;
}

/* LMDB does not tell where it maps the file, but where a value is. */
static bool
find_map(struct index *ix, MDB_txn *t, uint64_t committed, size_t map_size)
{
	MDB_val k = { 1, (void *)(uintptr_t)"R" }, v;
	uint64_t at = page_locate(ix->fd, ix->page, committed, SPAN("R"));

	if (at == 0 || mdb_get(t, DBI, &k, &v) != 0)
		return false;
	ix->map = (const char *)v.mv_data - at;
	ix->map_size = map_size;
	return true;
}

bool
index_tree(struct store *st, MDB_txn *t, bool write, struct page_tree *tree,
    size_t *map_size)
{
	struct index *ix = st->ix;
	uint64_t committed = mdb_txn_id(t) - write;
	MDB_envinfo info;

	mdb_env_info(ix->env, &info);
	*map_size = info.me_mapsize;
	if ((ix->map == NULL || ix->map_size != *map_size) &&
	    !find_map(ix, t, committed, *map_size))
		return false;
	if (write && !(page_begin(tree, PAGE_FREE, ix->map, *map_size,
	    ix->page, committed, NULL) && (tree->write = true) &&
	    page_free_list(tree)))
		return false;
	if (!page_begin(tree, PAGE_MAIN, ix->map, *map_size, ix->page,
	    committed, &ix->seen))
		return false;
	tree->write = write;
	return true;
}

/* 0, or LMDB's or the system's error. */
static int
env_open(struct store *st)
{
	struct index *ix = st->ix;
	struct stat s, l;
	struct buf path = { 0 };
	MDB_stat page;
	size_t size = 0;
	int e, dead;

	if (reserve_lock(st) == -1 ||
	    fstatat(st->index_dir, LOCK, &l, AT_SYMLINK_NOFOLLOW) == -1)
		return errno;
	/* LMDB would follow a link. */
	if (fstatat(st->index_dir, DATA, &s, AT_SYMLINK_NOFOLLOW) == 0) {
		if (!S_ISREG(s.st_mode))
			return MDB_INVALID;
		if ((e = opens(st)) != 0)
			return e;
		size = (size_t)s.st_size;
	}
	ix->lock_ino = l.st_ino;
	size = (size + size / 8 + HEADROOM) & ~(size_t)0xfffff;
	if ((e = mdb_env_create(&ix->env)) != 0)
		return e;
	mdb_env_set_mapsize(ix->env, size);
	buf_adds(&path, st->index_path);
	buf_adds(&path, "/index");
	e = mdb_env_open(ix->env, buf_cstr(&path),
	    st->look ? MDB_NOTLS | MDB_RDONLY : MDB_NOTLS, 0600);
	buf_free(&path);
	if (e == 0)
		e = mdb_env_get_fd(ix->env, &ix->fd);
	if (e == 0)
		e = mdb_env_stat(ix->env, &page);
	if (e == 0 && fstat(ix->fd, &s) == -1)
		e = errno;
	if (e != 0) {
		env_close(ix);
		return e;
	}
	fcntl(ix->fd, F_SETFD, FD_CLOEXEC);
	ix->dev = s.st_dev;
	ix->ino = s.st_ino;
	ix->page = page.ms_psize;
	ix->damaged = false;
	ix->generation++;
	mdb_reader_check(ix->env, &dead);
	return 0;
}

/* Move a bad index out of the way and remove it.  The lock is held. */
static enum store_result
discard(struct store *st, const char *why)
{
	char name[40];
	uint64_t r;
	struct buf b = { 0 };
	bool tell = !st->ix->unwanted;

	st->ix->unwanted = false;
	env_close(st->ix);
	random_fill(&r, sizeof r);
	buf_addf(&b, "dead.%016llx", (unsigned long long)r);
	memcpy(name, buf_cstr(&b), b.n + 1);
	if (renameat(st->index_dir, "index", st->index_dir, name) == -1) {
		buf_free(&b);
		return errno == ENOENT ? STORE_OK :
		    store_fail(st, "set the damaged index aside", errno);
	}
	if (tell)
		log_warn("%s/index: %s; it is made anew", st->index_path, why);
	buf_adds(&b, "/data.mdb");
	unlinkat(st->index_dir, buf_cstr(&b), 0);
	b.n -= 8;
	buf_adds(&b, "lock.mdb");
	unlinkat(st->index_dir, buf_cstr(&b), 0);
	unlinkat(st->index_dir, name, AT_REMOVEDIR);
	buf_free(&b);
	return STORE_OK;
}

/* 1 if the index says that it is ours, 0 if it is empty, else -1; or an error
 * of LMDB that says nothing of the index. */
static int
read_root(const struct store *st)
{
	const struct index *ix = st->ix;
	MDB_val k = { 1, (void *)(uintptr_t)"R" }, v;
	struct root r;
	MDB_stat all;
	MDB_txn *t;
	MDB_dbi dbi;

	index_enter(st);
	int e = mdb_txn_begin(ix->env, NULL, MDB_RDONLY, &t);

	if (e != 0) {
		index_leave(st);
		return e == MDB_READERS_FULL || e == ENOMEM ? e : -1;
	}
	/* Where there is anything, there is that. */
	if ((e = mdb_dbi_open(t, NULL, 0, &dbi)) == 0 &&
	    (e = mdb_stat(t, dbi, &all)) == 0)
		e = all.ms_entries == 0 && all.ms_depth == 0 ? MDB_NOTFOUND :
		    page_locate(ix->fd, ix->page, mdb_txn_id(t),
		    SPAN("R")) == 0 ? MDB_CORRUPTED :
		    mdb_get(t, dbi, &k, &v) == 0 ? 0 : MDB_CORRUPTED;
	if (e == 0) {
		e = -1;
		if (v.mv_size == sizeof r + SEAL && seal_check(SPAN("R"),
		    (struct span){ v.mv_data, v.mv_size })) {
			memcpy(&r, v.mv_data, sizeof r);
			if (memcmp(r.magic, "lemon\0\0", 8) == 0 &&
			    r.version == INDEX_VERSION)
				e = 1;
		}
	} else
		e = e == MDB_NOTFOUND ? 0 : -1;
	mdb_txn_abort(t);
	index_leave(st);
	return e;
}

static int
write_root(const struct store *st)
{
	const struct index *ix = st->ix;
	struct root r = { .magic = "lemon\0\0", .version = INDEX_VERSION,
		.next_mailbox = 1 };
	char sealed[sizeof r + SEAL];
	MDB_val k = { 1, (void *)(uintptr_t)"R" }, v = { sizeof sealed,
		sealed };
	MDB_txn *t;
	MDB_dbi dbi;
	uint32_t epoch;

	/* Who had the index before this one open may still hold numbers of
	 * its objects; here they are to mean nothing. */
	random_fill(&epoch, sizeof epoch);
	r.next_object = ((uint64_t)epoch >> 1) << 32 | 1;
	memcpy(sealed, &r, sizeof r);
	seal_put(SPAN("R"), sealed, sizeof r);
	index_enter(st);
	int e = mdb_txn_begin(ix->env, NULL, 0, &t);
	if (e == 0) {
		if ((e = mdb_dbi_open(t, NULL, 0, &dbi)) == 0)
			e = mdb_put(t, dbi, &k, &v, 0);
		if (e != 0)
			mdb_txn_abort(t);
		else
			e = mdb_txn_commit(t);
	}
	index_leave(st);
	return e;
}

static void
sync_dirs(struct store *st)
{
	int fd = openat(st->index_dir, "index", O_RDONLY | O_DIRECTORY |
	    O_CLOEXEC);

	if (fd != -1) {
		fsync(fd);
		close(fd);
	}
	fsync(st->index_dir);
}

/* Close what opened, but cannot be read now, and say why. */
static enum store_result
not_now(struct store *st, int e)
{
	env_close(st->ix);
	if (e != MDB_READERS_FULL)
		return store_fail(st, "read the index", e);
	store_fail(st, "too many readers of the index", 0);
	return STORE_INUSE;
}

/* Open what is there, else make it.  The lock is held, so nobody else makes
 * or removes it; people with a shell still may. */
static enum store_result
open_or_make(struct store *st)
{
	for (int try = 0; try < 4; try++) {
		struct stat s;
		bool new = false;

		if (fstatat(st->index_dir, DATA, &s, AT_SYMLINK_NOFOLLOW) == -1 &&
		    errno == ENOENT) {
			/* Its lock file may still be someone's. */
			unlinkat(st->index_dir, LOCK, 0);
			new = true;
			if (mkdirat(st->index_dir, "index", 0700) == -1 &&
			    errno != EEXIST)
				return store_fail(st, "make the index", errno);
		}
		int e = env_open(st);
		if (e == ENOSPC || e == EDQUOT || e == EMFILE || e == ENFILE ||
		    e == ENOMEM || e == EACCES || e == EPERM || e == EROFS ||
		    e == EIO || e == EINTR)
			return store_fail(st, e == ENOMEM ?
			    "map the index (is the memory limit too low?)" :
			    "open the index", e);
		int found = e == 0 && is_same(st) ? read_root(st) : -1;
		if (found == 1)
			return STORE_OK;
		if (found == ENOMEM || found == MDB_READERS_FULL)
			return not_now(st, found);
		/* In a lock file of unknown history a dead process may hold
		 * LMDB's lock for ever. */
		if (found == 0 && new) {
			e = write_root(st);
			sync_dirs(st);
			if (e == 0)
				return index_grow(st, 0, true);
			env_close(st->ix);
			return store_fail(st, "make the index", e > 0 ? e : EIO);
		}
		enum store_result r = discard(st, e > 0 ? strerror(e) :
		    e < 0 ? mdb_strerror(e) : found == 0 ? "it is empty" :
		    "it is damaged, or of another version");
		if (r != STORE_OK)
			return r;
	}
	return store_fail(st, "the index does not stay what it is", 0);
}

/* Where many may make directories, one made before ours came would show its
 * maker whatever is in the index.  Root's and the Maildir's owner's are good. */
static bool
is_ours(const struct store *st)
{
	struct stat s, m;

	return fstat(st->index_dir, &s) == 0 && fstat(st->dir, &m) == 0 &&
	    (s.st_uid == 0 || s.st_uid == geteuid() || s.st_uid == m.st_uid);
}

/* Open, or make, the directory that the index is in; it may be deleted too. */
static enum store_result
open_dir(struct store *st)
{
	if (st->index_dir != -1) {
		if (in_place(st))
			return STORE_OK;
		close(st->index_dir);
	}
	if (mkdirat(AT_FDCWD, st->index_path, 0700) == -1 && errno != EEXIST)
		return store_fail(st, st->index_path, errno);
	st->index_dir = openat(AT_FDCWD, st->index_path,
	    O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (st->index_dir == -1)
		return store_fail(st, st->index_path, errno);
	if (!is_ours(st)) {
		close(st->index_dir);
		st->index_dir = -1;
		return store_fail(st, "the directory of the index is somebody "
		    "else's", 0);
	}
	if (is_remote(st->index_dir))
		return store_fail(st, "the index is on a network file system; "
		    "see the control file index", 0);
	return STORE_OK;
}

/* The lock is held.  Who deletes an index by hand may come to its directory
 * when we have put a new one there, or are about to. */
static enum store_result
make_all(struct store *st)
{
	enum store_result r = STORE_NONEXISTENT;

	for (int try = 0; try < 4 && r == STORE_NONEXISTENT; try++)
		if ((r = open_dir(st)) == STORE_OK)
			r = open_or_make(st);
	return r;
}

bool
index_there(struct store *st)
{
	struct stat s;

	if (st->index_dir == -1)
		st->index_dir = openat(AT_FDCWD, st->index_path,
		    O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return st->index_dir != -1 &&
	    fstatat(st->index_dir, DATA, &s, AT_SYMLINK_NOFOLLOW) == 0;
}

/* Open what is there, and leave it as it is. */
static enum store_result
only_look(struct store *st)
{
	env_close(st->ix);
	if (!index_there(st))
		return store_fail(st, "there is no index", ENOENT);
	if (st->ix->damaged)
		return store_fail(st, "the index is damaged", 0);
	int e = env_open(st);
	if (e > 0)
		return store_fail(st, "open the index", e);
	int found = e == 0 && is_same(st) ? read_root(st) : -1;
	if (found == ENOMEM || found == MDB_READERS_FULL)
		return not_now(st, found);
	if (found != 1)
		return store_fail(st, "the index is damaged, or of another "
		    "version", 0);
	return STORE_OK;
}

enum store_result
index_check(struct store *st, bool locked)
{
	enum store_result r;

	if (st->ix->env != NULL && is_same(st))
		return STORE_OK;
	if (st->look)
		return only_look(st);
	heal_lock(st);
	env_close(st->ix);
	if ((r = open_dir(st)) != STORE_OK)
		return r;
	if (!st->ix->damaged && has_lock(st) && index_there(st) &&
	    env_open(st) == 0 && is_same(st) && read_root(st) == 1)
		return STORE_OK;
	env_close(st->ix);
	if (!locked && index_lock(st) == -1)
		return store_fail(st, "lock the Maildir", errno);
	if (st->ix->damaged && discard(st, "it is damaged") != STORE_OK) {
		if (!locked)
			index_unlock(st);
		return STORE_ERROR;
	}
	r = make_all(st);
	if (!locked)
		index_unlock(st);
	return r;
}

/* The size that the file itself names may be damaged. */
int
index_follow(struct store *st)
{
	MDB_envinfo info;

	mdb_env_info(st->ix->env, &info);
	size_t size = (info.me_last_pgno + 1) * st->ix->page;
	size += size / 8 + HEADROOM;
	return mdb_env_set_mapsize(st->ix->env, size & ~(size_t)0xfffff);
}

enum store_result
index_grow(struct store *st, size_t need, bool reserve)
{
	struct index *ix = st->ix;
	MDB_envinfo info;
	struct stat s;

	mdb_env_info(ix->env, &info);
	size_t used = (info.me_last_pgno + 1) * ix->page;
	size_t want = used + need + RESERVE;
	if (want > info.me_mapsize) {
		size_t size = want + want / 4 + HEADROOM;
		int e = mdb_env_set_mapsize(ix->env, size & ~(size_t)0xfffff);

		if (e != 0) {
			index_stale(st);	/* unmapped: open it again */
			return store_fail(st,
			    "map the index (is the memory limit too low?)",
			    e > 0 ? e : ENOMEM);
		}
	}
	/* What LMDB writes beyond that is an error of write(2) when the disk
	 * is full; the reserve is for those who make room. */
	want = used + RESERVE;
	if (fstat(ix->fd, &s) == -1)
		return store_fail(st, "look at the index", errno);
	if ((size_t)s.st_size >= want)
		return STORE_OK;
	off_t more = (off_t)want - s.st_size;
	if (more < STEP)
		more = STEP;
	while (fallocate(ix->fd, 0, s.st_size, more) == -1) {
		if (errno == EINTR)
			continue;
		if (errno == EOPNOTSUPP || reserve)
			break;
		return store_fail(st, "make room in the index", errno);
	}
	return STORE_OK;
}

enum store_result
index_open(struct store *st)
{
	st->ix = xcalloc(1, sizeof *st->ix);
	st->ix->fd = -1;
	return st->look ? STORE_OK : index_check(st, false);
}

void
index_close(struct store *st)
{
	if (st->ix == NULL)
		return;
	env_close(st->ix);
	free(st->ix->seen.when);
	free(st->ix);
	st->ix = NULL;
}
