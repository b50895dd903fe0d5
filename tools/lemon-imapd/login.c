/* SPDX-License-Identifier: ISC */
#include "login.h"

#include <unistd.h>

#include "auth/confine.h"
#include "auth/sasl.h"
#include "base/log.h"
#include "commands.h"
#include "net/tls_config.h"

enum {
	LINE_OCTETS = 64 * 1024, COMMAND_OCTETS = 1024 * 1024,
	SKIP_OCTETS = 1024 * 1024 * 1024
};

static const char *
rip(const struct session *s)
{
	return s->peer.ip != NULL ? s->peer.ip : "local";
}

void
login_refused(struct session *s, struct span user, const char *method,
    const char *why)
{
	struct log l;

	log_begin(&l, "login-failed");
	log_kv(&l, "user", user);
	log_ks(&l, "rip", rip(s));
	log_ks(&l, "method", method);
	log_ks(&l, "why", why);
	log_end(&l);
}

static void
log_login(const struct session *s, const char *method)
{
	struct log l;

	log_begin(&l, "login");
	log_ks(&l, "user", s->account.name);
	log_ks(&l, "rip", rip(s));
	log_ks(&l, "method", method);
	if (s->account.label[0] != '\0' && s->account.label[0] != '-')
		log_ks(&l, "label", s->account.label);
	log_ks(&l, "tls", s->tls != NULL ? tls_version(s->tls) :
	    !s->secure ? "none" : s->peer.network ? "outside" : "local");
	log_ks(&l, "confined", confine_level());
	log_end(&l);
}

/* "%u" is the user's name. */
static void
substitute(const struct session *s, struct buf *path)
{
	struct buf made = { 0 };
	struct span rest = buf_span(path);

	while (rest.n > 0) {
		size_t n = span_find(rest, SPAN("%u"));

		buf_add(&made, span_head(rest, n));
		if (n < rest.n)
			buf_adds(&made, s->account.name);
		rest = span_skip(rest, n + 2);
	}
	buf_free(path);
	*path = made;
}

static enum store_result
open_store(struct session *s, struct buf *maildir, struct buf *index,
    const char **why)
{
	struct store_config cfg = { .create = true };

	if (s->account.maildir.n > 0)
		buf_add(maildir, buf_span(&s->account.maildir));
	else {
		buf_add(maildir, buf_span(&s->account.home));
		buf_adds(maildir, "/Maildir");
	}
	if (control_line(&s->control, "index", index)) {
		substitute(s, index);
		cfg.index = buf_cstr(index);
	}
	cfg.maildir = buf_cstr(maildir);
	cfg.rescan = (int64_t)control_num(&s->control, "rescan", 30, 1,
	    86400);
	return store_open(&s->store, &cfg, why);
}

/* Settings that an account may have for itself; read before the door to the
 * control directory is shut. */
static const char *
settings(struct session *s)
{
	struct control *c = &s->control;

	buf_clear(&s->space_value);
	if (!control_line(c, "namespace", &s->space_value))
		buf_addc(&s->space_value, '/');
	s->reader.line_max = (size_t)control_num(c, "imap-line", LINE_OCTETS,
	    8192, 1 << 30);
	s->reader.total_max = (size_t)control_num(c, "imap-command",
	    COMMAND_OCTETS, s->reader.line_max, 1 << 30);
	s->reader.skip_max = SKIP_OCTETS;
	s->message_max = control_num(c, "databytes", 0, 0, INT64_MAX);
	return imap_space_parse(buf_span(&s->space_value), &s->space) ?
	    NULL : "the control file namespace is wrong";
}

static const char *
enter(struct session *s)
{
	struct buf maildir = { 0 }, index = { 0 };
	const char *why = NULL;

	bool stay = s->local && s->account.uid == (uid_t)-1 &&
	    geteuid() == 0;

	s->control.user = s->account.name;
	if (!stay && confine_become(&s->account, &why) < 0)
		return why;
	if ((why = settings(s)) != NULL)
		return why;
	if (open_store(s, &maildir, &index, &why) == STORE_OK) {
		const char *const dirs[] = { buf_cstr(&maildir),
		    index.n > 0 ? buf_cstr(&index) : NULL, NULL };
		const char *const sockets[] = { NULL };
		const struct confine walls = { .dirs = dirs,
		    .sockets = sockets };

		if (confine_paths(&walls, &why) == 0)
			why = NULL;
	}
	buf_free(&maildir);
	buf_free(&index);
	return why;
}

bool
login_done(struct session *s, const char *method)
{
	const char *why = enter(s);

	if (why != NULL) {
		log_warn("user=%s: %s", s->account.name, why);
		return false;
	}
	s->state = AUTH;
	log_login(s, method);
	return true;
}

void
login_capability(struct session *s)
{
	buf_clear(&s->code);
	buf_adds(&s->code, "CAPABILITY ");
	struct buf list = { 0 };

	capability_list(s, &list);
	buf_add(&s->code, buf_span(&list));
	buf_free(&list);
}

bool
login_plain(struct session *s)
{
	struct buf mechs = { 0 };
	bool found = false;

	sasl_mechs(&s->control, s->secure, s->tls, &mechs);
	struct span rest = buf_span(&mechs);

	while (rest.n > 0 && !found)
		found = span_eq(span_cut(&rest, ' '), SPAN("PLAIN"));
	buf_free(&mechs);
	return found;
}

bool
login_tls_offered(const struct session *s)
{
	return s->state == ANON && !s->secure &&
	    (s->peer.ucspi_tls || tls_configured(&s->control));
}

bool
login_tls(struct session *s, struct tls *t)
{
	const char *why = NULL;

	if (tls_accept(t, &s->in, &s->out, &why) == 0) {
		s->tls = t;
		s->secure = true;
		return true;
	}
	login_refused(s, SPAN(""), "tls", why);
	tls_free(t);
	s->closing = true;
	s->bye = "tls";
	return false;
}
