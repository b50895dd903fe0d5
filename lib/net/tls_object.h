/* SPDX-License-Identifier: ISC */
#ifndef NET_TLS_OBJECT_H
#define NET_TLS_OBJECT_H

#include "net/tls.h"

/*
 * What net/tls.c finds in the shared object with OpenSSL in it: a function
 * for each of net/tls.h, whose contracts hold.  Both must be of one build,
 * since they share the streams; shape tells when they are not, as in the
 * middle of an upgrade.  It is a sum of the headers that both go by
 * (Makefile).
 */
struct tls_object {
	uint32_t shape;		/* TLS_SHAPE, as the object knows it */
	struct tls *(*server_new)(const struct tls_server *cfg,
	    const char **why);
	int (*accept)(struct tls *t, struct in *in, struct out *out,
	    const char **why);
	int (*connect)(struct tls **t, struct in *in, struct out *out,
	    const char *host, const char *cafile, bool verify,
	    const char **why);
	bool (*binding)(const struct tls *t, const char **type,
	    struct buf *data);
	bool (*peer_name)(const struct tls *t, struct buf *name);
	const char *(*version)(const struct tls *t);
	const char *(*cipher)(const struct tls *t);
	bool (*resumed)(const struct tls *t);
	void (*free)(struct tls *t);
};

/* The one thing that the object shows. */
extern const struct tls_object lemon_tls;

/* Its name as dlsym has it, and where it is from a program's directory. */
#define TLS_OBJECT_SYMBOL "lemon_tls"
#define TLS_OBJECT_PATH "../libexec/lemon/tls.so"

#endif
