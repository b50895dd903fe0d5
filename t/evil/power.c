/* SPDX-License-Identifier: ISC */
/* To become more than one is: privileges, name spaces, mounts, keys. */
#include <errno.h>
#include <grp.h>
#include <linux/capability.h>
#include <linux/keyctl.h>
#include <sched.h>
#include <sys/fsuid.h>
#include <sys/mount.h>
#include <sys/personality.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/span.h"
#include "evil.h"

static bool root_uid(void) { return setuid(0) == 0 || seteuid(0) == 0; }
static bool root_gid(void) { return setgid(0) == 0 || setregid(0, 0) == 0; }
static bool root_groups(void) { gid_t g = 0; return setgroups(1, &g) == 0; }

static bool
root_files(void)
{
	setfsuid(0);
	return errno != EPERM;
}

static bool
capable(void)
{
	struct __user_cap_header_struct h = {
		_LINUX_CAPABILITY_VERSION_3, 0 };
	struct __user_cap_data_struct d[2] = { { ~0u, ~0u, ~0u },
		{ ~0u, ~0u, ~0u } };

	return syscall(SYS_capset, &h, d) == 0;
}

static bool dumps(void) { return prctl(PR_SET_DUMPABLE, 1) == 0; }
static bool names_tracer(void) { return prctl(PR_SET_PTRACER, -1L) == 0; }
static bool ambient(void) { return prctl(PR_CAP_AMBIENT, 2, 1, 0, 0) == 0; }
static bool securebits(void) { return prctl(PR_SET_SECUREBITS, 0) == 0; }
static bool keeps_caps(void) { return prctl(PR_SET_KEEPCAPS, 1) == 0; }
static bool outlives(void) { return prctl(PR_SET_CHILD_SUBREAPER, 1) == 0; }
static bool changes_persona(void) { return personality(ADDR_NO_RANDOMIZE) >= 0; }
static bool space_user(void) { return syscall(SYS_unshare, CLONE_NEWUSER) == 0; }
static bool space_files(void) { return syscall(SYS_unshare, CLONE_NEWNS) == 0; }
static bool space_enter(void) { return syscall(SYS_setns, 0, 0) == 0; }
static bool roots(void) { return chroot(home("")) == 0; }

static bool
mounts(void)
{
	return mount("none", home(""), "tmpfs", 0, NULL) == 0 ||
	    umount2("/", MNT_DETACH) == 0 ||
	    syscall(SYS_pivot_root, ".", ".") == 0;
}

/* The newer way: open_tree, move_mount, fsopen, fsconfig, fsmount,
 * mount_setattr. */
static bool
mounts_anew(void)
{
	static const long nr[] = { 428, 429, 430, 431, 432, 442 };

	for (size_t i = 0; i < COUNT(nr); i++)
		if (syscall(nr[i], 0, "", 0, 0, 0) >= 0 || errno != ENOSYS)
			return true;
	return false;
}

static bool
keys(void)
{
	return syscall(SYS_keyctl, KEYCTL_GET_KEYRING_ID,
	    KEY_SPEC_SESSION_KEYRING, 1) >= 0 ||
	    syscall(SYS_add_key, "user", "evil", "x", 1,
	    KEY_SPEC_PROCESS_KEYRING) >= 0 ||
	    syscall(SYS_request_key, "user", "evil", NULL, 0) >= 0;
}

const struct act power_acts[] = {
	{ "become root", root_uid },
	{ "become root's group", root_gid },
	{ "join groups", root_groups },
	{ "become root for files", root_files },
	{ "gain capabilities", capable },
	{ "become dumpable", dumps },
	{ "let itself be traced", names_tracer },
	{ "raise an ambient capability", ambient },
	{ "change the secure bits", securebits },
	{ "keep capabilities", keeps_caps },
	{ "become a reaper", outlives },
	{ "change its personality", changes_persona },
	{ "make a user name space", space_user },
	{ "make a mount name space", space_files },
	{ "enter a name space", space_enter },
	{ "chroot", roots },
	{ "mount", mounts },
	{ "mount by the newer calls", mounts_anew },
	{ "use keys", keys },
	{ 0 }
};
