/* SPDX-License-Identifier: ISC */
#ifndef NET_TLS_CONFIG_H
#define NET_TLS_CONFIG_H

#include "base/control.h"
#include "net/tls.h"

/*
 * Where a server's TLS settings are: the control files "tls.pem" (key and
 * chain), "tickets" and "client-ca.pem" (whose client certificates count;
 * none without it), or the files that the environment names as s6 does:
 * CERTFILE, KEYFILE, CAFILE.
 */

/* Whether there is a certificate; cheap, and before any OpenSSL.  As of any
 * setting, of these and the other files one that is there and that we may
 * not read ends the process (base/control.h). */
bool tls_configured(const struct control *c);

/* The server's end with these settings, as tls_server_new. */
struct tls *tls_configure(const struct control *c, const char **why);

#endif
