/* SPDX-License-Identifier: ISC */
#include "auth/landlock.h"

#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/file.h"

/* The kernel's interface, here because the headers of a stable distribution
 * lag behind its kernels. */
enum {
	VERSION = 1,
	RULE_PATH_BENEATH = 1,
	NR_CREATE = 444, NR_ADD = 445, NR_RESTRICT = 446
};

enum {
	FS_EXECUTE = 1 << 0,
	FS_WRITE_FILE = 1 << 1,
	FS_READ_FILE = 1 << 2,
	FS_READ_DIR = 1 << 3,
	FS_REMOVE_DIR = 1 << 4,
	FS_REMOVE_FILE = 1 << 5,
	FS_MAKE_DIR = 1 << 7,
	FS_MAKE_REG = 1 << 8,
	FS_MAKE_FIFO = 1 << 10,
	FS_ABI_1 = (1 << 13) - 1,
	FS_REFER = 1 << 13,		/* ABI 2 */
	FS_TRUNCATE = 1 << 14,		/* ABI 3 */
	FS_IOCTL_DEV = 1 << 15,		/* ABI 5 */
	NET_TCP = 3,			/* bind, connect: ABI 4 */
	SCOPE = 3			/* abstract sockets, signals: ABI 6 */
};

enum {
	READ = FS_READ_FILE | FS_READ_DIR,
	FILE_ONLY = FS_EXECUTE | FS_WRITE_FILE | FS_READ_FILE | FS_TRUNCATE,
	FULL = READ | FS_WRITE_FILE | FS_REMOVE_DIR | FS_REMOVE_FILE |
	    FS_MAKE_DIR | FS_MAKE_REG | FS_MAKE_FIFO | FS_REFER | FS_TRUNCATE
};

struct ruleset {
	uint64_t fs, net, scope;
};

struct path_rule {
	uint64_t allowed;
	int32_t fd;
} __attribute__((packed));

static int
allow(int set, const char *path, uint64_t rights)
{
	struct path_rule rule = { .fd = open(path, O_PATH | O_CLOEXEC) };
	struct stat st;

	/* What is not there, or behind a door that is closed to us, as the
	 * homes of others are: there is nothing to allow. */
	if (rule.fd < 0)
		return errno == ENOENT || errno == ENOTDIR ||
		    errno == EACCES ? 0 : -1;
	int r = fstat(rule.fd, &st);

	rule.allowed = r == 0 && S_ISDIR(st.st_mode) ? rights :
	    rights & FILE_ONLY;
	if (r == 0)
		r = (int)syscall(NR_ADD, set, RULE_PATH_BENEATH, &rule, 0);
	close_quietly(rule.fd);
	return r;
}

static int
allow_all(int set, const char *const *paths, uint64_t rights)
{
	for (; paths != NULL && *paths != NULL; paths++)
		if (allow(set, *paths, rights) < 0)
			return -1;
	return 0;
}

int
landlock_enter(const char *const *dirs, const char *const *readable)
{
	struct ruleset rs = { .fs = FS_ABI_1 | FS_REFER };
	size_t size = offsetof(struct ruleset, net);
	long abi = syscall(NR_CREATE, NULL, (size_t)0, VERSION);

	/* The first one forbids every rename from tmp/ to new/. */
	if (abi < 2)
		return 0;
	if (abi >= 3)
		rs.fs |= FS_TRUNCATE;
	if (abi >= 5)
		rs.fs |= FS_IOCTL_DEV;
	if (abi >= 4) {
		rs.net = NET_TCP;
		size = offsetof(struct ruleset, scope);
	}
	if (abi >= 6) {
		rs.scope = SCOPE;
		size = sizeof rs;
	}
	int set = (int)syscall(NR_CREATE, &rs, size, 0);

	if (set < 0)
		return -1;
	int r = allow_all(set, dirs, FULL & rs.fs);

	if (r == 0)
		r = allow_all(set, readable, READ);
	if (r == 0)
		r = (int)syscall(NR_RESTRICT, set, 0);
	close_quietly(set);
	return r < 0 ? -1 : 1;
}
