/* SPDX-License-Identifier: ISC */
#include "commands.h"

#include "auth/sasl.h"
#include "login.h"

/* A new family of commands adds its table here. */
static const struct cmd *const families[] = {
	cmds_any,
	cmds_login,
	cmds_select,
	cmds_mailbox,
	cmds_list,
	cmds_append,
	cmds_fetch,
	cmds_search,
	cmds_store,
	cmds_copy,
	cmds_expunge,
	cmds_idle,
	cmds_url,
};

const struct cmd *
command_find(struct span name)
{
	for (size_t i = 0; i < COUNT(families); i++)
		for (const struct cmd *c = families[i]; c->name; c++)
			if (span_ieq(span_str(c->name), name))
				return c;
	return NULL;
}

static bool
no_login(const struct session *s)
{
	return !login_plain(s);
}

/*
 * Capabilities that are more than a command, in the states in which they
 * are shown, beside the code that keeps the promise.
 */
static const struct {
	const char *name;
	unsigned when;
	bool (*holds)(const struct session *);	/* NULL: always */
} abilities[] = {
	{ "IMAP4rev1", ANY, NULL },	/* all of the families */
	{ "LITERAL+", ANY, NULL },	/* lib/imap/reader.c */
	{ "BINARY", USER, NULL },	/* cmd_fetch.c, cmd_append.c */
	{ "CATENATE", USER, NULL },	/* cmd_append.c */
	{ "URL-PARTIAL", USER, NULL },	/* lib/url/resolve.c */
	{ "SASL-IR", ANON, NULL },	/* cmd_authenticate */
	{ "STARTTLS", ANON, login_tls_offered },	/* cmd_starttls */
	{ "LOGINDISABLED", ANON, no_login },	/* cmd_login */
	{ "URLAUTH=BINARY", USER, NULL },	/* cmd_urlfetch */
};

static bool
listed(const struct buf *to, struct span name)
{
	struct span rest = buf_span(to);

	while (rest.p != NULL)
		if (span_eq(span_cut(&rest, ' '), name))
			return true;
	return false;
}

static void
add(struct buf *to, struct span name)
{
	if (listed(to, name))
		return;
	if (to->n > 0)
		buf_addc(to, ' ');
	buf_add(to, name);
}

static void
add_logins(struct session *s, struct buf *to)
{
	struct buf mechs = { 0 };

	sasl_mechs(&s->control, s->secure, s->tls, &mechs);
	struct span rest = buf_span(&mechs);

	while (rest.n > 0) {
		buf_adds(to, " AUTH=");
		buf_add(to, span_cut(&rest, ' '));
	}
	buf_free(&mechs);
}

/* RFC 3501 6.1.1.  What holds only before login is shown only then. */
void
capability_list(struct session *s, struct buf *to)
{
	unsigned state = s->state == ANON ? ANON : USER;

	for (size_t i = 0; i < COUNT(abilities); i++)
		if (abilities[i].when & state && (abilities[i].holds == NULL ||
		    abilities[i].holds(s)))
			add(to, span_str(abilities[i].name));
	for (size_t i = 0; i < COUNT(families); i++)
		for (const struct cmd *c = families[i]; c->name; c++)
			if (c->cap != NULL && c->when & state)
				add(to, span_str(c->cap));
	if (s->state == ANON)
		add_logins(s, to);
}
