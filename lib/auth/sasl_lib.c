/* SPDX-License-Identifier: ISC */
#include "auth/sasl_lib.h"

#include <dlfcn.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/die.h"
#include "base/log.h"

/* The one instance of a process, filled at first use and constant after:
 * the library's own state is as global.  The bits of loaded say which
 * plug-ins it has. */
static struct sasl_lib lib;
static bool ready;
static unsigned loaded;

static int
no_log(void *context, int level, const char *text)
{
	(void)context, (void)level, (void)text;
	return SASL_OK;
}

/* It would open and initialise everything that is installed. */
static int
no_path(void *context, const char **path)
{
	(void)context;
	*path = "/nonexistent";
	return SASL_OK;
}

static int
no_option(void *context, const char *plugin, const char *option,
    const char **value, unsigned *n)
{
	(void)context, (void)plugin, (void)option, (void)n;
	*value = NULL;
	return SASL_FAIL;
}

static bool
open_library(void **handle)
{
	static const char *const name[] =
	    { "libsasl2.so.2", "libsasl2.so.3" };

	for (size_t i = 0; i < COUNT(name); i++) {
		*handle = dlopen(name[i], RTLD_NOW | RTLD_LOCAL);
		if (*handle != NULL)
			return true;
	}
	log_warn("sasl: %s", dlerror());
	return false;
}

static bool
find_functions(void *handle)
{
	const struct {
		const char *name;
		void *to;
	} f[] = {
		{ "sasl_set_alloc", &lib.set_alloc },
		{ "sasl_server_init", &lib.server_init },
		{ "sasl_server_new", &lib.server_new },
		{ "sasl_server_start", &lib.start },
		{ "sasl_server_step", &lib.step },
		{ "sasl_dispose", &lib.dispose },
		{ "sasl_setprop", &lib.setprop },
		{ "sasl_server_add_plugin", &lib.add_plugin },
		{ "sasl_auxprop_add_plugin", &lib.add_auxprop },
	};

	for (size_t i = 0; i < COUNT(f); i++) {
		void *p = dlsym(handle, f[i].name);

		if (p == NULL) {
			log_warn("sasl: %s", dlerror());
			return false;
		}
		/* ISO C has no cast from an object to a function pointer. */
		memcpy(f[i].to, &p, sizeof p);
	}
	return true;
}

/* ISO C has but one type for these; libsasl2 asks back by the id. */
static int
(*callback(void *fn))(void)
{
	int (*p)(void);

	memcpy(&p, fn, sizeof p);
	return p;
}

static bool
init(sasl_auxprop_init_t *auxprop)
{
	/* The library keeps the array. */
	static sasl_callback_t callbacks[4];
	int (*getpath)(void *, const char **) = no_path;
	int (*log)(void *, int, const char *) = no_log;
	int (*getopt)(void *, const char *, const char *, const char **,
	    unsigned *) = no_option;
	void *handle;

	if (ready)
		return true;
	if (!open_library(&handle) || !find_functions(handle))
		return false;
	callbacks[0] = (sasl_callback_t){ SASL_CB_GETPATH,
	    callback(&getpath), NULL };
	callbacks[1] = (sasl_callback_t){ SASL_CB_LOG, callback(&log), NULL };
	callbacks[2] = (sasl_callback_t){ SASL_CB_GETOPT,
	    callback(&getopt), NULL };
	callbacks[3] = (sasl_callback_t){ SASL_CB_LIST_END, NULL, NULL };
	/* Without memory it and its plug-ins would go on, and crash. */
	lib.set_alloc(xmalloc, xcalloc, xrealloc, free);
	/* Without a name there is no configuration file. */
	int r = lib.server_init(callbacks, NULL);

	if (r == SASL_OK)
		r = lib.add_auxprop("lemon", auxprop);
	if (r != SASL_OK)
		log_warn("sasl: initialisation failed (%d)", r);
	ready = r == SASL_OK;
	return ready;
}

/* The plug-ins are in sasl2/ beside the library. */
static void *
open_plugin(const char *name)
{
	struct buf path = { 0 };
	Dl_info where;
	void *at, *handle = NULL;

	memcpy(&at, &lib.server_init, sizeof at);
	if (dladdr(at, &where) != 0 && where.dli_fname != NULL) {
		struct span s = span_str(where.dli_fname);

		buf_add(&path, span_head(s, span_rchr(s, '/')));
		buf_adds(&path, "/sasl2/lib");
		buf_adds(&path, name);
		buf_adds(&path, ".so");
		handle = dlopen(buf_cstr(&path), RTLD_NOW | RTLD_LOCAL);
		if (handle == NULL)
			log_warn("sasl: %s", dlerror());
	}
	buf_free(&path);
	return handle;
}

/* --- the memory of OpenSSL below a plug-in --- */

static void *
ssl_malloc(size_t n, const char *file, int line)
{
	(void)file, (void)line;
	return xmalloc(n);
}

static void *
ssl_realloc(void *p, size_t n, const char *file, int line)
{
	(void)file, (void)line;
	return xrealloc(p, n);
}

static void
ssl_free(void *p, const char *file, int line)
{
	(void)file, (void)line;
	free(p);
}

/* Of that plug-in's: the one that we are linked with is another.  It takes
 * them only before its first use. */
static void
set_memory(void *handle)
{
	void *p = dlsym(handle, "CRYPTO_set_mem_functions");
	int (*set)(void *(*)(size_t, const char *, int),
	    void *(*)(void *, size_t, const char *, int),
	    void (*)(void *, const char *, int));

	if (p == NULL)
		return;
	memcpy(&set, &p, sizeof p);
	set(ssl_malloc, ssl_realloc, ssl_free);
}

static bool
add_plugin(const char *name)
{
	static const char *const names[] = { "plain", "login", "scram" };
	sasl_server_plug_init_t *start;
	unsigned bit = 1;

	for (size_t i = 0; i < COUNT(names) &&
	    strcmp(name, names[i]) != 0; i++)
		bit <<= 1;
	if (loaded & bit)
		return true;
	void *handle = open_plugin(name);
	void *p = handle == NULL ? NULL :
	    dlsym(handle, "sasl_server_plug_init");

	if (p == NULL)
		return false;
	memcpy(&start, &p, sizeof p);
	set_memory(handle);
	int r = lib.add_plugin(name, start);

	if (r != SASL_OK) {
		log_warn("sasl: plug-in %s failed (%d)", name, r);
		return false;
	}
	loaded |= bit;
	return true;
}

const struct sasl_lib *
sasl_lib_load(const char *plugin, sasl_auxprop_init_t *auxprop)
{
	if (!init(auxprop) || (plugin != NULL && !add_plugin(plugin)))
		return NULL;
	return &lib;
}
