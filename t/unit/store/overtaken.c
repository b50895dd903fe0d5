/* SPDX-License-Identifier: ISC */
/* Another process commits twice between a reader's two first steps: the page
 * that says what he is to read is then written anew. */
#include <fcntl.h>
#include <sys/file.h>
#include <sys/wait.h>

#include <lmdb.h>

#include "store.h"

int __real_mdb_env_info(MDB_env *env, MDB_envinfo *info);
int __wrap_mdb_env_info(MDB_env *env, MDB_envinfo *info);

static int ask[2], answer[2];	/* of the other process */
static int times;		/* so often he is faster */

static void
other_process(void)
{
	char c;

	close(ask[1]);
	struct store *st = t_store();
	struct mailbox *mb = t_inbox(st);

	while (read(ask[0], &c, 1) == 1) {
		t_append(mb, "a: b\n\n", 0, NULL);
		t_append(mb, "a: b\n\n", 0, NULL);
		if (write(answer[1], &c, 1) != 1)
			break;
	}
	t_close(mb);
	_exit(0);
}

/* Whether we write, so that the other one could only wait. */
static bool
is_locked(void)
{
	int fd = open("M", O_RDONLY | O_DIRECTORY);
	bool yes = flock(fd, LOCK_EX | LOCK_NB) == -1;

	close(fd);
	return yes;
}

/* The store asks this once it has begun to read, too. */
int
__wrap_mdb_env_info(MDB_env *env, MDB_envinfo *info)
{
	char c = 0;

	if (times > 0 && !is_locked()) {
		times--;
		if (write(ask[1], &c, 1) != 1 || read(answer[0], &c, 1) != 1)
			printf("Bail out! the other process\n");
	}
	return __real_mdb_env_info(env, info);
}

static ino_t
index_inode(void)
{
	struct stat s;

	return stat("M/.lemon/index/data.mdb", &s) == 0 ? s.st_ino : 0;
}

int
main(void)
{
	struct view *v;

	t_make_dir();
	fflush(stdout);
	if (pipe(ask) == -1 || pipe(answer) == -1)
		return 1;
	pid_t pid = fork();
	if (pid == 0)
		other_process();
	struct store *st = t_store();
	struct mailbox *mb = t_inbox(st);
	t_append(mb, "a: b\n\n", 0, NULL);
	ino_t before = index_inode();

	times = 6;
	ok(view_open(mb, &v) == STORE_OK, "who is overtaken reads all the same");
	ok(times == 0, "as often as that");
	ok(before != 0 && index_inode() == before,
	    "and the index is not taken for damaged");
	view_close(v);
	close(ask[1]);
	waitpid(pid, NULL, 0);
	t_close(mb);
	t_remove_dir();
	return done();
}
