/* SPDX-License-Identifier: ISC */
/* What libexec/lemon/tls.so shows. */

#include "net/tls_object.h"
#include "tls/session.h"

__attribute__((visibility("default")))
const struct tls_object lemon_tls = {
	.shape = TLS_SHAPE,
	.server_new = session_server_new,
	.accept = session_accept,
	.connect = session_connect,
	.binding = session_binding,
	.peer_name = session_peer_name,
	.version = session_version,
	.cipher = session_cipher,
	.resumed = session_resumed,
	.free = session_free,
};
