/* SPDX-License-Identifier: ISC */
#include "tls/session.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include "base/die.h"
#include "tls/certificate.h"
#include "tls/provider.h"
#include "tls/ticket.h"

enum { TICKET_SECONDS = 24 * 60 * 60, BINDING_EXPORTER = 32 };

struct tls {
	SSL_CTX *ctx;
	SSL *ssl;
	BIO_METHOD *bio;
	struct tickets tickets;
	stream_op *read, *write;	/* of the layer below */
	void *read_ctx, *write_ctx;
	int64_t deadline;		/* of the read going on */
	const struct out *out;		/* whose limits hold for writing; NULL:
					   not to wait at all */
	int error;			/* errno of the layer below, or 0 */
	bool server, bad_certificate, closed, broken;
};

/* --- the layer below, as a BIO --- */

static int
bio_result(struct tls *t, BIO *b, ssize_t n)
{
	if (n < 0 && errno == EAGAIN)
		return -1;
	BIO_clear_retry_flags(b);
	if (n < 0)
		t->error = errno;
	return (int)n;
}

static int
bio_read(BIO *b, char *p, int n)
{
	struct tls *t = BIO_get_data(b);

	BIO_set_retry_read(b);
	return bio_result(t, b,
	    t->read(t->read_ctx, p, (size_t)n, t->deadline));
}

static int
bio_write(BIO *b, const char *p, int n)
{
	struct tls *t = BIO_get_data(b);
	int64_t deadline = t->out == NULL ? STREAM_NOW : out_deadline(t->out);

	BIO_set_retry_write(b);
	return bio_result(t, b,
	    t->write(t->write_ctx, (char *)(uintptr_t)p, (size_t)n, deadline));
}

static long
bio_ctrl(BIO *b, int cmd, long num, void *ptr)
{
	(void)b;
	(void)num;
	(void)ptr;
	return cmd == BIO_CTRL_FLUSH;
}

static bool
attach(struct tls *t)
{
	t->bio = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK,
	    "stream");
	if (t->bio == NULL || BIO_meth_set_read(t->bio, bio_read) != 1 ||
	    BIO_meth_set_write(t->bio, bio_write) != 1 ||
	    BIO_meth_set_ctrl(t->bio, bio_ctrl) != 1)
		return false;
	BIO *b = BIO_new(t->bio);

	if (b == NULL)
		return false;
	BIO_set_data(b, t);
	BIO_set_init(b, 1);
	SSL_set_bio(t->ssl, b, b);
	return true;
}

/* --- what the stream calls --- */

/* The stream_op's answer for a failed SSL_read, SSL_write or handshake. */
static ssize_t
failed(struct tls *t, int r)
{
	switch (SSL_get_error(t->ssl, r)) {
	case SSL_ERROR_ZERO_RETURN:
		t->closed = true;
		return 0;
	case SSL_ERROR_WANT_READ:
	case SSL_ERROR_WANT_WRITE:
		errno = EAGAIN;
		return -1;
	default:
		break;
	}
	t->broken = true;
	errno = EPROTO;
	if (t->error != 0)
		errno = t->error;
	else if (ERR_GET_REASON(ERR_peek_error()) ==
	    SSL_R_UNEXPECTED_EOF_WHILE_READING || ERR_peek_error() == 0)
		errno = ECONNRESET;
	return -1;
}

static ssize_t
tls_read(void *ctx, char *p, size_t n, int64_t deadline)
{
	struct tls *t = ctx;
	size_t got;

	if (t->closed)
		return 0;
	if (t->broken) {
		errno = EPROTO;
		return -1;
	}
	t->deadline = deadline;
	ERR_clear_error();
	int r = SSL_read_ex(t->ssl, p, n, &got);

	return r == 1 ? (ssize_t)got : failed(t, r);
}

static ssize_t
tls_write(void *ctx, char *p, size_t n, int64_t deadline)
{
	struct tls *t = ctx;
	size_t put;

	(void)deadline;		/* bio_write asks for each piece of a record */
	if (t->broken) {
		errno = EPROTO;
		return -1;
	}
	ERR_clear_error();
	int r = SSL_write_ex(t->ssl, p, n, &put);

	return r == 1 ? (ssize_t)put : failed(t, r);
}

static bool
tls_pending(void *ctx)
{
	struct tls *t = ctx;

	return SSL_pending(t->ssl) > 0;
}

/* --- contexts --- */

static const char *
reason(const char *otherwise)
{
	unsigned long e = ERR_peek_error();

	if (e != 0)
		provider_reasons();
	const char *s = e == 0 ? NULL : ERR_reason_error_string(e);

	return s == NULL ? otherwise : s;
}

static struct tls *
fail_new(struct tls *t, const char **why, const char *what)
{
	*why = reason(what);
	session_free(t);
	return NULL;
}

static struct tls *
context(const SSL_METHOD *method, unsigned keys, const char **why)
{
	struct tls *t = xcalloc(1, sizeof *t);

	provider_load(keys);
	ERR_clear_error();
	t->ctx = SSL_CTX_new(method);
	if (t->ctx == NULL ||
	    SSL_CTX_set_min_proto_version(t->ctx, TLS1_2_VERSION) != 1 ||
	    SSL_CTX_set_ciphersuites(t->ctx, CIPHERSUITES) != 1 ||
	    SSL_CTX_set_cipher_list(t->ctx, CIPHERS) != 1)
		return fail_new(t, why, "no TLS context");
	SSL_CTX_set_security_level(t->ctx, 2);
	SSL_CTX_set_options(t->ctx, SSL_OP_NO_COMPRESSION |
	    SSL_OP_NO_RENEGOTIATION | SSL_OP_CIPHER_SERVER_PREFERENCE |
	    SSL_OP_PRIORITIZE_CHACHA);
	SSL_CTX_set_mode(t->ctx, SSL_MODE_ENABLE_PARTIAL_WRITE |
	    SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER | SSL_MODE_RELEASE_BUFFERS);
	SSL_CTX_set_session_cache_mode(t->ctx, SSL_SESS_CACHE_OFF);
	return t;
}

/* A certificate that nobody vouches for is no reason to hang up: it just
 * does not count (tls_peer_name). */
static int
note_certificate(int good, X509_STORE_CTX *store)
{
	SSL *ssl = X509_STORE_CTX_get_ex_data(store,
	    SSL_get_ex_data_X509_STORE_CTX_idx());
	struct tls *t = ssl == NULL ? NULL : SSL_get_app_data(ssl);

	if (t == NULL)
		return 0;
	if (!good)
		t->bad_certificate = true;
	return 1;
}

static bool
ask_certificate(struct tls *t, const char *cafile)
{
	STACK_OF(X509_NAME) *names = SSL_load_client_CA_file(cafile);

	if (names == NULL ||
	    SSL_CTX_load_verify_file(t->ctx, cafile) != 1) {
		sk_X509_NAME_pop_free(names, X509_NAME_free);
		return false;
	}
	SSL_CTX_set_client_CA_list(t->ctx, names);
	SSL_CTX_set_verify(t->ctx, SSL_VERIFY_PEER, note_certificate);
	return true;
}

/* A resumed session would bring its certificate's verdict with it, revoked
 * authorities and all, so where certificates count there are no tickets. */
static bool
use_tickets(struct tls *t, const struct tls_server *cfg)
{
	static const unsigned char id[] = "lemon";

	if (cfg->tickets != NULL && cfg->cafile == NULL) {
		if (tickets_load(&t->tickets, cfg->tickets) < 0 &&
		    errno != ENOENT)
			return false;
	}
	SSL_CTX_set_session_id_context(t->ctx, id, sizeof id - 1);
	if (t->tickets.n == 0) {
		SSL_CTX_set_options(t->ctx, SSL_OP_NO_TICKET);
		return SSL_CTX_set_num_tickets(t->ctx, 0) == 1;
	}
	tickets_use(&t->tickets, t->ctx);
	SSL_CTX_set_timeout(t->ctx, TICKET_SECONDS);
	return SSL_CTX_set_num_tickets(t->ctx, 1) == 1;
}

static struct tls *
fail_file(struct tls *t, const struct tls_server *cfg, const char *file,
    const char **why, const char *what)
{
	if (cfg->wrong != NULL)
		*cfg->wrong = file;
	return fail_new(t, why, what);
}

static struct tls *
server(const struct tls_server *cfg, struct certificate *cert,
    const char **why)
{
	struct tls *t = context(TLS_server_method(), cfg->cafile != NULL ?
	    KEY_ALL : certificate_keys(cert), why);

	if (t == NULL)
		return NULL;
	t->server = true;
	if (!certificate_use(cert, t->ctx, why))
		return fail_file(t, cfg, cert->wrong, why, *why);
	if (cfg->cafile != NULL && !ask_certificate(t, cfg->cafile))
		return fail_file(t, cfg, cfg->cafile, why,
		    "the CA file cannot be read");
	if (!use_tickets(t, cfg))
		return fail_file(t, cfg, cfg->tickets, why,
		    "the ticket keys cannot be read");
	SSL_CTX_set_dh_auto(t->ctx, 1);
	return t;
}

struct tls *
session_server_new(const struct tls_server *cfg, const char **why)
{
	struct certificate cert;
	struct tls *t = NULL;

	provider_init();
	if (certificate_read(&cert, cfg->certfile, cfg->keyfile, why) == 0)
		t = server(cfg, &cert, why);
	else if (cfg->wrong != NULL)
		*cfg->wrong = cert.wrong;
	certificate_free(&cert);
	return t;
}

/* --- handshakes --- */

static const char *
handshake_reason(const struct tls *t)
{
	if (t->error == ETIMEDOUT)
		return "the TLS handshake timed out";
	if (t->error != 0)
		return "the connection failed in the TLS handshake";
	long v = SSL_get_verify_result(t->ssl);

	if (!t->server && v != X509_V_OK)
		return X509_verify_cert_error_string(v);
	return reason("the peer left in the TLS handshake");
}

static int
handshake(struct tls *t, struct in *in, struct out *out, const char **why)
{
	t->read = in->op;
	t->read_ctx = in->ctx;
	t->write = out->op;
	t->write_ctx = out->ctx;
	t->deadline = in->deadline;
	t->out = out;
	if (in->state != STREAM_OK || out->state != STREAM_OK ||
	    in->from < in->to || out->n > 0) {
		*why = "there was plain text before the TLS handshake";
	} else if (!attach(t)) {
		*why = "no TLS connection";
	} else {
		ERR_clear_error();
		int r = SSL_do_handshake(t->ssl);

		if (r == 1) {
			in->op = tls_read;
			in->pending = tls_pending;
			out->op = tls_write;
			in->ctx = out->ctx = t;
			return 0;
		}
		t->broken = true;
		*why = handshake_reason(t);
	}
	in->error = out->error = t->error == 0 ? EPROTO : t->error;
	in->state = out->state = t->error == ETIMEDOUT ? STREAM_TIMEOUT :
	    STREAM_ERROR;
	in_discard(in);
	out->n = 0;
	return -1;
}

int
session_accept(struct tls *t, struct in *in, struct out *out, const char **why)
{
	t->ssl = SSL_new(t->ctx);
	if (t->ssl == NULL)
		die_temp("out of memory");
	SSL_set_app_data(t->ssl, t);
	SSL_set_accept_state(t->ssl);
	return handshake(t, in, out, why);
}

/* Whom to expect, as a name or an address; names go into the hello too. */
static bool
expect(struct tls *t, const char *host, bool verify)
{
	X509_VERIFY_PARAM *p = SSL_get0_param(t->ssl);
	struct in6_addr a;
	bool address = inet_pton(AF_INET, host, &a) == 1 ||
	    inet_pton(AF_INET6, host, &a) == 1;

	if (!address && SSL_set_tlsext_host_name(t->ssl, host) != 1)
		return false;
	if (!verify) {
		SSL_set_verify(t->ssl, SSL_VERIFY_NONE, NULL);
		return true;
	}
	SSL_set_verify(t->ssl, SSL_VERIFY_PEER, NULL);
	X509_VERIFY_PARAM_set_hostflags(p, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
	return (address ? X509_VERIFY_PARAM_set1_ip_asc(p, host) :
	    X509_VERIFY_PARAM_set1_host(p, host, 0)) == 1;
}

int
session_connect(struct tls **tp, struct in *in, struct out *out,
    const char *host, const char *cafile, bool verify, const char **why)
{
	struct tls *t = *tp = context(TLS_client_method(), KEY_ALL,
	    why);

	if (t != NULL && verify && (cafile == NULL ?
	    SSL_CTX_set_default_verify_paths(t->ctx) :
	    SSL_CTX_load_verify_file(t->ctx, cafile)) != 1)
		t = *tp = fail_new(t, why, "the CA file cannot be read");
	if (t == NULL) {
		in->state = out->state = STREAM_ERROR;
		in->error = out->error = EPROTO;
		return -1;
	}
	t->ssl = SSL_new(t->ctx);
	if (t->ssl == NULL)
		die_temp("out of memory");
	SSL_set_app_data(t->ssl, t);
	SSL_set_connect_state(t->ssl);
	if (expect(t, host, verify) && handshake(t, in, out, why) == 0)
		return 0;
	if (in->state == STREAM_OK) {
		*why = "that is no host name";
		in->state = out->state = STREAM_ERROR;
		in->error = out->error = EINVAL;
	}
	session_free(t);
	*tp = NULL;
	return -1;
}

/* --- what there is to know --- */

bool
session_binding(const struct tls *t, const char **type, struct buf *data)
{
	static const char label[] = "EXPORTER-Channel-Binding";

	if (t == NULL || t->ssl == NULL || t->broken)
		return false;
	if (SSL_version(t->ssl) == TLS1_3_VERSION) {
		/* RFC 9266 2 */
		*type = "tls-exporter";
		char *p = buf_room(data, BINDING_EXPORTER);

		if (SSL_export_keying_material(t->ssl, (unsigned char *)p,
		    BINDING_EXPORTER, label, sizeof label - 1, NULL, 0, 0) != 1)
			return false;
		data->n += BINDING_EXPORTER;
		return true;
	}
	/* RFC 7627 5.4: without it two sessions could share a binding. */
	if (SSL_get_extms_support(t->ssl) != 1)
		return false;

	/* RFC 5929 3.1: the first Finished message, which is the client's
	 * unless the session is resumed. */
	bool ours = t->server == (SSL_session_reused(t->ssl) != 0);
	char *p = buf_room(data, EVP_MAX_MD_SIZE);
	size_t n = ours ? SSL_get_finished(t->ssl, p, EVP_MAX_MD_SIZE) :
	    SSL_get_peer_finished(t->ssl, p, EVP_MAX_MD_SIZE);

	*type = "tls-unique";
	if (n == 0 || n > EVP_MAX_MD_SIZE)
		return false;
	data->n += n;
	return true;
}

/* The text, unless it holds what no name holds. */
static bool
name_text(const ASN1_STRING *s, struct buf *name)
{
	unsigned char *utf8;
	int n = s == NULL ? -1 : ASN1_STRING_to_UTF8(&utf8, s);

	if (n < 0)
		return false;
	buf_clear(name);
	for (int i = 0; i < n; i++)
		if (utf8[i] <= ' ' || utf8[i] == 0x7f)
			n = 0;
	if (n > 0 && n <= 255)
		buf_add(name, (struct span){ (char *)utf8, (size_t)n });
	OPENSSL_free(utf8);
	return name->n > 0;
}

static bool
subject_entry(X509 *cert, int nid, struct buf *name)
{
	X509_NAME *subject = X509_get_subject_name(cert);
	int i = X509_NAME_get_index_by_NID(subject, nid, -1);

	/* Two of them say nothing about which one is meant. */
	return i >= 0 && X509_NAME_get_index_by_NID(subject, nid, i) < 0 &&
	    name_text(X509_NAME_ENTRY_get_data(
	    X509_NAME_get_entry(subject, i)), name);
}

static bool
alternative_email(X509 *cert, struct buf *name)
{
	GENERAL_NAMES *all = X509_get_ext_d2i(cert, NID_subject_alt_name,
	    NULL, NULL);
	const ASN1_STRING *found = NULL;
	int emails = 0;

	for (int i = 0; i < sk_GENERAL_NAME_num(all); i++) {
		const GENERAL_NAME *g = sk_GENERAL_NAME_value(all, i);

		if (g->type == GEN_EMAIL) {
			found = g->d.rfc822Name;
			emails++;
		}
	}
	bool good = emails == 1 && name_text(found, name);

	GENERAL_NAMES_free(all);
	return good;
}

bool
session_peer_name(const struct tls *t, struct buf *name)
{
	if (t == NULL || t->ssl == NULL || t->bad_certificate || t->broken ||
	    SSL_get_verify_result(t->ssl) != X509_V_OK)
		return false;
	X509 *cert = SSL_get0_peer_certificate(t->ssl);

	return cert != NULL && (alternative_email(cert, name) ||
	    subject_entry(cert, NID_pkcs9_emailAddress, name) ||
	    subject_entry(cert, NID_commonName, name));
}

const char *
session_version(const struct tls *t)
{
	return SSL_get_version(t->ssl);
}

const char *
session_cipher(const struct tls *t)
{
	return SSL_get_cipher_name(t->ssl);
}

bool
session_resumed(const struct tls *t)
{
	return SSL_session_reused(t->ssl) != 0;
}

void
session_free(struct tls *t)
{
	if (t == NULL)
		return;
	if (t->ssl != NULL && !t->broken && SSL_is_init_finished(t->ssl)) {
		t->out = NULL;
		SSL_shutdown(t->ssl);
	}
	SSL_free(t->ssl);
	SSL_CTX_free(t->ctx);
	BIO_meth_free(t->bio);
	tickets_free(&t->tickets);
	ERR_clear_error();
	free(t);
}
