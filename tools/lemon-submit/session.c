/* SPDX-License-Identifier: ISC */
#include <poll.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "auth/confine.h"
#include "base/clock.h"
#include "base/die.h"
#include "base/log.h"
#include "net/tls_config.h"
#include "net/trace.h"
#include "net/ucspi_tls.h"
#include "submit.h"

enum {
	DELAY_MS = 2000,
	LINGER_MS = 2000,
	LINGER_MAX = 1024 * 1024
};

/* Verb, user and address come first in every line; who tries to log in is
 * named as he names himself. */
static void
log_start(const struct submit *s, struct log *l, const char *verb)
{
	struct span user;

	sasl_server_tried(s->sasl, &user);
	if (s->mail.account.name[0] != '\0')
		user = span_str(s->mail.account.name);
	log_begin(l, verb);
	log_kv(l, "user", user.n > 0 ? user : SPAN("-"));
	log_ks(l, "rip", peer_shown(&s->peer));
}

static void
log_tls(const struct submit *s, struct log *l)
{
	log_ks(l, "tls", s->tls != NULL ? tls_version(s->tls) :
	    s->server.secure ? "outside" : "none");
}

static int
tls_failed(const struct submit *s, const char *why)
{
	struct log l;

	log_start(s, &l, "tls-failed");
	log_ks(&l, "why", why);
	log_end(&l);
	return -1;
}

static int
handshake(struct submit *s)
{
	const char *why = "no certificate";

	s->tls = tls_configure(&s->control, &why);
	if (s->tls != NULL &&
	    tls_accept(s->tls, &s->in, &s->out, &why) == 0)
		return 0;
	return tls_failed(s, why);
}

/* Before TLS, too: a client that was not let in needs none. */
static void
crowded(struct submit *s)
{
	struct log l;

	if (!s->implicit) {
		out_adds(&s->out, "421 4.7.0 Too many connections\r\n");
		out_flush(&s->out);
	}
	log_start(s, &l, "bye");
	log_ks(&l, "why", "crowd");
	log_end(&l);
	exit(EXIT_OK);
}

void
submit_open(struct submit *s)
{
	struct trace *t = trace_open(getenv("LEMON_TRACE"));
	struct smtp_server *v = &s->server;

	s->started = clock_ms();
	control_init(&s->control);
	peer_find(&s->peer);
	stream_open(&s->in, &s->out, 0, 1);
	s->in.trace = s->out.trace = t;
	inject_me(&s->control, &s->me);
	complete_begin(&s->letter);
	s->seven.fd = -1;
	*v = (struct smtp_server){ .in = &s->in, .out = &s->out,
		.host = &submit_host, .ctx = s, .name = buf_cstr(&s->me),
		.need_auth = true,
		.features = SMTP_PIPELINING | SMTP_SIZE | SMTP_8BITMIME |
		SMTP_AUTH | SMTP_ENHANCED | SMTP_DSN | SMTP_UTF8 |
		SMTP_CHUNKING | SMTP_BINARYMIME | SMTP_BURL,
		.secure = s->implicit || s->outside || s->peer.secure };
	if (!strangers_enter(&s->strangers, &s->control, s->peer.ip))
		crowded(s);
	smtp_server_limits(v, &s->control);
	v->login_ms = (int64_t)control_num(&s->control, "logintimeout", 60,
	    1, 86400) * 1000;
	if (!v->secure && (s->peer.ucspi_tls || tls_configured(&s->control)))
		v->features |= SMTP_STARTTLS;
	if (!s->implicit)
		return;
	s->in.deadline = s->out.deadline = clock_ms() + v->login_ms;
	if (handshake(s) != 0)
		exit(EXIT_TEMP);
}

static int
starttls(void *ctx, struct in *in, struct out *out)
{
	struct submit *s = ctx;
	const char *why = "unknown";

	if (!s->peer.ucspi_tls)
		return handshake(s);
	return ucspi_tls_start(in, out, &why) == 0 ? 0 : tls_failed(s, why);
}

static void
mechs(void *ctx, struct buf *list)
{
	struct submit *s = ctx;

	sasl_mechs(&s->control, s->server.secure, s->tls, list);
}

static enum sasl_step
stepped(struct submit *s, enum sasl_step step)
{
	const char *why = NULL;
	struct span user;
	struct log l;

	if (step == SASL_STEP_MORE)
		return step;
	if (step == SASL_STEP_BAD) {
		strangers_failed(&s->strangers);
		why = sasl_server_tried(s->sasl, &user);
		if (why == NULL)
			why = "credentials";
	}
	if (step == SASL_STEP_DONE) {
		strangers_leave(&s->strangers);
		s->control.user = s->mail.account.name;
		if (submit_shut_doors(s, &why) != 0) {
			s->server.over = true;
			s->server.bye = SMTP_BYE_AUTH;
			step = SASL_STEP_TEMP;
		}
	}
	log_start(s, &l, step == SASL_STEP_DONE ? "login" :
	    step == SASL_STEP_TEMP ? "auth-unavailable" : "auth-failed");
	log_ks(&l, "mech", s->mech);
	log_tls(s, &l);
	if (step == SASL_STEP_DONE)
		log_ks(&l, "confined", confine_level());
	if (why != NULL)
		log_ks(&l, "why", why);
	log_end(&l);
	/* Wrong guesses get slower, and few (smtp/server_auth.c). */
	if (step == SASL_STEP_BAD)
		poll(NULL, 0, (int)(control_num(&s->control, "auth-delay",
		    DELAY_MS, 0, 60000) << s->server.auth_failed));
	return step;
}

static enum sasl_step
auth_start(void *ctx, struct span mech, struct span initial,
    struct buf *challenge)
{
	struct submit *s = ctx;
	size_t n = mech.n < sizeof s->mech - 1 ? mech.n : sizeof s->mech - 1;
	int64_t ms = strangers_wait(&s->strangers, &s->control);

	/* Whoever guessed wrong of late waits before the next guess: after it
	 * he would not wait for the answer. */
	if (ms > 0)
		poll(NULL, 0, (int)ms);

	for (size_t i = 0; i < n; i++)
		s->mech[i] = ascii_upper(mech.p[i]);
	s->mech[n] = '\0';
	return stepped(s, sasl_server_start(&s->sasl, &s->control, "smtp",
	    "submit", s->server.secure, s->tls, mech, initial, challenge,
	    &s->mail.account));
}

static enum sasl_step
auth_step(void *ctx, struct span response, struct buf *challenge)
{
	struct submit *s = ctx;

	return stepped(s, sasl_server_step(s->sasl, response, challenge,
	    &s->mail.account));
}

static void
auth_end(void *ctx)
{
	struct submit *s = ctx;

	sasl_server_free(s->sasl);
	s->sasl = NULL;
}

static void
refused(void *ctx, struct span command, const struct smtp_reply *r)
{
	struct submit *s = ctx;
	struct log l;

	/* A line of AUTH may hold a password. */
	if (span_istarts(command, SPAN("AUTH")))
		command = SPAN("AUTH");
	if (span_istarts(command, SPAN("BURL")))
		command = span_head(command, smtp_burl_shown(command));
	log_start(s, &l, "refused");
	log_ku(&l, "code", r->code);
	log_ks(&l, "status", r->status);
	log_kv(&l, "command", command);
	log_kv(&l, "text", buf_span(&r->text));
	log_end(&l);
}

const struct smtp_host submit_host = {
	.mechs = mechs, .auth_start = auth_start, .auth_step = auth_step,
	.auth_end = auth_end, .starttls = starttls, .mail = submit_mail,
	.rcpt = submit_rcpt, .begin = submit_begin, .chunk = submit_chunk,
	.burl = submit_burl, .burl_words = submit_burl_words,
	.end = submit_end, .reset = submit_reset, .refused = refused,
};

/* A connection that is closed with octets unread is reset, and what we said
 * last is lost with it: say that we are done, and let the client see. */
static void
linger(int fd)
{
	int64_t till = clock_ms() + LINGER_MS;
	char waste[4096];
	size_t total = 0;

	if (shutdown(fd, SHUT_WR) != 0)
		return;
	while (total < LINGER_MAX && clock_ms() < till) {
		struct pollfd p = { .fd = fd, .events = POLLIN };
		ssize_t n = 0;

		if (poll(&p, 1, (int)(till - clock_ms())) > 0)
			n = read(fd, waste, sizeof waste);
		if (n <= 0)
			return;
		total += (size_t)n;
	}
}

int
submit_close(struct submit *s, enum smtp_bye bye)
{
	struct log l;

	hop_close(&s->remote);
	hop_close(&s->local);
	broker_stop(&s->broker);
	burl_free(&s->burl);
	tls_free(s->tls);
	if (bye == SMTP_BYE_BARE || bye == SMTP_BYE_JUNK ||
	    bye == SMTP_BYE_SYNC || bye == SMTP_BYE_AUTH ||
	    bye == SMTP_BYE_INJECTION)
		linger(s->out.fd);
	log_start(s, &l, "bye");
	smtp_server_log(&s->server, &l, bye, s->started);
	log_end(&l);
	strangers_leave(&s->strangers);
	trace_close(s->in.trace);
	smtp_server_free(&s->server);
	complete_free(&s->letter);
	spool_free(&s->seven);
	stream_free(&s->in, &s->out);
	mail_free(&s->mail);
	buf_free(&s->me);
	return EXIT_OK;
}
