/* SPDX-License-Identifier: ISC */
#include "net/tls.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include "base/clock.h"
#include "base/file.h"
#include "net/tls_object.h"
#include "../../t.h"

/* How a server's process ended. */
enum { CLOSED = 0, BROKEN = 1, HANDSHAKE = 2, TIMED_OUT = 3, REFUSED = 4,
	NO_CONTEXT = 5 };

static char dir[] = "/tmp/lemon-tls-XXXXXX";
static const char *ca, *pem, *alice, *stranger, *tickets;

static const char *
path(const char *name)
{
	struct buf b = { 0 };

	buf_addf(&b, "%s/%s", dir, name);
	return buf_cstr(&b);
}

static void
extension(X509 *cert, int nid, const char *value)
{
	X509V3_CTX ctx;

	X509V3_set_ctx(&ctx, cert, cert, NULL, NULL, 0);
	X509_EXTENSION *e = X509V3_EXT_conf_nid(NULL, &ctx, nid, value);

	X509_add_ext(cert, e, -1);
	X509_EXTENSION_free(e);
}

/* A certificate and its key in one file, signed by the issuer or itself. */
static const char *
certificate(const char *name, const char *cn, const char *alt, X509 *issuer,
    EVP_PKEY *issuer_key, X509 **made, EVP_PKEY **made_key)
{
	EVP_PKEY *key = EVP_EC_gen("P-256");
	X509 *cert = X509_new();
	X509_NAME *subject = X509_get_subject_name(cert);
	const char *to = path(name);

	X509_set_version(cert, 2);
	ASN1_INTEGER_set(X509_get_serialNumber(cert), issuer == NULL ? 1 : 2);
	X509_gmtime_adj(X509_getm_notBefore(cert), -60);
	X509_gmtime_adj(X509_getm_notAfter(cert), 3600);
	X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_UTF8,
	    (const unsigned char *)cn, -1, -1, 0);
	X509_set_issuer_name(cert, issuer == NULL ? subject :
	    X509_get_subject_name(issuer));
	X509_set_pubkey(cert, key);
	extension(cert, NID_basic_constraints,
	    issuer == NULL ? "critical,CA:TRUE" : "CA:FALSE");
	if (alt != NULL)
		extension(cert, NID_subject_alt_name, alt);
	X509_sign(cert, issuer_key == NULL ? key : issuer_key, EVP_sha256());

	FILE *f = fopen(to, "w");

	PEM_write_X509(f, cert);
	PEM_write_PrivateKey(f, key, NULL, NULL, 0, NULL, NULL);
	fclose(f);
	*made = cert;
	*made_key = key;
	return to;
}

static void
certificates(void)
{
	X509 *root, *cert, *other;
	EVP_PKEY *root_key, *key, *other_key;

	ca = certificate("ca.pem", "Test CA", NULL, NULL, NULL, &root,
	    &root_key);
	pem = certificate("tls.pem", "localhost",
	    "DNS:localhost,IP:127.0.0.1", root, root_key, &cert, &key);
	X509_free(cert);
	EVP_PKEY_free(key);
	alice = certificate("alice.pem", "Alice",
	    "email:alice@example.org", root, root_key, &cert, &key);
	X509_free(cert);
	EVP_PKEY_free(key);
	stranger = certificate("stranger.pem", "alice", NULL, NULL, NULL,
	    &other, &other_key);
	X509_free(other);
	EVP_PKEY_free(other_key);
	X509_free(root);
	EVP_PKEY_free(root_key);
	tickets = path("tickets");
}

/* Say who it is and what was agreed, then send back each line. */
static int
converse(struct tls *t, struct in *in, struct out *out)
{
	struct buf b = { 0 }, name = { 0 };
	const char *type = "none";
	enum line r;

	tls_binding(t, &type, &b);
	tls_peer_name(t, &name);
	out_addf(out, "%s %s ", tls_version(t), type);
	buf_addhex(&name, b.p, b.n);
	out_add(out, span_skip(buf_span(&name), name.n - 2 * b.n));
	out_addf(out, " %s %.*s\r\n", tls_resumed(t) ? "resumed" : "full",
	    (int)(name.n - 2 * b.n), name.p);
	do {
		buf_clear(&b);
		r = in_line(in, &b, 100000);
		if (r != LINE_OK)
			break;
		out_add(out, buf_span(&b));
		out_adds(out, "\r\n");
	} while (r == LINE_OK);
	/* The end must stay the end, whatever comes in plain text. */
	if (in_some(in, 100).n > 0)
		return REFUSED;
	return in->state == STREAM_EOF ? CLOSED : BROKEN;
}

static int
serve(int fd, const char *cafile)
{
	struct tls_server cfg = { .certfile = pem, .cafile = cafile,
		.tickets = tickets };
	const char *why = "";
	struct in in;
	struct out out;
	struct tls *t = tls_server_new(&cfg, &why);

	if (t == NULL)
		return NO_CONTEXT;
	stream_open(&in, &out, fd, fd);
	in.deadline = clock_ms() + 300;
	if (tls_accept(t, &in, &out, &why) < 0) {
		int r = in.state == STREAM_TIMEOUT ? TIMED_OUT : HANDSHAKE;

		if (in_some(&in, 1).n > 0)
			r = REFUSED;
		tls_free(t);
		return r;
	}
	in.deadline = clock_ms() + 10000;
	int r = converse(t, &in, &out);

	tls_free(t);
	stream_free(&in, &out);
	return r;
}

/* A server in a process of its own; its end of the line. */
static int
server(pid_t *pid, const char *cafile)
{
	int s[2];

	if (socketpair(AF_UNIX, SOCK_STREAM, 0, s) < 0)
		exit(1);
	*pid = fork();
	if (*pid == 0) {
		close(s[0]);
		_exit(serve(s[1], cafile));
	}
	close(s[1]);
	return s[0];
}

static int
ended(pid_t pid)
{
	int status;

	waitpid(pid, &status, 0);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static void
both_ends_are_ours(void)
{
	static char big[70000];
	struct in in;
	struct out out;
	struct tls *t;
	struct buf b = { 0 }, mine = { 0 };
	const char *why = "", *type = "";
	pid_t pid;
	int fd = server(&pid, NULL);

	memset(big, 'x', sizeof big);
	stream_open(&in, &out, fd, fd);
	in.deadline = clock_ms() + 10000;
	ok(tls_connect(&t, &in, &out, "localhost", ca, true, &why) == 0,
	    "a handshake between two processes");
	in_line(&in, &b, 1000);
	tls_binding(t, &type, &mine);
	struct buf want = { 0 };

	buf_adds(&want, "TLSv1.3 tls-exporter ");
	buf_addhex(&want, mine.p, mine.n);
	buf_adds(&want, " full ");
	is(buf_span(&b), buf_span(&want), "both have the same binding");
	ok(mine.n == 32 && strcmp(type, "tls-exporter") == 0, "of 32 octets");
	for (int i = 0; i < 3; i++) {
		out_add(&out, (struct span){ big, sizeof big });
		out_adds(&out, "\r\n");
	}
	bool same = true;

	for (int i = 0; i < 3; i++) {
		buf_clear(&b);
		same = same && in_line(&in, &b, sizeof big) == LINE_OK &&
		    b.n == sizeof big;
	}
	ok(same, "long lines go there and back");
	ok(in_wait(&in, NULL, 0, 20) == 0, "waiting ends when nothing comes");
	out_adds(&out, "a\r\nb\r\n");
	ok(in_wait(&in, NULL, 0, 5000) == 1, "an answer ends it");
	buf_clear(&b);
	in_line(&in, &b, 9);
	in_line(&in, &b, 9);
	is(buf_span(&b), SPAN("ab"), "and is there");
	tls_free(t);
	ok(ended(pid) == CLOSED, "a close_notify is a clean end");
	close(fd);
	buf_free(&b);
	buf_free(&mine);
	buf_free(&want);
	stream_free(&in, &out);
}

static void
wrong_host(const char *host, const char *cafile, bool verify, bool good,
    const char *name)
{
	struct in in;
	struct out out;
	struct tls *t;
	const char *why = "";
	pid_t pid;
	int fd = server(&pid, NULL);

	stream_open(&in, &out, fd, fd);
	in.deadline = clock_ms() + 10000;
	int r = tls_connect(&t, &in, &out, host, cafile, verify, &why);

	ok((r == 0) == good && (r == 0) == (t != NULL), name);
	if (!good)
		ok(*why != '\0' && in.state == STREAM_ERROR,
		    "with a reason, and the stream is dead");
	tls_free(t);
	close(fd);
	ended(pid);
	stream_free(&in, &out);
}

/* --- another implementation's client: OpenSSL used plainly --- */

struct client {
	SSL_CTX *ctx;
	SSL *ssl;
	SSL_SESSION *session;
	int fd;
	pid_t pid;
	char line[512];
};

static int
keep_session(SSL *ssl, SSL_SESSION *s)
{
	struct client *c = SSL_get_app_data(ssl);

	SSL_SESSION_free(c->session);
	c->session = s;
	return 1;
}

static bool
client(struct client *c, int version, const char *cert, const char *cafile)
{
	c->fd = server(&c->pid, cafile);
	c->ctx = SSL_CTX_new(TLS_client_method());
	c->line[0] = '\0';
	SSL_CTX_set_security_level(c->ctx, 0);
	SSL_CTX_set_min_proto_version(c->ctx, version);
	SSL_CTX_set_max_proto_version(c->ctx, version);
	SSL_CTX_set_session_cache_mode(c->ctx, SSL_SESS_CACHE_CLIENT |
	    SSL_SESS_CACHE_NO_INTERNAL);
	SSL_CTX_sess_set_new_cb(c->ctx, keep_session);
	if (cert != NULL) {
		SSL_CTX_use_certificate_file(c->ctx, cert, SSL_FILETYPE_PEM);
		SSL_CTX_use_PrivateKey_file(c->ctx, cert, SSL_FILETYPE_PEM);
	}
	c->ssl = SSL_new(c->ctx);
	SSL_set_app_data(c->ssl, c);
	SSL_set_fd(c->ssl, c->fd);
	if (c->session != NULL)
		SSL_set_session(c->ssl, c->session);
	if (SSL_connect(c->ssl) != 1)
		return false;
	int n = SSL_read(c->ssl, c->line, sizeof c->line - 1);

	c->line[n < 2 ? 0 : n - 2] = '\0';
	/* TLS 1.2 does not call back for a ticket that was renewed. */
	if (version == TLS1_2_VERSION)
		keep_session(c->ssl, SSL_get1_session(c->ssl));
	return n > 2;
}

static int
client_end(struct client *c)
{
	/* Else OpenSSL would call the session bad.  This sends nothing. */
	SSL_set_shutdown(c->ssl, SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN);
	SSL_free(c->ssl);
	SSL_CTX_free(c->ctx);
	close(c->fd);
	return ended(c->pid);
}

static void
older_version(void)
{
	struct client c = { 0 };
	char mine[EVP_MAX_MD_SIZE];
	struct buf want = { 0 };

	ok(client(&c, TLS1_2_VERSION, NULL, NULL), "TLS 1.2 is fine");
	size_t n = SSL_get_finished(c.ssl, mine, sizeof mine);

	buf_adds(&want, "TLSv1.2 tls-unique ");
	buf_addhex(&want, mine, n);
	buf_adds(&want, " full ");
	is(span_str(c.line), buf_span(&want), "with tls-unique");
	ok(client_end(&c) == BROKEN, "a torn connection is no clean end");
	SSL_SESSION_free(c.session);
	c = (struct client){ 0 };
	ok(!client(&c, TLS1_1_VERSION, NULL, NULL), "TLS 1.1 is refused");
	ok(client_end(&c) == HANDSHAKE, "in the handshake");
	buf_free(&want);
}

static void
new_keys(const char *const *line)
{
	struct buf b = { 0 };

	for (; *line != NULL; line++) {
		for (int i = 0; i < 160; i++)
			buf_addc(&b, (*line)[0]);
		buf_addc(&b, '\n');
	}
	file_replace(AT_FDCWD, tickets, buf_span(&b), 0600);
	buf_free(&b);
}

static void
resumption(int version, const char *name)
{
	struct client c = { 0 };
	bool good;

	new_keys((const char *const[]){ "a", NULL });
	good = client(&c, version, NULL, NULL) && strstr(c.line, " full");
	client_end(&c);
	good = good && client(&c, version, NULL, NULL) &&
	    strstr(c.line, " resumed") != NULL;
	if (good && version == TLS1_2_VERSION) {
		char his[EVP_MAX_MD_SIZE];
		struct buf hex = { 0 };

		buf_addhex(&hex, his,
		    SSL_get_peer_finished(c.ssl, his, sizeof his));
		good = strstr(c.line, buf_cstr(&hex)) != NULL;
		buf_free(&hex);
	}
	client_end(&c);
	ok(good, name);
	new_keys((const char *const[]){ "b", "a", NULL });
	good = client(&c, version, NULL, NULL) && strstr(c.line, " resumed");
	client_end(&c);
	ok(good, "a ticket of the previous key counts");
	new_keys((const char *const[]){ "c", "b", NULL });
	good = client(&c, version, NULL, NULL) && strstr(c.line, " resumed");
	client_end(&c);
	ok(good, "and was renewed with the new one");
	new_keys((const char *const[]){ "d", NULL });
	good = client(&c, version, NULL, NULL) && strstr(c.line, " full");
	client_end(&c);
	ok(good, "a ticket of a forgotten key does not");
	SSL_SESSION_free(c.session);
	unlink(tickets);
}

static void
client_certificates(void)
{
	static const struct {
		const char *cert, *want, *name;
	} who[] = {
		{ "alice", "full alice@example.org", "its e-mail address" },
		{ "stranger", "full ", "none from a stranger's certificate" },
		{ NULL, "full ", "none without one" },
	};

	for (size_t i = 0; i < COUNT(who); i++) {
		struct client c = { 0 };
		const char *cert = who[i].cert == NULL ? NULL :
		    *who[i].cert == 'a' ? alice : stranger;
		bool good = client(&c, TLS1_3_VERSION, cert, ca);
		char *last = strstr(c.line, "full");

		is(good && last != NULL ? span_str(last) : SPAN("failed"),
		    span_str(who[i].want), who[i].name);
		client_end(&c);
		SSL_SESSION_free(c.session);
	}
	struct client c = { 0 };

	client(&c, TLS1_3_VERSION, alice, NULL);
	ok(strstr(c.line, "alice") == NULL, "nobody asked, nobody is told");
	client_end(&c);
	SSL_SESSION_free(c.session);
}

static void
hostile(void)
{
	struct client c = { 0 };
	pid_t pid;
	int fd = server(&pid, NULL);

	ok(ended(pid) == TIMED_OUT, "a silent client runs into the deadline");
	close(fd);
	fd = server(&pid, NULL);
	ok(write(fd, "\x16\x03\x01\x02", 4) == 4 && ended(pid) == TIMED_OUT,
	    "and so does one that stops in its hello");
	close(fd);
	fd = server(&pid, NULL);
	ok(write(fd, "a LOGIN alice secret\r\n", 22) == 22 &&
	    ended(pid) == HANDSHAKE, "plain text is no handshake");
	close(fd);

	client(&c, TLS1_3_VERSION, NULL, NULL);
	kill(c.pid, SIGSTOP);
	SSL_shutdown(c.ssl);
	ssize_t n = write(c.fd, "INJECTED\r\n", 10);

	kill(c.pid, SIGCONT);
	ok(n == 10 && ended(c.pid) == CLOSED,
	    "nothing after close_notify is read");
	SSL_free(c.ssl);
	SSL_CTX_free(c.ctx);
	SSL_SESSION_free(c.session);
	close(c.fd);

	struct tls_server cfg = { .certfile = pem };
	const char *why = "";
	struct tls *t = tls_server_new(&cfg, &why);
	struct in in;
	struct out out;
	struct buf b = { 0 };
	int s[2];

	if (socketpair(AF_UNIX, SOCK_STREAM, 0, s) < 0 ||
	    write(s[1], "STARTTLS\r\nEVIL\r\n", 16) != 16)
		exit(1);
	stream_open(&in, &out, s[0], s[0]);
	in_line(&in, &b, 100);
	ok(tls_accept(t, &in, &out, &why) < 0 && in_some(&in, 9).n == 0,
	    "text pipelined before the handshake is never used");
	tls_free(t);
	buf_free(&b);
	stream_free(&in, &out);
	cfg.certfile = "/nonexistent.pem";
	ok(tls_server_new(&cfg, &why) == NULL && *why != '\0',
	    "no certificate: a reason");
	cfg = (struct tls_server){ .certfile = pem, .tickets = pem };
	ok(tls_server_new(&cfg, &why) == NULL &&
	    strcmp(why, "the ticket keys cannot be read") == 0,
	    "bad ticket keys: a reason");
}

int
main(void)
{
	signal(SIGPIPE, SIG_IGN);
	if (mkdtemp(dir) == NULL)
		return 1;
	const char *why = "";

	/* That it is opened where it lies, t/cost.bats and others see. */
	ok(lemon_tls.shape == TLS_SHAPE && tls_ready(&why) && why == NULL,
	    "the object is of the same build");
	certificates();
	both_ends_are_ours();
	wrong_host("127.0.0.1", ca, true, true, "the address is in it");
	wrong_host("example.org", ca, true, false, "the name is not in it");
	wrong_host("localhost", alice, true, false, "nobody vouches for it");
	wrong_host("example.org", NULL, false, true, "nobody cares");
	older_version();
	resumption(TLS1_3_VERSION, "another process resumes a session");
	resumption(TLS1_2_VERSION, "with TLS 1.2 too, binding included");
	client_certificates();
	hostile();
	unlink(ca);
	unlink(pem);
	unlink(alice);
	unlink(stranger);
	ok(rmdir(dir) == 0, "nothing is left");
	return done();
}
