/* SPDX-License-Identifier: ISC */
#include "auth/sasl.h"

#include <stdlib.h>
#include <string.h>

#include "auth/credential.h"
#include "auth/password.h"
#include "auth/sasl_lib.h"
#include "base/die.h"

enum { RESPONSE_MAX = 16 * 1024, LOGIN_BUF = 512 };

enum kind { BY_SCRAM, BY_CERTIFICATE, BY_PASSWORD };

/* All there is, in the order of strength. */
static const struct mech {
	const char *name;
	const char *plugin;
	enum kind kind;
	bool plus;			/* needs a channel binding */
	enum scram_hash hash;
} mechs[] = {
	{ "SCRAM-SHA-256-PLUS", "scram", BY_SCRAM, true, SCRAM_SHA256 },
	{ "SCRAM-SHA-1-PLUS", "scram", BY_SCRAM, true, SCRAM_SHA1 },
	{ "SCRAM-SHA-256", "scram", BY_SCRAM, false, SCRAM_SHA256 },
	{ "SCRAM-SHA-1", "scram", BY_SCRAM, false, SCRAM_SHA1 },
	{ "EXTERNAL", NULL, BY_CERTIFICATE, false, 0 },
	{ "PLAIN", "plain", BY_PASSWORD, false, 0 },
	{ "LOGIN", "login", BY_PASSWORD, false, 0 },
};

/* One exchange; libsasl2's callbacks get it as their context. */
struct sasl_server {
	const struct sasl_lib *lib;
	const struct control *control;
	const char *scope;
	const struct mech *mech;
	sasl_conn_t *conn;
	sasl_callback_t callbacks[6];
	sasl_channel_binding_t binding;
	struct buf binding_data;
	struct credential cred;		/* BY_SCRAM: what was looked up */
	struct account account;		/* the other kinds: who it is */
	enum auth verdict;		/* ours; the library's is not enough */
	unsigned heard;			/* messages from the client so far */
	struct buf tried;		/* the login name, for the log */
};

/* --- what is offered --- */

struct offer {
	bool checker, plaintext, binding, certificate;
};

static void
find_offer(const struct control *c, bool secure, const struct tls *tls,
    struct offer *o)
{
	struct buf b = { 0 };
	const char *type;

	o->checker = control_line(c, "checkpassword", &b) && b.n > 0;
	o->plaintext = secure ||
	    control_num(c, "plaintext", 0, 0, 1) == 1;
	buf_clear(&b);
	o->binding = tls != NULL && tls_binding(tls, &type, &b);
	buf_clear(&b);
	o->certificate = tls != NULL && tls_peer_name(tls, &b) && b.n > 0;
	buf_free(&b);
}

static bool
is_offered(const struct offer *o, const struct mech *m)
{
	switch (m->kind) {
	case BY_SCRAM:
		return !o->checker && (o->binding || !m->plus);
	case BY_CERTIFICATE:
		return o->certificate;
	case BY_PASSWORD:
		return o->plaintext;
	}
	return false;
}

void
sasl_mechs(const struct control *c, bool secure, const struct tls *tls,
    struct buf *list)
{
	struct offer o;
	bool first = true;

	find_offer(c, secure, tls, &o);
	for (size_t i = 0; i < COUNT(mechs); i++) {
		if (!is_offered(&o, &mechs[i]))
			continue;
		if (!first)
			buf_addc(list, ' ');
		buf_adds(list, mechs[i].name);
		first = false;
	}
}

/* --- libsasl2's questions --- */

/* Every option that would let it look elsewhere is answered; the rest are
 * at their defaults.  "lemon" is the plug-in below. */
static int
on_option(void *context, const char *plugin, const char *option,
    const char **value, unsigned *n)
{
	static const struct {
		const char *name, *value;
	} known[] = {
		{ "pwcheck_method", "auxprop" },
		{ "auxprop_plugin", "lemon" },
		{ "canon_user_plugin", "INTERNAL" },
		{ "auto_transition", "no" },
		{ "mech_list", NULL },
	};
	const struct sasl_server *s = context;

	(void)plugin;
	for (size_t i = 0; i < COUNT(known); i++) {
		if (strcmp(option, known[i].name) != 0)
			continue;
		*value = known[i].value != NULL ? known[i].value :
		    s->mech->name;
		if (n != NULL)
			*n = (unsigned)strlen(*value);
		return SASL_OK;
	}
	return SASL_FAIL;
}

static int
on_log(void *context, int level, const char *text)
{
	(void)context, (void)level, (void)text;
	return SASL_OK;
}

static void
note(struct sasl_server *s, struct span login)
{
	buf_clear(&s->tried);
	buf_add(&s->tried, span_head(login, LOGIN_BUF));
}

/* Names stay as they came; account_login is what makes them one. */
static int
on_canon(sasl_conn_t *conn, void *context, const char *in, unsigned n,
    unsigned flags, const char *realm, char *out, unsigned max,
    unsigned *nout)
{
	struct sasl_server *s = context;

	(void)conn, (void)realm;
	if ((flags & SASL_CU_AUTHID) != 0)
		note(s, (struct span){ in, n });
	if (n == 0 || n >= max || n > LOGIN_BUF)
		return SASL_BADAUTH;
	for (unsigned i = 0; i < n; i++)
		if ((unsigned char)in[i] < ' ' || in[i] == 0x7f)
			return SASL_BADAUTH;
	memmove(out, in, n);
	out[n] = '\0';
	*nout = n;
	return SASL_OK;
}

/* PLAIN and LOGIN.  When this says no the library goes on to its
 * pwcheck_method, so what counts is our own note of it. */
static int
on_password(sasl_conn_t *conn, void *context, const char *user,
    const char *pass, unsigned n, struct propctx *props)
{
	struct sasl_server *s = context;

	(void)conn, (void)props;
	account_free(&s->account);
	s->verdict = auth_password(s->control, span_str(user),
	    (struct span){ pass, n }, s->scope, &s->account);
	return s->verdict == AUTH_OK ? SASL_OK : SASL_BADAUTH;
}

static const struct account *
who(const struct sasl_server *s)
{
	return s->mech->kind == BY_SCRAM ? &s->cred.account : &s->account;
}

/* Whom somebody may be: himself, under any of his login names.
 * RFC 4616 2 */
static int
on_authorize(sasl_conn_t *conn, void *context, const char *wanted,
    unsigned nwanted, const char *authid, unsigned nauthid,
    const char *realm, unsigned nrealm, struct propctx *props)
{
	struct sasl_server *s = context;
	struct span want = { wanted, nwanted }, id = { authid, nauthid };
	struct buf a = { 0 }, b = { 0 };

	(void)conn, (void)realm, (void)nrealm, (void)props;
	account_login(s->control, want, &a);
	account_login(s->control, id, &b);
	bool good = span_eq(buf_span(&a), buf_span(&b)) ||
	    span_eq(buf_span(&a), span_str(who(s)->name));

	buf_free(&a);
	buf_free(&b);
	return good ? SASL_OK : SASL_NOAUTHZ;
}

/* --- our auxprop plug-in --- */

/* The exchange that a plug-in is asked for. */
static struct sasl_server *
exchange(const sasl_utils_t *utils)
{
	sasl_callback_ft proc;
	void *context = NULL;

	if (utils->getcallback(utils->conn, SASL_CB_SERVER_USERDB_CHECKPASS,
	    &proc, &context) != SASL_OK)
		return NULL;
	return context;
}

/* SCRAM asks for "*authPassword", once, for who wants to log in.  There is
 * an answer for everybody: see auth/credential.h. */
static int
on_lookup(void *context, sasl_server_params_t *params, unsigned flags,
    const char *user, unsigned n)
{
	const struct propval *p =
	    params->utils->prop_get(params->propctx);
	struct sasl_server *s = exchange(params->utils);
	struct buf text = { 0 };

	(void)context;
	if (s == NULL || p == NULL || (flags & SASL_AUXPROP_AUTHZID))
		return SASL_OK;
	while (p->name != NULL && strcmp(p->name, "*authPassword") != 0)
		p++;
	if (p->name == NULL)
		return SASL_OK;
	credential_free(&s->cred);
	if (credential_find(s->control, (struct span){ user, n }, s->scope,
	    &s->cred) < 0) {
		s->verdict = AUTH_TEMP;
		return SASL_FAIL;
	}
	scram_print(&s->cred.scram[s->mech->hash], &text);
	int r = params->utils->prop_set(params->propctx, p->name,
	    buf_cstr(&text), (int)text.n);

	buf_free(&text);
	return r;
}

static int
auxprop_init(const sasl_utils_t *utils, int max, int *version,
    sasl_auxprop_plug_t **plug, const char *name)
{
	static char lemon[] = "lemon";
	static sasl_auxprop_plug_t ours = {
		.auxprop_lookup = on_lookup,
		.name = lemon,
	};

	(void)utils, (void)name;
	if (max < SASL_AUXPROP_PLUG_VERSION)
		return SASL_BADVERS;
	*version = SASL_AUXPROP_PLUG_VERSION;
	*plug = &ours;
	return SASL_OK;
}

/* --- an exchange --- */

static void
set_callbacks(struct sasl_server *s)
{
	sasl_getopt_t *option = on_option;
	sasl_log_t *log = on_log;
	sasl_canon_user_t *canon = on_canon;
	sasl_server_userdb_checkpass_t *password = on_password;
	sasl_authorize_t *authorize = on_authorize;
	const struct {
		unsigned long id;
		void *proc;
	} all[] = {
		{ SASL_CB_GETOPT, &option },
		{ SASL_CB_LOG, &log },
		{ SASL_CB_CANON_USER, &canon },
		{ SASL_CB_SERVER_USERDB_CHECKPASS, &password },
		{ SASL_CB_PROXY_POLICY, &authorize },
	};

	for (size_t i = 0; i < COUNT(all); i++) {
		s->callbacks[i].id = all[i].id;
		memcpy(&s->callbacks[i].proc, all[i].proc,
		    sizeof s->callbacks[i].proc);
		s->callbacks[i].context = s;
	}
	s->callbacks[COUNT(all)].id = SASL_CB_LIST_END;
}

/* The account of a client certificate: its name is a login name without a
 * label, or else an address without a detail. */
static bool
find_certificate(struct sasl_server *s, const struct tls *tls)
{
	struct buf name = { 0 };
	struct span detail = { NULL, 0 };
	int r = 0;

	if (tls != NULL && tls_peer_name(tls, &name)) {
		note(s, buf_span(&name));
		r = account_find(s->control, buf_span(&name), &s->account);
		if (r == 0)
			r = account_of_address(s->control, buf_span(&name),
			    &s->account, &detail);
		else if (r == 1 && strcmp(s->account.label, "-") != 0)
			r = 0;
	}
	buf_free(&name);
	if (r < 0)
		s->verdict = AUTH_TEMP;
	else if (r == 1 && detail.p == NULL)
		s->verdict = AUTH_OK;
	return s->verdict == AUTH_OK;
}

/* Tell the library about the connection.  SASL_OK or its complaint. */
static int
set_properties(struct sasl_server *s, const struct offer *o, bool secure,
    const struct tls *tls)
{
	sasl_security_properties_t sec = { .maxbufsize = 0 };
	sasl_ssf_t ssf = secure ? 256 : 0;
	int r;

	sec.security_flags = SASL_SEC_NOANONYMOUS |
	    (o->plaintext ? 0 : SASL_SEC_NOPLAINTEXT);
	r = s->lib->setprop(s->conn, SASL_SEC_PROPS, &sec);
	if (r == SASL_OK)
		r = s->lib->setprop(s->conn, SASL_SSF_EXTERNAL, &ssf);
	if (r == SASL_OK && s->mech->kind == BY_CERTIFICATE)
		r = s->lib->setprop(s->conn, SASL_AUTH_EXTERNAL,
		    s->account.name);
	if (r == SASL_OK && o->binding &&
	    tls_binding(tls, &s->binding.name, &s->binding_data)) {
		s->binding.data =
		    (const unsigned char *)s->binding_data.p;
		s->binding.len = s->binding_data.n;
		r = s->lib->setprop(s->conn, SASL_CHANNEL_BINDING,
		    &s->binding);
	}
	return r;
}

/* Done as the library sees it; now as we do. */
static enum sasl_step
finish(struct sasl_server *s, struct account *a)
{
	if (s->mech->kind == BY_SCRAM) {
		if (!s->cred.real[s->mech->hash])
			return SASL_STEP_BAD;
		if (account_settle(s->control, &s->cred.account) < 0)
			return SASL_STEP_TEMP;
		*a = s->cred.account;
		memset(&s->cred.account, 0, sizeof s->cred.account);
		return SASL_STEP_DONE;
	}
	if (s->verdict != AUTH_OK)
		return SASL_STEP_BAD;
	*a = s->account;
	memset(&s->account, 0, sizeof s->account);
	return SASL_STEP_DONE;
}

static enum sasl_step
answer(struct sasl_server *s, int r, const char *out, unsigned n,
    struct buf *challenge, struct account *a)
{
	if (r == SASL_CONTINUE) {
		if (out != NULL)
			buf_add(challenge, (struct span){ out, n });
		return SASL_STEP_MORE;
	}
	if (s->verdict == AUTH_TEMP)
		return SASL_STEP_TEMP;
	return r == SASL_OK ? finish(s, a) : SASL_STEP_BAD;
}

static const struct mech *
find_mech(const struct offer *o, struct span name)
{
	for (size_t i = 0; i < COUNT(mechs); i++)
		if (span_ieq(name, span_str(mechs[i].name)))
			return is_offered(o, &mechs[i]) ? &mechs[i] : NULL;
	return NULL;
}

/* What the library lets pass: -PLUS without a binding or a binding without
 * -PLUS, and words after the server's last one.  RFC 5802 6, RFC 4422 4 */
static bool
is_in_order(struct sasl_server *s, struct span message)
{
	if (message.p == NULL || s->mech->kind != BY_SCRAM)
		return true;
	switch (++s->heard) {
	case 1:
		return span_starts(message, SPAN("p=")) == s->mech->plus;
	case 2:
		return true;
	default:
		return message.n == 0;
	}
}

static enum sasl_step
begin(struct sasl_server *s, const struct offer *o, const char *service,
    bool secure, const struct tls *tls, struct span initial,
    struct buf *challenge, struct account *a)
{
	const char *out = NULL;
	unsigned n = 0;

	s->lib = sasl_lib_load(s->mech->plugin, auxprop_init);
	if (s->lib == NULL)
		return SASL_STEP_TEMP;
	if (!is_in_order(s, initial))
		return SASL_STEP_BAD;
	if (s->mech->kind == BY_CERTIFICATE && !find_certificate(s, tls))
		return s->verdict == AUTH_TEMP ? SASL_STEP_TEMP :
		    SASL_STEP_BAD;
	set_callbacks(s);
	/* A host name given keeps it from asking the DNS for ours. */
	if (s->lib->server_new(service, "localhost", NULL, NULL, NULL,
	    s->callbacks, 0, &s->conn) != SASL_OK ||
	    set_properties(s, o, secure, tls) != SASL_OK)
		return SASL_STEP_TEMP;
	int r = s->lib->start(s->conn, s->mech->name, initial.p,
	    (unsigned)initial.n, &out, &n);

	return answer(s, r, out, n, challenge, a);
}

enum sasl_step
sasl_server_start(struct sasl_server **to, const struct control *c,
    const char *service, const char *scope, bool secure,
    const struct tls *tls, struct span mech, struct span initial,
    struct buf *challenge, struct account *a)
{
	struct offer o;

	*to = NULL;
	memset(a, 0, sizeof *a);
	find_offer(c, secure, tls, &o);
	const struct mech *m = find_mech(&o, mech);

	if (m == NULL)
		return SASL_STEP_NOMECH;
	struct sasl_server *s = *to = xcalloc(1, sizeof *s);

	s->control = c;
	s->scope = scope;
	s->mech = m;
	s->verdict = AUTH_BAD;
	if (initial.n > RESPONSE_MAX)
		return SASL_STEP_BAD;
	return begin(s, &o, service, secure, tls, initial, challenge, a);
}

enum sasl_step
sasl_server_step(struct sasl_server *s, struct span response,
    struct buf *challenge, struct account *a)
{
	const char *out = NULL;
	unsigned n = 0;

	memset(a, 0, sizeof *a);
	/* An empty response is a response. */
	if (response.n == 0)
		response.p = "";
	if (response.n > RESPONSE_MAX || !is_in_order(s, response))
		return SASL_STEP_BAD;
	int r = s->lib->step(s->conn, response.p, (unsigned)response.n, &out,
	    &n);

	return answer(s, r, out, n, challenge, a);
}

const char *
sasl_server_tried(const struct sasl_server *s, struct span *login)
{
	*login = s == NULL ? SPAN("") : buf_span(&s->tried);
	return s == NULL ? NULL : who(s)->refused;
}

void
sasl_server_free(struct sasl_server *s)
{
	if (s == NULL)
		return;
	if (s->conn != NULL)
		s->lib->dispose(&s->conn);
	buf_free(&s->binding_data);
	buf_free(&s->tried);
	credential_free(&s->cred);
	account_free(&s->account);
	free(s);
}
