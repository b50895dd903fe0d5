/* SPDX-License-Identifier: ISC */
#include "store/page.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../../t.h"
#include "base/file.h"
#include "page.h"

enum { KEYS = 6000, BIG_EACH = 500 };

static MDB_env *env;
static int fd;
static char *file;		/* a copy of it */
static size_t size, octets;
static uint64_t txn;
static struct page_seen seen;

static void
take_copy(void)
{
	struct stat s;
	MDB_envinfo info;

	mdb_env_info(env, &info);
	txn = info.me_last_txnid;
	if (fstat(fd, &s) == -1)
		die_temp("fstat");
	octets = (info.me_last_pgno + 1) * size;
	file = xrealloc(file, octets);
	if (file_pread(fd, file, octets, 0) != (ssize_t)octets)
		die_temp("read");
}

/* Whether the ways to all keys are good in the copy, by steps of that. */
static bool
all_good(int step, bool write)
{
	struct page_tree t;
	struct page_range r = { 0 };
	char k[16];

	if (!page_begin(&t, PAGE_MAIN, file, octets, size, txn, &seen))
		return false;
	t.write = write;
	for (int i = 0; i < KEYS; i += step)
		if (!page_covers(&r, t_key(k, i)) &&
		    !page_way(&t, t_key(k, i), true, &r))
			return false;
	return true;
}

static bool
free_good(void)
{
	struct page_tree t;

	if (!page_begin(&t, PAGE_FREE, file, octets, size, txn, NULL))
		return false;
	t.write = true;
	return page_free_list(&t);
}

static uint16_t
kind(size_t page)
{
	uint16_t k;

	memcpy(&k, file + page * size + 10, sizeof k);
	return k;
}

/* Each page in the place of each other: what is not seen is of a page that no
 * way leads through. */
static void
test_exchanged(void)
{
	size_t pages = octets / size;
	char *was = xmalloc(size);
	bool branches = true, leaves = true;

	for (size_t a = 2; a < pages; a++) {
		size_t b = 2 + (a * 7 + 1) % (pages - 2);
		bool in_use;

		if (a == b)
			continue;
		/* Whether it is on a way tells what zeros there do. */
		memcpy(was, file + a * size, size);
		memset(file + a * size, 0, size);
		in_use = !all_good(1, false);
		memcpy(file + a * size, file + b * size, size);
		if (in_use && all_good(1, false))
			*(kind(a) == 1 ? &branches : &leaves) = false;
		memcpy(file + a * size, was, size);
	}
	ok(branches, "a branch in the place of a page that is in use is seen");
	ok(leaves, "and so is anything else");
	ok(all_good(1, true), "as it was, it is good again");
	free(was);
}

/* Nothing that is read leads out of the copy: the sanitizer looks. */
static void
test_flipped(void)
{
	unsigned long long r = 88172645463325252ull;
	int caught = 0, missed = 0;

	for (int i = 0; i < 4000; i++) {
		r ^= r << 13;
		r ^= r >> 7;
		r ^= r << 17;
		/* Mostly in heads and places. */
		size_t page = (r >> 32) % (octets / size);
		size_t at = page * size + (i % 4 == 0 ? r % size : r % 64);
		char was = file[at];

		file[at] ^= (char)(1 << (r >> 20) % 8);
		if (all_good(97, i % 2) && (i % 2 == 0 || free_good()))
			missed++;
		else
			caught++;
		file[at] = was;
	}
	ok(caught > 200, "flipped bits in heads of pages are seen");
	printf("# %d seen, %d in what no way leads through\n", caught, missed);
}

static void
test_head(void)
{
	struct { size_t at; const char *what; } v[] = {
		{ 0, "the number of a page" }, { 10, "its kind" },
		{ 13, "where its entries end" },
		{ 15, "where its free room ends" },
		{ 17, "the place of an entry" }
	};
	struct page_tree t;
	struct page_range r;
	char k[16];

	page_begin(&t, PAGE_MAIN, file, octets, size, txn, &seen);
	page_way(&t, t_key(k, 3001), false, &r);
	ok(r.known && r.leaf >= 2 && page_covers(&r, t_key(k, 3001)) &&
	    !page_covers(&r, t_key(k, 0)) && !page_covers(&r, t_key(k, KEYS - 1)),
	    "a way is good for the keys of its leaf alone");
	for (size_t i = 0; i < COUNT(v); i++) {
		file[r.leaf * size + v[i].at] ^= 0x20;
		page_begin(&t, PAGE_MAIN, file, octets, size, txn, &seen);
		struct page_range other;
		ok(!page_way(&t, t_key(k, 3001), false, &other), v[i].what);
		file[r.leaf * size + v[i].at] ^= 0x20;
	}
}

static void
test_first(void)
{
	static const size_t at[] = { 16, 20, 40, 44, 46, 87, 92, 94, 135,
		143 };
	bool all = true;

	ok(page_opens(fd, size), "LMDB can open what it made");
	ok(!page_opens(fd, 2 * size), "pages of another size it cannot");
	for (size_t i = 0; i < COUNT(at); i++) {
		char c, d;

		if (pread(fd, &c, 1, (off_t)at[i]) != 1)
			die_temp("read");
		d = c ^ 0x41;
		if (pwrite(fd, &d, 1, (off_t)at[i]) != 1)
			die_temp("write");
		if (page_opens(fd, size)) {
			printf("# octet %zu\n", at[i]);
			all = false;
		}
		if (pwrite(fd, &c, 1, (off_t)at[i]) != 1)
			die_temp("write");
	}
	ok(all, "nor what its first pages cannot be");
	ok(page_opens(fd, size), "and as it was it can again");
}

static void
test_places(void)
{
	char k[16], v[4];
	uint64_t at = page_locate(fd, size, txn, t_key(k, 4321));

	ok(at != 0 && pread(fd, v, sizeof v, (off_t)at) == 4 &&
	    memcmp(v, "ccc", 3) == 0, "a value is found in the file");
	ok(page_locate(fd, size, txn, SPAN("key")) == 0,
	    "what is not there is not");
	ok(page_locate(fd, size, txn, t_key(k, BIG_EACH)) == 0,
	    "nor is what lies beside the tree");
	ok(page_locate(fd, size, txn + 5, t_key(k, 4321)) == 0,
	    "of another transaction nothing is known");
	ok(pread(fd, v, 1, (off_t)(txn & 1) * (off_t)size) == 1,
	    "it was only read");
}

int
main(void)
{
	const struct t_keys keys = { KEYS, BIG_EACH };
	char dir[] = "/tmp/lemon-page.XXXXXX", path[64];

	if (mkdtemp(dir) == NULL)
		return 1;
	mdb_env_create(&env);
	mdb_env_set_mapsize(env, 64 << 20);
	if (mdb_env_open(env, dir, MDB_NOTLS | MDB_NOSYNC, 0600) != 0)
		return 1;
	snprintf(path, sizeof path, "%s/data.mdb", dir);
	fd = open(path, O_RDWR | O_CLOEXEC);
	size = (size_t)sysconf(_SC_PAGESIZE);

	take_copy();
	ok(all_good(1, true) && free_good(), "an empty tree is good");
	t_put(env, keys, 1, 'a');
	t_put(env, keys, 3, 'b');
	t_put(env, keys, 1, 'c');
	t_put(env, keys, 50, 'c');
	take_copy();
	ok(all_good(1, false), "what LMDB wrote is good");
	ok(all_good(1, true), "its neighbours too");
	ok(free_good(), "and what it says to be free");
	test_places();
	test_first();
	test_head();
	test_exchanged();
	test_flipped();
	mdb_env_close(env);
	close(fd);
	unlink(path);
	snprintf(path, sizeof path, "%s/lock.mdb", dir);
	unlink(path);
	rmdir(dir);
	free(file);
	free(seen.when);
	return done();
}
