/* SPDX-License-Identifier: ISC */
/* Other people's files, and the system's. */
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/fanotify.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "evil.h"

/* --- other people's files --- */

static bool other_read(void) { return reads(other("/new/1.secret")); }
static bool other_list(void) { return reads(other("/new")); }
static bool other_write(void) { return writes(other("/new/1.secret")); }
static bool other_make(void) { return makes(other("/new/2.evil")); }
static bool other_unlink(void) { return unlink(other("/new/1.secret")) == 0; }
static bool other_mkdir(void) { return mkdir(other("/evil"), 0700) == 0; }
static bool other_rmdir(void) { return rmdir(other("/tmp")) == 0; }
static bool other_cut(void) { return truncate(other("/new/1.secret"), 0) == 0; }
static bool other_mode(void) { return chmod(other("/new"), 0777) == 0; }
static bool other_owner(void) { return chown(other("/new"), getuid(), -1u) == 0; }
static bool other_times(void) { return utimes(other("/new"), NULL) == 0; }

static bool
other_rename(void)
{
	return rename(other("/new/1.secret"), home("/new/stolen")) == 0;
}

static bool
other_link(void)
{
	return link(other("/new/1.secret"), home("/new/linked")) == 0;
}

static bool
other_by_link(void)
{
	return reads(home("/planted"));
}

static bool
other_by_dots(void)
{
	int fd = open(home(""), O_RDONLY | O_DIRECTORY);

	return openat(fd, "../../bob/Maildir/new/1.secret", O_RDONLY) >= 0;
}

static bool
other_by_chdir(void)
{
	return chdir(other("")) == 0 && reads("new/1.secret");
}

static bool
other_by_path_fd(void)
{
	int fd = open(other("/new/1.secret"), O_PATH);

	char name[16];

	snprintf(name, sizeof name, "fd/%d", fd);
	return fd >= 0 && reads(proc(getpid(), name));
}

static bool
other_xattr(void)
{
	return setxattr(other("/new"), "user.evil", "x", 1, 0) == 0;
}

static bool
other_handle(void)
{
	char room[sizeof(struct file_handle) + 128] = { 0 };
	struct file_handle *h = (struct file_handle *)room;
	int mount;

	h->handle_bytes = 128;
	return name_to_handle_at(AT_FDCWD, other("/new/1.secret"), h, &mount,
	    0) == 0 || open_by_handle_at(AT_FDCWD, h, O_RDONLY) >= 0;
}

static bool
other_openat2(void)
{
	uint64_t how[3] = { O_RDONLY, 0, 0 };

	return syscall(SYS_openat2, AT_FDCWD, other("/new/1.secret"), how,
	    sizeof how) >= 0;
}

/* --- the system's --- */

static bool sees_shadow(void) { return reads("/etc/shadow"); }
static bool sees_passwd(void) { return reads("/etc/passwd"); }
static bool sees_root(void) { return reads("/"); }
static bool sees_homes(void) { return reads(home("/../..")); }
static bool sees_init(void) { return reads("/proc/1/environ"); }
static bool sees_self(void) { return reads("/proc/self/environ"); }
static bool sees_null(void) { return writes("/dev/null"); }
static bool sees_memory(void) { return reads("/dev/mem"); }
static bool sees_kernel(void) { return reads("/proc/kallsyms"); }
static bool makes_in_tmp(void) { return makes("/var/tmp/lemon-evil"); }
static bool makes_in_shm(void) { return makes("/dev/shm/lemon-evil"); }
static bool makes_above(void) { return makes(home("/../evil")); }
static bool makes_in_lib(void) { return makes("/usr/lib/lemon-evil"); }
static bool writes_self(void) { return writes("/proc/self/mem"); }

static bool
makes_nameless(void)
{
	return open("/var/tmp", O_TMPFILE | O_RDWR, 0600) >= 0;
}

static bool
sees_verifiers(void)
{
	return reads(at("EVIL_CONTROL", "/users/bob/verifier"));
}

static bool
sees_certificate(void)
{
	return reads(at("EVIL_CONTROL", "/tls.pem"));
}

static bool
changes_control(void)
{
	return makes(at("EVIL_CONTROL", "/users/alice/verifier")) ||
	    makes(at("EVIL_CONTROL", "/evil"));
}

static bool
moves_out(void)
{
	makes(home("/mine"));
	return rename(home("/mine"), home("/../mine")) == 0 ||
	    link(home("/mine"), home("/../mine")) == 0;
}

static bool
links_symbolically(void)
{
	return symlink("/etc/passwd", home("/evil")) == 0 ||
	    symlinkat("/etc/passwd", AT_FDCWD, home("/evil")) == 0;
}

static bool
makes_setuid(void)
{
	int fd = open(home("/mine"), O_WRONLY | O_CREAT, 0600);

	return fchmod(fd, 04755) == 0 || fchmod(fd, 02755) == 0 ||
	    open(home("/suid"), O_WRONLY | O_CREAT, 04755) >= 0 ||
	    openat(AT_FDCWD, home("/suid"), O_WRONLY | O_CREAT, 06755) >= 0 ||
	    mknod(home("/suid"), S_IFREG | 04755, 0) == 0;
}

static bool
makes_device(void)
{
	return mknod(home("/mem"), S_IFCHR | 0600, 0x101) == 0 ||
	    mknod(home("/sock"), S_IFSOCK | 0600, 0) == 0;
}

static bool gives_away(void)
{
	return fchown(open(home("/mine"), O_WRONLY), 0, 0) == 0;
}

static bool
hears_all(void)
{
	return fanotify_init(FAN_CLASS_NOTIF, O_RDONLY) >= 0;
}

const struct act files_acts[] = {
	{ "read another user's message", other_read },
	{ "list another user's mail", other_list },
	{ "write to another user's message", other_write },
	{ "put a message into another user's mail", other_make },
	{ "remove another user's message", other_unlink },
	{ "make a directory in another user's mail", other_mkdir },
	{ "remove a directory from another user's mail", other_rmdir },
	{ "cut another user's message", other_cut },
	{ "change modes in another user's mail", other_mode },
	{ "change owners in another user's mail", other_owner },
	{ "change times in another user's mail", other_times },
	{ "take another user's message away", other_rename },
	{ "link another user's message here", other_link },
	{ "follow a link to another user's message", other_by_link },
	{ "go to another user's message by ..", other_by_dots },
	{ "go into another user's directory", other_by_chdir },
	{ "open another user's message by /proc", other_by_path_fd },
	{ "set another user's attributes", other_xattr },
	{ "open another user's message by its handle", other_handle },
	{ "open another user's message by openat2", other_openat2 },
	{ "read /etc/shadow", sees_shadow },
	{ "read /etc/passwd", sees_passwd },
	{ "list /", sees_root },
	{ "list the homes", sees_homes },
	{ "read the environment of init", sees_init },
	{ "read one's own environment in /proc", sees_self },
	{ "write to one's own memory in /proc", writes_self },
	{ "open /dev/null to write", sees_null },
	{ "open /dev/mem", sees_memory },
	{ "read the kernel's symbols", sees_kernel },
	{ "make a file in /var/tmp", makes_in_tmp },
	{ "make a file without a name", makes_nameless },
	{ "make a file in /dev/shm", makes_in_shm },
	{ "make a file beside the Maildir", makes_above },
	{ "make a file among the libraries", makes_in_lib },
	{ "read another account's verifiers", sees_verifiers },
	{ "read the certificate's key", sees_certificate },
	{ "change the control directory", changes_control },
	{ "move a file out of the Maildir", moves_out },
	{ "make a symbolic link", links_symbolically },
	{ "make a set-uid file", makes_setuid },
	{ "make a device or a socket file", makes_device },
	{ "give a file away", gives_away },
	{ "hear of all files by fanotify", hears_all },
	{ 0 }
};
