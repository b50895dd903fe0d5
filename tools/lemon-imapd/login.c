/* SPDX-License-Identifier: ISC */
#include "login.h"

#include "auth/sasl.h"
#include "base/log.h"
#include "commands.h"
#include "net/tls_config.h"

enum {
	LINE_OCTETS = 64 * 1024, COMMAND_OCTETS = 1024 * 1024,
	SKIP_OCTETS = 1024 * 1024 * 1024
};

void
login_refused(struct session *s, struct span user, const char *method,
    const char *why)
{
	struct log l;

	log_begin(&l, "login-failed");
	log_kv(&l, "user", user);
	log_ks(&l, "rip", peer_shown(&s->peer));
	log_ks(&l, "method", method);
	log_ks(&l, "why", why);
	log_end(&l);
}

static void
log_login(const struct session *s, const char *method)
{
	struct log l;

	log_begin(&l, "login");
	log_ks(&l, "user", s->mail.account.name);
	log_ks(&l, "rip", peer_shown(&s->peer));
	log_ks(&l, "method", method);
	if (s->mail.account.label[0] != '\0' && s->mail.account.label[0] != '-')
		log_ks(&l, "label", s->mail.account.label);
	log_ks(&l, "tls", s->tls != NULL ? tls_version(s->tls) :
	    !s->secure ? "none" : s->peer.network ? "outside" : "local");
	log_ks(&l, "confined", confine_level());
	log_end(&l);
}

/* What URLs need.  Who came with a Maildir of his own says himself who he is:
 * nobody else's mail is opened on his word. */
static void
url_settings(struct session *s)
{
	struct control *c = &s->control;

	buf_clear(&s->locals);
	buf_clear(&s->urlfetch);
	s->submitter = false;
	/* RFC 4467 10 */
	s->urlmech = s->secure || control_num(c, "plaintext", 0, 0, 1) == 1;
	if (s->mail.path)
		return;
	control_list(c, "locals", &s->locals);
	s->submitter = control_listed(c, "submitters",
	    span_str(s->mail.account.name));
	if (control_line(c, "urlfetch-socket", &s->urlfetch) &&
	    s->urlfetch.p[0] != '/') {
		log_warn("urlfetch-socket is no absolute path");
		buf_clear(&s->urlfetch);
	}
}

/* Read while we still may: an account's settings are not its own. */
static const char *
settings(struct session *s)
{
	struct control *c = &s->control;

	c->user = s->mail.account.name;
	s->reader.line_max = (size_t)control_num(c, "imap-line", LINE_OCTETS,
	    8192, 1 << 30);
	s->reader.total_max = (size_t)control_num(c, "imap-command",
	    COMMAND_OCTETS, s->reader.line_max, 1 << 30);
	s->reader.skip_max = SKIP_OCTETS;
	/* RFC 3501 5.4 */
	s->idle_ms = 1000 * (int64_t)control_num(c, "imap-timeout", 30 * 60, 1,
	    86400);
	s->message_max = control_num(c, "databytes", 0, 0, INT64_MAX);
	url_settings(s);
	mail_settle(c, &s->mail);
	s->mail.cfg.create = true;
	s->mail.cfg.rescan = (int64_t)control_num(c, "rescan", 30, 1, 86400);
	return imap_space_read(c, &s->space_value, &s->space) ? NULL :
	    IMAP_SPACE_WRONG;
}

static const char *
enter(struct session *s)
{
	const char *const sockets[] = { s->urlfetch.n > 0 ?
	    buf_cstr(&s->urlfetch) : NULL, NULL };
	const struct confine walls = { .sockets = sockets, .threads = true };
	const char *why = NULL;

	return mail_open(&s->mail, &walls, &s->store, &why) == STORE_OK ?
	    NULL : why;
}

bool
login_done(struct session *s, const char *method)
{
	const char *why = settings(s);

	strangers_leave(&s->strangers);

	if (why == NULL)
		why = enter(s);
	if (why != NULL) {
		log_warn("user=%s: %s", s->mail.account.name, why);
		return false;
	}
	s->state = AUTH;
	s->out.most = STREAM_BULK;
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
login_plain(const struct session *s)
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
