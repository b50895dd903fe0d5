/* SPDX-License-Identifier: ISC */
#include "net/tls.h"

#include <dlfcn.h>
#include <errno.h>
#include <sys/auxv.h>
#include <sys/stat.h>
#include <unistd.h>

#include "net/tls_object.h"

enum { PROGRAM_MAX = 4096 };

/* Tests have it linked in. */
extern const struct tls_object lemon_tls
    __attribute__((weak, visibility("hidden")));

/* NULL, or the object that is where it belongs for a program of that path. */
static void *
open_beside(struct span program)
{
	struct buf path = { 0 };
	size_t dir = span_rchr(program, '/');

	if (dir < program.n) {
		buf_add(&path, span_head(program, dir + 1));
		buf_adds(&path, TLS_OBJECT_PATH);
	}
	/* Most of what it calls of the C library it never calls. */
	void *lib = path.n == 0 ? NULL :
	    dlopen(buf_cstr(&path), RTLD_LAZY | RTLD_LOCAL);

	buf_free(&path);
	return lib;
}

/* Whether that path still leads to this program; one that begins at the root
 * does.  The directory that we are in may be anybody's. */
static bool
leads_here(const char *path)
{
	struct stat it, us;

	return path[0] == '/' || (stat("/proc/self/exe", &us) == 0 &&
	    stat(path, &it) == 0 && it.st_dev == us.st_dev &&
	    it.st_ino == us.st_ino);
}

/* The kernel says where the program is.  Where it lies below a directory that
 * we may not enter, only the path by which we were started leads there.
 * Neither counts for a program with other rights than who started it, who
 * could have put a link to it anywhere. */
static void *
open_object(void)
{
	const char *started = (const char *)getauxval(AT_EXECFN);
	char program[PROGRAM_MAX];
	ssize_t n = readlink("/proc/self/exe", program, sizeof program);
	void *lib = NULL;

	if (getauxval(AT_SECURE) == 0) {
		if (n > 0)
			lib = open_beside((struct span){ program, (size_t)n });
		if (lib == NULL && started != NULL && leads_here(started))
			lib = open_beside(span_str(started));
	}
	return lib;
}

static const struct tls_object *
load(void)
{
	if (&lemon_tls != NULL)
		return &lemon_tls;
	void *lib = open_object();
	const struct tls_object *o = lib == NULL ? NULL :
	    dlsym(lib, TLS_OBJECT_SYMBOL);

	return o != NULL && o->shape == TLS_SHAPE ? o : NULL;
}

/* NULL, and *why, if it cannot be had. */
static const struct tls_object *
object(const char **why)
{
	/* A library that is loaded when it is needed; written once. */
	static const struct tls_object *it;
	static bool tried;

	if (!tried)
		it = load();
	tried = true;
	*why = it == NULL ? "libexec/lemon/tls.so is not there, or of "
	    "another build" : NULL;
	return it;
}

/* For whoever has a struct tls, which comes from it. */
static const struct tls_object *
loaded(void)
{
	const char *why;

	return object(&why);
}

bool
tls_ready(const char **why)
{
	return object(why) != NULL;
}

struct tls *
tls_server_new(const struct tls_server *cfg, const char **why)
{
	const struct tls_object *o = object(why);

	return o == NULL ? NULL : o->server_new(cfg, why);
}

int
tls_accept(struct tls *t, struct in *in, struct out *out, const char **why)
{
	return loaded()->accept(t, in, out, why);
}

int
tls_connect(struct tls **t, struct in *in, struct out *out,
    const char *host, const char *cafile, bool verify, const char **why)
{
	const struct tls_object *o = object(why);

	if (o != NULL)
		return o->connect(t, in, out, host, cafile, verify, why);
	*t = NULL;
	in->state = out->state = STREAM_ERROR;
	in->error = out->error = EPROTO;
	return -1;
}

bool
tls_binding(const struct tls *t, const char **type, struct buf *data)
{
	return t != NULL && loaded()->binding(t, type, data);
}

bool
tls_peer_name(const struct tls *t, struct buf *name)
{
	return t != NULL && loaded()->peer_name(t, name);
}

const char *
tls_version(const struct tls *t)
{
	return loaded()->version(t);
}

const char *
tls_cipher(const struct tls *t)
{
	return loaded()->cipher(t);
}

bool
tls_resumed(const struct tls *t)
{
	return loaded()->resumed(t);
}

void
tls_free(struct tls *t)
{
	if (t != NULL)
		loaded()->free(t);
}
