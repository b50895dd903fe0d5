/* SPDX-License-Identifier: ISC */
#include "store/dirs.h"

#include <errno.h>
#include <fcntl.h>

#include "base/clock.h"
#include "base/file.h"
#include "store/letters.h"

enum store_result
dirs_stat(struct dirs *s, struct mailbox *mb)
{
	s->now = clock_now();
	for (int d = CUR; d <= NEW; d++) {
		int fd = mailbox_sub(mb, d);

		if (fd == -1 || fstat(fd, &s->before[d]) == -1)
			return errno == ENOENT || errno == ENOTDIR ?
			    STORE_CHANGED :
			    mailbox_fail(mb, "open the folder", errno);
		if (s->before[d].st_nlink == 0)
			return STORE_CHANGED;
	}
	return STORE_OK;
}

bool
dirs_quiet(const struct dirs *s, int d)
{
	int64_t age = s->now - s->before[d].st_mtim.tv_sec;

	return age >= DIRS_QUIET || age < -1;
}

bool
dirs_at_rest(struct mailbox *mb, struct stat at[2])
{
	for (int d = CUR; d <= NEW; d++) {
		if (fstat(mailbox_sub(mb, d), &at[d]) == -1)
			return false;
		int64_t ms = clock_files_us() / 1000 -
		    (at[d].st_mtim.tv_sec * 1000 +
		    at[d].st_mtim.tv_nsec / 1000000);
		if (ms >= 0 && ms < (at[d].st_mtim.tv_nsec == 0 ?
		    DIRS_QUIET * 1000 : 100))
			return false;
	}
	return true;
}

bool
dirs_unchanged(struct mailbox *mb, const struct stat at[2])
{
	struct stat now;

	for (int d = CUR; d <= NEW; d++)
		if (fstat(mailbox_sub(mb, d), &now) == -1 ||
		    now.st_mtim.tv_sec != at[d].st_mtim.tv_sec ||
		    now.st_mtim.tv_nsec != at[d].st_mtim.tv_nsec)
			return false;
	return true;
}

DIR *
dirs_open(struct mailbox *mb, int d)
{
	int sub = mailbox_sub(mb, d);

	return sub == -1 ? NULL : file_dir(openat(sub, ".",
	    O_RDONLY | O_DIRECTORY | O_CLOEXEC));
}

static bool
is_candidate(const struct dirent *e)
{
	return (e->d_type == DT_REG || e->d_type == DT_UNKNOWN) &&
	    letters_valid(span_str(e->d_name));
}

enum store_result
dirs_read(struct mailbox *mb, int d, dirs_fn *fn, void *arg)
{
	DIR *dir = dirs_open(mb, d);
	struct dirent *e;

	if (dir == NULL)
		return store_fail(mb->st, "read the folder", errno);
	errno = 0;
	while ((e = readdir(dir)) != NULL) {
		if (is_candidate(e))
			fn(arg, d, e);
		errno = 0;
	}
	int err = errno;
	closedir(dir);
	return err == 0 ? STORE_OK :
	    store_fail(mb->st, "read the folder", err);
}

void
dirs_note(const struct dirs *s, struct change *c)
{
	for (int d = CUR; d <= NEW; d++) {
		struct dirstate *k = &c->m.dir[d];

		if (!s->read[d] || k->sec != s->known[d].sec ||
		    k->nsec != s->known[d].nsec)
			continue;
		*k = (struct dirstate){ .sec = s->before[d].st_mtim.tv_sec,
			.nsec = (uint32_t)s->before[d].st_mtim.tv_nsec,
			.dirty = !dirs_quiet(s, d), .read = s->now };
	}
}
