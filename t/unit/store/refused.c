/* SPDX-License-Identifier: ISC */
/* LMDB gets no memory when it begins to read, or to make its map larger: the
 * index stays what it is, nobody dies, and the next one goes on. */
#include <errno.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <lmdb.h>

#include "store.h"

int __real_mdb_txn_begin(MDB_env *env, MDB_txn *parent, unsigned flags,
    MDB_txn **t);
int __wrap_mdb_txn_begin(MDB_env *env, MDB_txn *parent, unsigned flags,
    MDB_txn **t);
int __real_mdb_env_info(MDB_env *env, MDB_envinfo *info);
int __wrap_mdb_env_info(MDB_env *env, MDB_envinfo *info);
int __real_mdb_env_set_mapsize(MDB_env *env, size_t size);
int __wrap_mdb_env_set_mapsize(MDB_env *env, size_t size);

static const char text[] = "Subject: one\r\n\r\nHello\r\n";

static int begins;		/* so many, and the last gets this: */
static int error;
static bool small;		/* the map has to grow, and cannot */

int
__wrap_mdb_txn_begin(MDB_env *env, MDB_txn *parent, unsigned flags,
    MDB_txn **t)
{
	if (begins > 0 && --begins == 0)
		return error;
	return __real_mdb_txn_begin(env, parent, flags, t);
}

int
__wrap_mdb_env_info(MDB_env *env, MDB_envinfo *info)
{
	int e = __real_mdb_env_info(env, info);

	if (small)
		info->me_mapsize = 4096;
	return e;
}

/* More than any machine can map. */
int
__wrap_mdb_env_set_mapsize(MDB_env *env, size_t size)
{
	return __real_mdb_env_set_mapsize(env, small ? (size_t)1 << 60 : size);
}

static ino_t
inode(void)
{
	struct stat s;

	return stat("M/.lemon/index/data.mdb", &s) == 0 ? s.st_ino : 0;
}

/* A process of its own opens the store, looks and appends; how it ends. */
static int
session(bool look, int refused, int how)
{
	pid_t pid = fork();
	int status;

	if (pid == 0) {
		struct store_config cfg = { .maildir = "M", .look = look };
		struct mailbox_status s;
		struct mailbox *mb;
		struct store *st;
		const char *why;

		begins = refused;
		error = how;
		if (store_open(&st, &cfg, &why) != STORE_OK)
			_exit(1);
		if (mailbox_open(st, SPAN("INBOX"), RIGHT_READ | (look ? 0 :
		    RIGHT_WRITE), &mb) != STORE_OK)
			_exit(1);
		_exit(mailbox_status(mb, &s) != STORE_OK ||
		    (!look && t_append(mb, text, 0, NULL) == 0));
	}
	waitpid(pid, &status, 0);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

static void
reading(int how, const char *name)
{
	ino_t was = inode();
	unsigned died = 0, other = 0;

	for (int i = 1; i <= 12; i++)
		for (int look = 0; look < 2; look++) {
			died += session(look, i, how) < 0;
			other += inode() != was;
		}
	ok(died == 0 && other == 0 && session(false, 0, 0) == 0, name);
}

static void
growing(void)
{
	struct store *st = t_store();
	struct mailbox *mb = t_inbox(st);
	struct draft *d = t_draft(mb, text, 0, NULL);
	uint32_t uid, validity;
	ino_t was = inode();

	small = true;
	ok(mailbox_place(mb, &d, 1, false, &uid, &validity) == STORE_LIMIT,
	    "a map that cannot grow is a limit");
	small = false;
	ok(inode() == was, "and the index stays");
	ok(mailbox_place(mb, &d, 1, false, &uid, &validity) == STORE_OK &&
	    inode() == was, "and takes it when there is memory again");
	draft_free(d);
	mailbox_close(mb);
	store_close(st);
}

int
main(void)
{
	t_make_dir();
	struct store *st = t_store();
	struct mailbox *mb = t_inbox(st);

	t_append(mb, text, 0, NULL);
	mailbox_close(mb);
	store_close(st);
	/* No other file gets its inode. */
	if (link("M/.lemon/index/data.mdb", "held") == -1)
		return 1;
	reading(ENOMEM, "no memory to read with is no harm to the index");
	reading(MDB_READERS_FULL, "nor are more readers than there are places");
	growing();
	t_remove_dir();
	return done();
}
