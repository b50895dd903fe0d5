/* SPDX-License-Identifier: ISC */
#include "net/tls_config.h"

#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/file.h"
#include "net/tls_object.h"

#include "../../t.h"

int
main(void)
{
	char dir[] = "/tmp/tls_config.XXXXXX";
	struct buf path = { 0 };
	struct control c = { 0 };
	const char *why = NULL;

	if (mkdtemp(dir) == NULL || lemon_tls.shape != TLS_SHAPE)
		return 1;
	setenv("LEMON_CONTROL", dir, 1);
	unsetenv("CERTFILE");
	unsetenv("KEYFILE");
	unsetenv("CAFILE");
	control_init(&c);
	ok(!tls_configured(&c), "without tls.pem there is no TLS");
	control_path(&c, "tls.pem", &path);
	file_replace(AT_FDCWD, buf_cstr(&path), SPAN("no key\n"), 0600);
	ok(tls_configured(&c), "with it there is");
	ok(tls_configure(&c, &why) == NULL && why != NULL,
	    "but one that is none is told");
	unlink(buf_cstr(&path));
	setenv("CERTFILE", "/nonexistent/cert.pem", 1);
	ok(tls_configured(&c) && tls_configure(&c, &why) == NULL,
	    "a certificate that the environment names wrongly is told too");
	rmdir(dir);
	buf_free(&path);
	return done();
}
