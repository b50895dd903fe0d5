/* SPDX-License-Identifier: ISC */
#include "net/tls_config.h"

#include <stdlib.h>
#include <unistd.h>

#include "base/log.h"

/* The path of one of the files.  Whether it is there; one that is there and
 * cannot be read is the administrator's mistake. */
static bool
find(const struct control *c, const char *variable, const char *name,
    struct buf *path)
{
	const char *value = variable ? getenv(variable) : NULL;

	if (value != NULL && *value != '\0') {
		buf_adds(path, value);
		control_readable(value);
		return true;	/* a wrong one is told, not passed over */
	}
	control_path(c, name, path);
	return control_readable(buf_cstr(path));
}

bool
tls_configured(const struct control *c)
{
	struct buf path = { 0 };
	bool good = find(c, "CERTFILE", "tls.pem", &path);

	buf_free(&path);
	return good;
}

struct tls *
tls_configure(const struct control *c, const char **why)
{
	struct buf cert = { 0 }, tickets = { 0 }, ca = { 0 };
	const char *wrong = NULL;
	struct tls_server cfg = { .wrong = &wrong, .keyfile = getenv("KEYFILE") };

	find(c, "CERTFILE", "tls.pem", &cert);
	cfg.certfile = buf_cstr(&cert);
	if (cfg.keyfile != NULL && *cfg.keyfile == '\0')
		cfg.keyfile = NULL;
	if (find(c, NULL, "tickets", &tickets))
		cfg.tickets = buf_cstr(&tickets);
	if (find(c, "CAFILE", "client-ca.pem", &ca))
		cfg.cafile = buf_cstr(&ca);
	if (cfg.keyfile != NULL)
		control_readable(cfg.keyfile);
	*why = "there is no tls.pem, or CERTFILE, that can be read";
	struct tls *t = control_readable(cfg.certfile) ?
	    tls_server_new(&cfg, why) : NULL;

	/* OpenSSL's reason does not say which file it speaks of. */
	if (t == NULL)
		log_warn("tls: cannot use %s: %s",
		    wrong != NULL ? wrong : cfg.certfile, *why);
	buf_free(&cert);
	buf_free(&tickets);
	buf_free(&ca);
	return t;
}
