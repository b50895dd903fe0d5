/* SPDX-License-Identifier: ISC */
#include "base/log.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/stat.h>
#include <syslog.h>
#include <unistd.h>

#include "base/die.h"

enum { LINE_MAX_OCTETS = 1000, VALUE_MAX = 512 };

/* U+2028 to U+202E and U+2066 to U+2069 break a line or turn its letters
 * about, wherever it is shown. */
static bool
turns(const unsigned char *u)
{
	return u[0] == 0xe2 &&
	    ((u[1] == 0x80 && u[2] >= 0xa8 && u[2] <= 0xae) ||
	    (u[1] == 0x81 && u[2] >= 0xa6 && u[2] <= 0xa9));
}

/* The length of the UTF-8 character at the start of s, or 0 if there is
 * none that may be shown: bad, overlong, a surrogate, a C1 control. */
static size_t
utf8_char(struct span s)
{
	const unsigned char *u = (const unsigned char *)s.p;
	size_t n = u[0] < 0xc2 ? 0 : u[0] < 0xe0 ? 2 : u[0] < 0xf0 ? 3 :
	    u[0] < 0xf5 ? 4 : 0;

	if (n == 0 || s.n < n)
		return 0;
	for (size_t i = 1; i < n; i++)
		if ((u[i] & 0xc0) != 0x80)
			return 0;
	if ((u[0] == 0xe0 && u[1] < 0xa0) || (u[0] == 0xed && u[1] > 0x9f) ||
	    (u[0] == 0xf0 && u[1] < 0x90) || (u[0] == 0xf4 && u[1] > 0x8f) ||
	    (u[0] == 0xc2 && u[1] < 0xa0) || turns(u))
		return 0;
	return n;
}

/* Add text so that it stays one field (or, with spaces, one line), and at
 * most max octets of it, never half a character or half an escape. */
static void
add_escaped(struct buf *to, struct span s, size_t max, bool spaces)
{
	size_t end = to->n + max;

	if (end > LINE_MAX_OCTETS - 1)
		end = LINE_MAX_OCTETS - 1;
	while (s.n > 0) {
		unsigned char c = (unsigned char)s.p[0];
		bool plain = c > ' ' && c < 0x7f && c != '"' && c != '\\';
		size_t n = 1;

		if (spaces && (c == ' ' || c == '"'))
			plain = true;
		if (c >= 0x80 && (n = utf8_char(s)) > 0)
			plain = true;
		if (n == 0)
			n = 1;
		if (to->n + (plain ? n : 4) > end)
			return;
		if (plain) {
			buf_add(to, span_head(s, n));
		} else {
			buf_adds(to, "\\x");
			buf_addhex(to, s.p, 1);
		}
		s = span_skip(s, n);
	}
}

void
log_text(struct buf *to, struct span s, size_t max)
{
	add_escaped(to, s, max, true);
}

static void
begin(struct buf *line)
{
	*line = (struct buf){ 0 };
	add_escaped(line, span_str(program_name()), 64, false);
	buf_addc(line, '[');
	buf_addu(line, (uint64_t)getpid());
	buf_adds(line, "]: ");
}

static bool
is_connection(int fd)
{
	struct stat a, b;

	return fstat(fd, &a) == 0 && S_ISSOCK(a.st_mode) &&
	    fstat(STDIN_FILENO, &b) == 0 && a.st_dev == b.st_dev &&
	    a.st_ino == b.st_ino;
}

void
log_line(struct span line)
{
	int saved = errno;

	if (is_connection(STDERR_FILENO))
		syslog(LOG_MAIL | LOG_INFO, "%.*s", (int)line.n - 1, line.p);
	else
		while (write(STDERR_FILENO, line.p, line.n) < 0 &&
		    errno == EINTR)
			;
	errno = saved;
}

static void
end(struct buf *line)
{
	buf_addc(line, '\n');
	log_line(buf_span(line));
	buf_free(line);
}

void
log_begin(struct log *l, const char *verb)
{
	begin(&l->line);
	add_escaped(&l->line, span_str(verb), VALUE_MAX, true);
}

void
log_kv(struct log *l, const char *key, struct span value)
{
	/* A field whose name does not fit is left out, not cut. */
	if (l->line.n + span_str(key).n + 2 > LINE_MAX_OCTETS - 1)
		return;
	buf_addc(&l->line, ' ');
	buf_adds(&l->line, key);
	buf_addc(&l->line, '=');
	add_escaped(&l->line, value, VALUE_MAX, false);
}

void
log_ks(struct log *l, const char *key, const char *value)
{
	log_kv(l, key, span_str(value));
}

void
log_ku(struct log *l, const char *key, uint64_t value)
{
	struct buf b = { 0 };

	buf_addu(&b, value);
	log_kv(l, key, buf_span(&b));
	buf_free(&b);
}

void
log_end(struct log *l)
{
	end(&l->line);
}

void
log_warn(const char *fmt, ...)
{
	int saved = errno;
	struct buf text = { 0 };
	struct buf line;
	va_list ap;

	va_start(ap, fmt);
	int n = vsnprintf(NULL, 0, fmt, ap);
	va_end(ap);
	if (n > 0) {
		va_start(ap, fmt);
		vsnprintf(buf_room(&text, (size_t)n + 1), (size_t)n + 1, fmt,
		    ap);
		va_end(ap);
		text.n = (size_t)n;
	}
	begin(&line);
	buf_adds(&line, "warning: ");
	add_escaped(&line, buf_span(&text), LINE_MAX_OCTETS, true);
	end(&line);
	buf_free(&text);
	errno = saved;
}
