/* SPDX-License-Identifier: ISC */
/* LMDB's pages, damaged: the input is a row of edits of an index of some
 * pages.  Nothing outside of the file is read; and where the way to a key is
 * good LMDB reads its value, or misses it, and lives. */
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "../unit/store/page.h"
#include "base/file.h"
#include "store/page.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

enum { KEYS = 300, PAGES_MAX = 64, EDIT = 6 };

static struct {
	int fd;
	char path[32];
	char *octets;		/* the file as it was */
	size_t n, size;
} base = { .fd = -1 };

static MDB_env *
open_env(const char *path, unsigned flags)
{
	MDB_env *env;

	if (mdb_env_create(&env) != 0 || mdb_env_set_mapsize(env,
	    (size_t)PAGES_MAX * (size_t)getpagesize()) != 0)
		die_temp("lmdb");
	if (mdb_env_open(env, path, flags | MDB_NOLOCK | MDB_NOTLS, 0600) == 0)
		return env;
	mdb_env_close(env);
	return NULL;
}

/* The file that is to be damaged: branches, leaves, free and large pages. */
static void
make(void)
{
	const struct t_keys keys = { KEYS, 100 };
	char dir[] = "/tmp/lemon-fuzz-XXXXXX", file[64];
	MDB_envinfo info;
	MDB_env *env;
	int fd;

	base.fd = memfd_create("page", 0);
	snprintf(base.path, sizeof base.path, "/proc/self/fd/%d", base.fd);
	if (base.fd == -1 || mkdtemp(dir) == NULL ||
	    (env = open_env(dir, MDB_NOSYNC)) == NULL)
		die_temp("lmdb");
	t_put(env, keys, 1, 'a');
	t_put(env, keys, 7, 'b');
	t_put(env, keys, 50, 'c');
	mdb_env_info(env, &info);
	base.size = (size_t)getpagesize();
	base.n = (info.me_last_pgno + 1) * base.size;
	base.octets = xmalloc(base.n);
	if (mdb_env_get_fd(env, &fd) != 0 ||
	    file_pread(fd, base.octets, base.n, 0) != (ssize_t)base.n)
		die_temp("read");
	mdb_env_close(env);
	snprintf(file, sizeof file, "%s/data.mdb", dir);
	unlink(file);
	rmdir(dir);
}

/* What, which page, where (two octets), and two more. */
static void
edit(char *file, const uint8_t *e)
{
	size_t pages = base.n / base.size, from = e[5] % pages;
	size_t page = e[1] % pages;
	size_t at = (size_t)(e[2] << 8 | e[3]) % (base.size - 1);
	char *p = file + page * base.size + at;

	switch (e[0] % 5) {
	case 0:
		*p = (char)e[4];
		break;
	case 1:
		memcpy(p, e + 4, 2);
		break;
	case 2:
		*p ^= (char)(1 << e[4] % 8);
		break;
	case 3:
		memcpy(file + page * base.size, file + from * base.size,
		    base.size);
		break;
	default:
		memset(p, 0, base.size - at);
		break;
	}
}

/* Each key whose way is good is asked for. */
static void
ask(MDB_env *env, const char *file)
{
	struct page_range r = { 0 };
	struct page_seen seen = { 0 };
	struct page_tree t, spare;
	MDB_txn *txn;
	MDB_dbi dbi;
	char k[16];

	if (mdb_txn_begin(env, NULL, MDB_RDONLY, &txn) != 0)
		return;
	if (page_begin(&spare, PAGE_FREE, file, base.n, base.size,
	    mdb_txn_id(txn), NULL)) {
		spare.write = true;
		page_free_list(&spare);
	}
	if (page_begin(&t, PAGE_MAIN, file, base.n, base.size,
	    mdb_txn_id(txn), &seen) && mdb_dbi_open(txn, NULL, 0, &dbi) == 0)
		for (int i = 0; i < KEYS; i++) {
			struct span s = t_key(k, i);
			MDB_val mk = { s.n, k }, mv;
			unsigned sum = 0;

			if (!page_covers(&r, s) &&
			    !page_way(&t, s, i % 2 == 0, &r))
				continue;
			if (mdb_get(txn, dbi, &mk, &mv) == 0)
				for (size_t o = 0; o < mv.mv_size; o++)
					sum += ((uint8_t *)mv.mv_data)[o];
			if (sum == 1)
				abort();	/* it is read for sure */
		}
	mdb_txn_abort(txn);
	free(seen.when);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	MDB_env *env;
	char *file;

	if (base.fd == -1)
		make();
	file = xmalloc(base.n);
	memcpy(file, base.octets, base.n);
	for (size_t i = 0; i + EDIT <= n; i += EDIT)
		edit(file, data + i);
	if (pwrite(base.fd, file, base.n, 0) != (ssize_t)base.n)
		die_temp("write");
	if (page_opens(base.fd, base.size) &&
	    (env = open_env(base.path,
	    MDB_NOSUBDIR | MDB_RDONLY)) != NULL) {
		ask(env, file);
		mdb_env_close(env);
	}
	free(file);
	return 0;
}
