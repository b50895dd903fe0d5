/* SPDX-License-Identifier: ISC */
#include "auth/saslprep.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <openssl/crypto.h>

#include "auth/account.h"
#include "auth/confine.h"
#include "base/clock.h"
#include "base/file.h"
#include "text/icu.h"

/* NFKC makes at most 18 units of one; longer is refused as too long. */
enum { WIDE = PASSWORD_MAX * 4, CHILD_MS = 10 * 1000 };

/* What the text is to blame for, and what it is not. */
static enum saslprep
verdict(UErrorCode e)
{
	if (U_SUCCESS(e))
		return SASLPREP_OK;
	return e == U_MEMORY_ALLOCATION_ERROR || e == U_FILE_ACCESS_ERROR ||
	    e == U_MISSING_RESOURCE_ERROR || e == U_INTERNAL_PROGRAM_ERROR ?
	    SASLPREP_TEMP : SASLPREP_BAD;
}

static enum saslprep
wide(const struct icu *lib, struct span in, struct buf *to)
{
	UErrorCode e = U_ZERO_ERROR;
	UChar raw[WIDE], done[WIDE];
	int32_t nraw = 0, ndone = 0, n = 0;
	UStringPrepProfile *p =
	    lib->usprep_openByType(USPREP_RFC4013_SASLPREP, &e);

	if (U_FAILURE(e))
		return SASLPREP_TEMP;
	lib->u_strFromUTF8(raw, WIDE, &nraw, in.p, (int32_t)in.n, &e);
	if (U_SUCCESS(e))
		ndone = lib->usprep_prepare(p, raw, nraw, done, WIDE,
		    USPREP_ALLOW_UNASSIGNED, NULL, &e);
	if (U_SUCCESS(e) && ndone == 0)
		e = U_ILLEGAL_ARGUMENT_ERROR;
	if (U_SUCCESS(e)) {
		char *at = buf_room(to, PASSWORD_MAX + 1);

		lib->u_strToUTF8(at, PASSWORD_MAX, &n, done, ndone, &e);
		if (U_SUCCESS(e))
			to->n += (size_t)n;
	}
	lib->usprep_close(p);
	OPENSSL_cleanse(raw, sizeof raw);
	OPENSSL_cleanse(done, sizeof done);
	return verdict(e);
}

/* The verdict, an octet, and what was made. */
static void
child(struct span in, int fd)
{
	static const char *const nothing[] = { NULL };
	const struct confine walls = { .dirs = nothing };
	const char *why;
	struct buf done = { 0 };
	enum saslprep r = SASLPREP_TEMP;

	buf_addc(&done, '\0');
	if (confine_paths(&walls, &why) == 0) {
		const struct icu *lib = icu();

		if (lib != NULL)
			r = wide(lib, in, &done);
	}
	done.p[0] = (char)r;
	file_write(fd, buf_span(&done));
}

/* All that it says, in time. */
static enum saslprep
hear(int fd, int64_t deadline, struct buf *to)
{
	char said[PASSWORD_MAX + 2];
	size_t n = 0;

	for (;;) {
		struct pollfd p = { .fd = fd, .events = POLLIN };
		int64_t left = deadline - clock_ms();

		if (left <= 0 || n == sizeof said)
			break;
		if (poll(&p, 1, (int)left) <= 0)
			continue;
		ssize_t got = read(fd, said + n, sizeof said - n);

		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			break;
		n += (size_t)got;
	}
	enum saslprep r = n == 0 ? SASLPREP_TEMP :
	    said[0] == SASLPREP_OK ? SASLPREP_OK :
	    said[0] == SASLPREP_BAD ? SASLPREP_BAD : SASLPREP_TEMP;

	if (r == SASLPREP_OK)
		buf_add(to, (struct span){ said + 1, n - 1 });
	OPENSSL_cleanse(said, sizeof said);
	return r;
}

static enum saslprep
by_child(struct span in, struct buf *to)
{
	enum saslprep r = SASLPREP_TEMP;
	int fds[2];

	if (pipe2(fds, O_CLOEXEC) < 0)
		return r;
	pid_t pid = fork();

	if (pid == 0) {
		child(in, fds[1]);
		_exit(0);
	}
	close(fds[1]);
	if (pid > 0) {
		r = hear(fds[0], clock_ms() + CHILD_MS, to);
		kill(pid, SIGKILL);
		while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
			;
	}
	close(fds[0]);
	return r;
}

enum saslprep
saslprep(struct span in, struct buf *to)
{
	bool ascii = true;

	if (in.n == 0 || in.n > PASSWORD_MAX)
		return SASLPREP_BAD;
	for (size_t i = 0; i < in.n; i++) {
		unsigned char c = (unsigned char)in.p[i];

		/* RFC 4013 2.3, by way of RFC 3454 C.2.1 */
		if (c < ' ' || c == 0x7f)
			return SASLPREP_BAD;
		if (c > 0x7f)
			ascii = false;
	}
	if (ascii) {
		buf_add(to, in);
		return SASLPREP_OK;
	}
	return by_child(in, to);
}
