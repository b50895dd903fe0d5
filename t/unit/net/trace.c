/* SPDX-License-Identifier: ISC */
#include "net/trace.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/die.h"
#include "base/file.h"
#include "net/stream.h"
#include "../../t.h"

/* The transcript without the process ids, and the file gone. */
static void
transcript(const char *dir, struct buf *b)
{
	DIR *d = opendir(dir);
	struct dirent *e;
	struct buf raw = { 0 };
	struct stat st;

	while (d != NULL && (e = readdir(d)) != NULL) {
		if (e->d_name[0] == '.')
			continue;
		ok(strncmp(e->d_name, "lemon-t.", 8) == 0,
		    "the file is named after the program");
		ok(fstatat(dirfd(d), e->d_name, &st, 0) == 0 &&
		    (st.st_mode & 0777) == 0600, "and private");
		file_read(dirfd(d), e->d_name, 100000, &raw);
		unlinkat(dirfd(d), e->d_name, 0);
	}
	closedir(d);
	for (struct span s = buf_span(&raw); s.n > 0; ) {
		struct span l = span_cut(&s, '\n');

		buf_add(b, span_skip(l, span_chr(l, ' ') + 1));
		buf_addc(b, '\n');
	}
	buf_free(&raw);
}

int
main(void)
{
	char dir[] = "/tmp/lemon-trace-XXXXXX";
	static const char sent[] = "a LOGIN alice secret\r\n"
	    "b AUTHENTICATE PLAIN\r\nAGFsaWNlAHNlY3JldA==\r\n"
	    "c APPEND x {5}\r\nhello\r\nDATA\r\nFrom: x\r\n.\r\n"
	    "BURL x:internal:01 LAST\r\nQUIT\r\nhalf";
	struct in in;
	struct out out;
	struct buf b = { 0 };
	char t[8];
	int p[2], null = open("/dev/null", O_WRONLY);

	die_name("lemon-t");
	ok(trace_open(NULL) == NULL && trace_open("") == NULL, "off");
	if (mkdtemp(dir) == NULL || pipe(p) < 0 ||
	    write(p[1], sent, sizeof sent - 1) < 0)
		return 1;
	close(p[1]);
	stream_open(&in, &out, p[0], null);
	in.trace = out.trace = trace_open(dir);

	out_adds(&out, "* OK ");
	out_adds(&out, "hi\r\n");
	in_line(&in, &b, 100);
	trace_redact(in.trace, 14);
	out_adds(&out, "a OK\r\n");
	in_line(&in, &b, 100);
	out_adds(&out, "+ \r\n");
	in_line(&in, &b, 100);
	trace_redact(in.trace, 0);
	in_line(&in, &b, 100);
	in_exact(&in, t, 5);
	in_line(&in, &b, 100);
	out_adds(&out, "* 1 FETCH (BODY[] {9}\r\nsecret\r\nx");
	out_adds(&out, " {3}\r\nabc\x1b)\r\n");
	in_line(&in, &b, 100);
	trace_quiet(in.trace, true);
	in_line(&in, &b, 100);
	in_line(&in, &b, 100);
	trace_quiet(in.trace, false);
	in_line(&in, &b, 100);
	out_adds(&out, "* URLFETCH x:internal:01aF NIL y:INTERNAL:02\r\n");
	in_line(&in, &b, 100);
	in_line(&in, &b, 100);
	trace_close(in.trace);
	trace_close(NULL);
	trace_redact(NULL, 0);

	buf_clear(&b);
	transcript(dir, &b);
	is(buf_span(&b), SPAN(
	    "> * OK hi\n"
	    "< a LOGIN alice [redacted]\n"
	    "> a OK\n"
	    "< b AUTHENTICATE PLAIN\n"
	    "> + \n"
	    "< [redacted]\n"
	    "< c APPEND x {5}\n"
	    "< [5 octets]\n"
	    "< \n"
	    "> * 1 FETCH (BODY[] {9}\n"
	    ">  {3}\n"
	    "> \\x1b)\n"
	    "< DATA\n"
	    "< [12 octets]\n"
	    "< BURL x:internal:[redacted] LAST\n"
	    "> * URLFETCH x:internal:[redacted] NIL y:INTERNAL:[redacted]\n"
	    "< QUIT\n"
	    "< half\n"), "the transcript");
	ok(rmdir(dir) == 0, "one file only");
	buf_free(&b);
	stream_free(&in, &out);
	return done();
}
