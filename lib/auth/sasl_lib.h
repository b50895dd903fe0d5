/* SPDX-License-Identifier: ISC */
#ifndef AUTH_SASL_LIB_H
#define AUTH_SASL_LIB_H

#include "base/span.h"

/* Two of libsasl2's names are ours as well (auth/sasl.h). */
#define sasl_server_start libsasl_server_start
#define sasl_server_step libsasl_server_step
#include <sasl/sasl.h>
#include <sasl/saslplug.h>

/*
 * libsasl2's functions, opened at first use: most connections to a server
 * are gone before anybody authenticates.  It is initialised without its
 * configuration files and without looking for plug-ins; the ones we want
 * are loaded one by one.
 */
struct sasl_lib {
	__typeof__(sasl_set_alloc) *set_alloc;
	__typeof__(sasl_server_init) *server_init;
	__typeof__(sasl_server_new) *server_new;
	__typeof__(sasl_server_start) *start;
	__typeof__(sasl_server_step) *step;
	__typeof__(sasl_dispose) *dispose;
	__typeof__(sasl_setprop) *setprop;
	__typeof__(sasl_server_add_plugin) *add_plugin;
	__typeof__(sasl_auxprop_add_plugin) *add_auxprop;
};

#undef sasl_server_start
#undef sasl_server_step

/* The functions, with that plug-in ("plain", "login", "scram", or NULL for
 * a mechanism of the library itself) and our auxprop plug-in added.  NULL
 * where something cannot be loaded; the reason has been logged. */
const struct sasl_lib *sasl_lib_load(const char *plugin,
    sasl_auxprop_init_t *auxprop);

#endif
