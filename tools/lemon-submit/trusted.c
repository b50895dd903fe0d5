/* SPDX-License-Identifier: ISC */
#include "trusted.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/die.h"
#include "net/connect.h"

enum { FILE_OCTETS = 64 * 1024 };

void
trusted_free(struct trusted *t)
{
	buf_wipe(&t->text);
	buf_free(&t->text);
	buf_free(&t->cafile);
	free(t->host);
	*t = (struct trusted){ 0 };
}

/* A word of the policy; false if it is none. */
static bool
policy(struct trusted_host *h, struct span word)
{
	static const struct {
		const char *name;
		enum imap_tls tls;
	} known[] = {
		{ "none", IMAP_TLS_NONE }, { "must", IMAP_TLS_MUST },
		{ "verify", IMAP_TLS_VERIFY },
	};

	if (span_ieq(word, SPAN("implicit"))) {
		h->implicit = true;
		return true;
	}
	for (size_t i = 0; i < COUNT(known); i++)
		if (span_ieq(word, span_str(known[i].name))) {
			h->tls = known[i].tls;
			return true;
		}
	return word.n == 0;
}

/* The port that it is reached by. */
static struct span
port_of(const struct trusted_host *h)
{
	size_t colon = span_rchr(h->where, ':');
	struct span port = span_skip(h->where, colon + 1);
	bool v6 = span_chr(h->where, ':') != colon && h->where.p[0] != '[';

	return port.n > 0 && !v6 && span_chr(port, ']') == port.n ? port :
	    span_str(h->port);
}

static bool
host_line(struct trusted_host *h, struct span line)
{
	struct span rest = line, word;
	uint64_t port;

	*h = (struct trusted_host){ .tls = IMAP_TLS_VERIFY };
	h->where = span_cut(&rest, ' ');
	for (;;) {
		struct span after = rest;

		word = span_cut(&after, ' ');
		if (after.p == NULL || !policy(h, word))
			break;
		rest = after;
	}
	h->user = span_cut(&rest, ':');
	h->password = rest;
	memcpy(h->port, h->implicit ? "993" : "143", 4);
	return h->where.n > 0 && h->where.p[0] != '/' && h->user.n > 0 &&
	    span_chr(h->user, ' ') == h->user.n &&
	    h->password.p != NULL && span_u64(port_of(h), 65535, &port);
}

/* Blanks at the end are none of a password's. */
static struct span
next_line(struct span *rest)
{
	return span_trim(span_cut(rest, '\n'));
}

int
trusted_read(const struct control *c, struct trusted *t)
{
	struct span rest;

	switch (control_secret(c, "burlhosts", FILE_OCTETS, &t->text)) {
	case 0:
		return 0;
	case -1:
		t->wrong = errno == EPERM ?
		    "burlhosts can be read by others: chmod 600" :
		    "burlhosts cannot be read";
		return -1;
	}
	t->host = xcalloc(TRUSTED_MAX, sizeof *t->host);
	for (rest = buf_span(&t->text); rest.p != NULL;) {
		struct span line = next_line(&rest);

		if (line.n == 0 || line.p[0] == '#')
			continue;
		if (t->n == TRUSTED_MAX ||
		    !host_line(&t->host[t->n], line)) {
			trusted_free(t);
			t->wrong = "burlhosts has a line that is not "
			    "HOST[:PORT] [none|must|verify] [implicit] "
			    "USER:PASSWORD, or too many";
			return -1;
		}
		t->n++;
	}
	control_line(c, "burl-ca", &t->cafile);
	return 0;
}

const struct trusted_host *
trusted_find(const struct trusted *t, struct span host, uint16_t port)
{
	for (size_t i = 0; i < t->n; i++) {
		const struct trusted_host *h = &t->host[i];
		uint64_t n = 0;

		if (span_ieq(connect_host(h->where), host) && (port == 0 ||
		    (span_u64(port_of(h), 65535, &n) && n == port)))
			return h;
	}
	return NULL;
}
