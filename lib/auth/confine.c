/* SPDX-License-Identifier: ISC */
#include "auth/confine.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "auth/landlock.h"
#include "auth/seccomp.h"
#include "base/span.h"

/* The sanitizers look into /proc, start threads and run programs. */
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
enum { SANITIZED = 1 };
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(memory_sanitizer)
enum { SANITIZED = 1 };
#else
enum { SANITIZED = 0 };
#endif
#else
enum { SANITIZED = 0 };
#endif

enum {
	READABLE_MAX = 16,
	THREADS_MAX = 1024	/* of all processes that the user has */
};

static int
refuse(int error, const char **why, const char *what)
{
	*why = what;
	errno = error;
	return -1;
}

/* Whether uid and gid are these, in every form, and nothing leads back. */
static bool
settled(uid_t uid, gid_t gid)
{
	uid_t u[3];
	gid_t g[3];

	if (getresuid(&u[0], &u[1], &u[2]) < 0 ||
	    getresgid(&g[0], &g[1], &g[2]) < 0)
		return false;
	for (int i = 0; i < 3; i++)
		if (u[i] != uid || g[i] != gid)
			return false;
	return setuid(0) < 0 && seteuid(0) < 0;
}

int
confine_become(const struct account *a, const char **why)
{
	uid_t uid = geteuid();

	if (uid != 0) {
		if (a->uid != (uid_t)-1 && a->uid != uid)
			return refuse(EPERM, why,
			    "the account belongs to another user");
		if (setresuid(uid, uid, uid) < 0 ||
		    setresgid(getegid(), getegid(), getegid()) < 0 ||
		    !settled(uid, getegid()))
			return refuse(EPERM, why,
			    "the user of the process cannot be fixed");
		return 0;
	}
	if (a->uid == (uid_t)-1 || a->uid == 0 || a->gid == (gid_t)-1 ||
	    a->gid == 0)
		return refuse(EPERM, why, "mail is never served as root");
	*why = "cannot become the account's user";
	if (setgroups(0, NULL) < 0 ||
	    setresgid(a->gid, a->gid, a->gid) < 0 ||
	    setresuid(a->uid, a->uid, a->uid) < 0)
		return -1;
	if (getgroups(0, NULL) != 0 || !settled(a->uid, a->gid))
		return refuse(EPERM, why, "there is a way back to root");
	return 0;
}

/* Of root, who stays root, only that permissions do not keep it out of the
 * paths that are left. */
static int
drop_capabilities(void)
{
	struct __user_cap_header_struct head = {
		.version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[2] = { 0 };

	if (geteuid() != 0)
		return 0;
	data[0].effective = data[0].permitted =
	    1u << CAP_DAC_OVERRIDE | 1u << CAP_DAC_READ_SEARCH;
	return (int)syscall(SYS_capset, &head, data);
}

/* Others need the system's threads, too.  Who is refused one does without. */
static int
limit_threads(void)
{
	struct rlimit l;

	if (getrlimit(RLIMIT_NPROC, &l) < 0)
		return -1;
	if (l.rlim_max > THREADS_MAX)
		l.rlim_max = THREADS_MAX;
	if (l.rlim_cur > l.rlim_max)
		l.rlim_cur = l.rlim_max;
	return setrlimit(RLIMIT_NPROC, &l);
}

int
confine_paths(const struct confine *c, const char **why)
{
	/* ICU and libsasl2 are opened at first use, and dates need the
	 * zones. */
	static const char *const system[] = { "/usr/lib", "/usr/lib64",
		"/lib", "/lib64", "/usr/local/lib", "/etc/ld.so.cache",
		"/usr/share/zoneinfo", "/etc/localtime", NULL };
	static const struct rlimit none = { 0, 0 };
	const char *readable[READABLE_MAX + COUNT(system)];
	size_t n = 0;
	bool connect = c->connect ||
	    (c->sockets != NULL && c->sockets[0] != NULL);

	if (SANITIZED)
		return 0;
	while (c->readable != NULL && c->readable[n] != NULL) {
		if (n == READABLE_MAX)
			return refuse(E2BIG, why, "too many paths to read");
		readable[n] = c->readable[n];
		n++;
	}
	for (size_t i = 0; i < COUNT(system); i++)
		readable[n++] = system[i];
	if (setrlimit(RLIMIT_CORE, &none) < 0 ||
	    prctl(PR_SET_DUMPABLE, 0) < 0)
		return refuse(errno, why, "the process can still be dumped");
	if (c->threads && limit_threads() < 0)
		return refuse(errno, why, "threads cannot be limited");
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		return refuse(errno, why, "privileges can still be gained");
	if (drop_capabilities() < 0)
		return refuse(errno, why, "capabilities cannot be dropped");
	if (landlock_enter(c->dirs, readable) < 0)
		return refuse(errno, why, "Landlock cannot be entered");
	if (seccomp_enter(connect, c->threads) < 0)
		return refuse(errno, why, "the seccomp filter is refused");
	return 0;
}

const char *
confine_level(void)
{
	bool calls = prctl(PR_GET_SECCOMP) == SECCOMP_MODE_FILTER;
	int fd = open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	bool files = fd < 0 && errno == EACCES;

	if (fd >= 0)
		close(fd);
	return calls && files ? "full" : calls || files ? "partial" : "none";
}
