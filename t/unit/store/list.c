/* SPDX-License-Identifier: ISC */
/* lib/store/list.c: the file that keeps the UIDs, when others write it anew. */
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "store/attach.h"
#include "store/list.h"
#include "store.h"

static ino_t
inode(void)
{
	struct stat s;

	return stat("M/lemon-uidlist", &s) == 0 ? s.st_ino : 0;
}

/* What another process does. */
static void
other(void (*does)(struct mailbox *mb))
{
	int status = 1;
	pid_t pid = fork();

	if (pid == 0) {
		does(t_inbox(t_store()));
		_exit(0);
	}
	waitpid(pid, &status, 0);
	if (status != 0)
		ok(false, "the other process");
}

/* The list goes, and comes anew from the index with the next message. */
static void
replace(struct mailbox *mb)
{
	unlink("M/lemon-uidlist");
	t_append(mb, "A: other\r\n\r\n", 0, NULL);
}

/* It begins to build the index from the list, and dies. */
static void
begin(struct mailbox *mb)
{
	struct change c;

	if (attach_begin(&c, mb, 0, true) != STORE_OK ||
	    !c.m.building || change_commit(&c) != STORE_OK)
		_exit(1);
}

static void
copy(void)
{
	if (system("cp M/lemon-uidlist M/copy && "
	    "mv M/copy M/lemon-uidlist") != 0)
		ok(false, "cp");
}

/* Its last octets are lost, as with the power, and its length is not. */
static void
blot(void)
{
	struct stat s;
	int fd = open("M/lemon-uidlist", O_WRONLY);

	if (fd == -1 || fstat(fd, &s) == -1 ||
	    pwrite(fd, "\0\0\0\0", 4, s.st_size - 4) != 4)
		ok(false, "blot");
	close(fd);
}

static void
replaced(struct mailbox *mb)
{
	other(replace);
	ino_t new = inode();
	t_append(mb, "A: 4\r\n\r\n", 0, NULL);
	ok(inode() == new, "who had the old list open goes on in the new one");
	t_is(mb, "1:1 2:2 3:3 4:4", "and nothing is lost");
}

static void
look(struct mailbox *mb)
{
	struct view *v;

	if (view_open(mb, &v) != STORE_OK || view_exists(v) != 6) {
		printf("# %s\n", store_why(mb->st));
		_exit(1);
	}
	view_close(v);
}

static void
blotted(struct mailbox *mb)
{
	struct view *v;

	t_remove("M/.lemon");
	other(begin);
	blot();
	other(look);
	ok(view_open(mb, &v) == STORE_OK && view_exists(v) == 6,
	    "a list damaged while the index is built from it locks nobody out");
	view_close(v);
}

static void
built(struct mailbox *mb)
{
	other(replace);
	t_remove("M/.lemon");
	other(begin);
	t_is(mb, "1:1 2:2 3:3 4:4 5:5",
	    "who had the old list open builds from the new one");
	t_remove("M/.lemon");
	other(begin);
	copy();
	t_is(mb, "1:1 2:2 3:3 4:4 5:5",
	    "a list put in its place meanwhile is begun with anew");
	t_append(mb, "A: more\r\n\r\n", 0, NULL);
	t_remove("M/.lemon");
	ok(mailbox_status(mb, &(struct mailbox_status){ 0 }) == STORE_OK,
	    "the index, lost once more, is built");
	struct view *v;
	ok(view_open(mb, &v) == STORE_OK && view_exists(v) == 6 &&
	    view_uid(v, 5) == 5 && view_uid(v, 6) >= 6,
	    "and the list still had all");
	view_close(v);
}

int
main(void)
{
	t_make_dir();
	struct mailbox *mb = t_inbox(t_store());

	t_append(mb, "A: 1\r\n\r\n", 0, NULL);
	t_append(mb, "A: 2\r\n\r\n", 0, NULL);
	replaced(mb);
	built(mb);
	blotted(mb);
	t_close(mb);
	t_remove_dir();
	return done();
}
