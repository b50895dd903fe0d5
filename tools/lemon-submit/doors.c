/* SPDX-License-Identifier: ISC */
#include <errno.h>
#include <stdlib.h>

#include "auth/confine.h"
#include "base/log.h"
#include "submit.h"

/*
 * After login this process needs the control directory (who has which
 * address), the directory of its spool, UNIX sockets and, through the
 * broker, the relay.  A queue program is run by it, so that where one is
 * set only its own limits hold.
 */
int
submit_shut_doors(struct submit *s, const char **why)
{
	struct hop *h = &s->remote;
	const char *tmp = getenv("TMPDIR"), *wrong = "unknown";

	h->ready = inject_remote(&s->control, &h->way, &wrong) == 0;
	/* The client hears of it with the first recipient. */
	if (!h->ready)
		log_warn("%s: %s", s->control.dir, wrong);
	if (h->way.way == INJECT_QUEUE)
		return 0;
	if (h->way.way == INJECT_RELAY) {
		if (broker_start(&s->broker, h->way.opts.where,
		    h->way.opts.port) != 0) {
			*why = "no process for the broker";
			return -1;
		}
		/* Where it is missing, the relay is told so. */
		if (h->way.opts.tls != SMTP_TLS_NONE && !tls_ready(&wrong))
			log_warn("tls: %s", wrong);
		h->way.opts.connect = broker_connect;
		h->way.opts.connect_ctx = &s->broker;
	}

	const char *dirs[] = { tmp != NULL && *tmp != '\0' ? tmp : "/tmp",
		NULL };
	const char *readable[] = { s->control.dir, "/etc/ssl",
		"/usr/share/ca-certificates",
		"/usr/local/share/ca-certificates", h->way.opts.cafile,
		NULL };
	struct confine c = { .dirs = dirs, .readable = readable,
		.connect = true };

	return confine_paths(&c, why);
}
