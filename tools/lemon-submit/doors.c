/* SPDX-License-Identifier: ISC */
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "auth/confine.h"
#include "base/die.h"
#include "base/log.h"
#include "submit.h"

/* BURL reads the user's own mail where it belongs to whom we are; root leaves
 * it to the socket, so that nothing of root's is left in it. */
static void
own_mail(struct submit *s)
{
	uid_t uid = s->mail.account.uid;

	if (uid == (uid_t)-1 || uid == geteuid())
		mail_settle(&s->control, &s->mail);
}

/* Where TLS is missing, who wants it is told so. */
static void
prepare_tls(void)
{
	const char *wrong = "unknown";

	if (!tls_ready(&wrong))
		log_warn("tls: %s", wrong);
}

/* The places that the broker knows: the relay, then the trusted hosts. */
static int
start_broker(struct submit *s)
{
	struct hop *h = &s->remote;
	struct trusted *t = &s->burl.trusted;
	struct broker_place *place = xcalloc(t->n + 1, sizeof *place);
	bool tls = false;
	size_t n = 0;
	int e = 0;

	if (h->way.way == INJECT_RELAY) {
		place[n++] = (struct broker_place){ h->way.opts.where,
			h->way.opts.port };
		tls = h->way.opts.tls != SMTP_TLS_NONE;
		s->relay_door = (struct broker_door){ &s->broker, 0 };
		h->way.opts.connect = broker_connect;
		h->way.opts.connect_ctx = &s->relay_door;
	}
	s->burl.first_place = n;
	for (size_t i = 0; i < t->n; i++) {
		place[n++] = (struct broker_place){ t->host[i].where,
			t->host[i].port };
		tls = tls || t->host[i].tls != IMAP_TLS_NONE;
	}
	if (n > 0)
		e = broker_start(&s->broker, place, n);
	free(place);
	if (tls)
		prepare_tls();
	return e;
}

static void
reaches(struct submit *s, const char **dirs, const char **readable)
{
	struct burl *b = &s->burl;
	const char *tmp = getenv("TMPDIR"), *ca = s->remote.way.opts.cafile;

	*dirs++ = tmp != NULL && *tmp != '\0' ? tmp : "/tmp";
	if (s->mail.cfg.maildir != NULL)
		*dirs++ = s->mail.cfg.maildir;
	if (s->mail.cfg.index != NULL)
		*dirs++ = s->mail.cfg.index;
	*readable++ = s->control.dir;
	*readable++ = "/etc/ssl";
	*readable++ = "/usr/share/ca-certificates";
	*readable++ = "/usr/local/share/ca-certificates";
	if (ca != NULL)
		*readable++ = ca;
	if (b->trusted.cafile.n > 0)
		*readable++ = buf_cstr(&b->trusted.cafile);
}

/*
 * After login this process needs the control directory (who has which
 * address), the directory of its spool, its user's mail, UNIX sockets and,
 * through the broker, the relay.  A queue program is run by it, so that where one is
 * set only its own limits hold.
 */
int
submit_shut_doors(struct submit *s, const char **why)
{
	struct hop *h = &s->remote;
	const char *wrong = "unknown";

	h->ready = inject_remote(&s->control, &h->way, &wrong) == 0;
	/* The client hears of it with the first recipient. */
	if (!h->ready)
		log_warn("%s: %s", s->control.dir, wrong);
	if (trusted_read(&s->control, &s->burl.trusted) != 0)
		log_warn("%s: %s", s->control.dir, s->burl.trusted.wrong);
	own_mail(s);
	if (h->way.way == INJECT_QUEUE)
		return 0;
	if (start_broker(s) != 0) {
		*why = "no process for the broker";
		return -1;
	}

	const char *dirs[4] = { NULL }, *readable[7] = { NULL };

	reaches(s, dirs, readable);
	struct confine c = { .dirs = dirs, .readable = readable,
		.connect = true };

	return confine_paths(&c, why);
}
