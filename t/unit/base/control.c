/* SPDX-License-Identifier: ISC */
#include "base/control.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/file.h"
#include "../../t.h"

static int
exit_code(const struct control *c, const char *name)
{
	pid_t pid = fork();
	int status;

	if (pid == 0) {
		close(2);
		control_num(c, name, 1, 10, 100);
		_exit(0);
	}
	waitpid(pid, &status, 0);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static void
put(int dir, const char *name, const char *text)
{
	if (file_replace(dir, name, span_str(text), 0600) < 0)
		exit(1);
}

int
main(void)
{
	char dir[] = "/tmp/lemon-control-XXXXXX";
	struct control c;
	struct buf b = { 0 };
	uint64_t n;

	if (mkdtemp(dir) == NULL)
		return 1;
	int d = open(dir, O_RDONLY | O_DIRECTORY);

	mkdirat(d, "users", 0700);
	mkdirat(d, "users/bob", 0700);
	put(d, "greeting", "hello \t\nsecond\n");
	put(d, "users/bob/greeting", "hi bob");
	put(d, "locals", "# ours\n\nExample.ORG \nlocalhost");
	put(d, "small", "9");
	put(d, "good", "100\n");
	put(d, "large", "101");
	put(d, "word", "12x");
	put(d, "empty", "");
	setenv("LEMON_CONTROL", dir, 1);
	control_init(&c);

	is(span_str(c.dir), span_str(dir), "LEMON_CONTROL names the directory");
	control_line(&c, "greeting", &b);
	is(buf_span(&b), SPAN("hello"), "the first line, blanks cut");
	buf_clear(&b);
	c.user = "bob";
	control_line(&c, "greeting", &b);
	is(buf_span(&b), SPAN("hi bob"), "a user's file comes first");
	buf_clear(&b);
	setenv("LEMON_GREETING", "env", 1);
	control_line(&c, "greeting", &b);
	is(buf_span(&b), SPAN("env"), "the environment comes before files");
	buf_clear(&b);
	setenv("LEMON_GREETING", "", 1);
	control_line(&c, "greeting", &b);
	is(buf_span(&b), SPAN("hi bob"), "an empty variable counts as unset");
	buf_clear(&b);
	c.user = "../users/bob";
	control_line(&c, "greeting", &b);
	is(buf_span(&b), SPAN("hello"), "a user is no path");
	c.user = NULL;
	buf_clear(&b);
	ok(!control_line(&c, "nothing", &b) && b.n == 0, "set nowhere");
	setenv("LEMON_LMTP_SOCKET", "/run/x", 1);
	control_line(&c, "lmtp-socket", &b);
	is(buf_span(&b), SPAN("/run/x"), "a dash is an underscore there");
	buf_clear(&b);

	ok(control_list(&c, "locals", &b), "a list is found");
	is(buf_span(&b), SPAN("Example.ORG\nlocalhost\n"),
	    "a list has neither comments nor blank lines");
	ok(control_listed(&c, "locals", SPAN("example.org")) &&
	    !control_listed(&c, "locals", SPAN("example")) &&
	    !control_listed(&c, "locals", SPAN("# ours")) &&
	    !control_listed(&c, "locals", SPAN("")), "lines of a list");

	n = control_num(&c, "good", 1, 10, 100);
	ok(n == 100, "a number at the limit");
	ok(control_num(&c, "nothing", 7, 10, 100) == 7, "a default");
	ok(exit_code(&c, "good") == 0 && exit_code(&c, "small") == 75 &&
	    exit_code(&c, "large") == 75 && exit_code(&c, "word") == 75 &&
	    exit_code(&c, "empty") == 75, "no number in range: exit 75");
	ok(exit_code(&c, "users") == 75, "a file that cannot be read: exit 75");

	struct buf secret = { 0 };

	control_path(&c, "greeting", &secret);
	control_path(&c, "tls.pem", &b);
	ok(span_starts(buf_span(&b), span_str(dir)) &&
	    span_ends(buf_span(&b), SPAN("/tls.pem")), "a path in the directory");
	c.user = "bob";
	control_path(&c, "greeting", &b);
	ok(span_ends(buf_span(&b), SPAN("/users/bob/greeting")),
	    "the user's file if there is one");
	control_path(&c, "/run/s", &b);
	is(buf_span(&b), SPAN("/run/s"), "an absolute name stands for itself");

	c.user = NULL;
	buf_clear(&b);
	chmod(buf_cstr(&secret), 0600);
	ok(control_secret(&c, "greeting", 100, &b) == 1 &&
	    span_eq(buf_span(&b), SPAN("hello \t\nsecond\n")), "a secret is read");
	buf_clear(&b);
	ok(control_secret(&c, "greeting", 3, &b) == -1 && errno == EFBIG,
	    "not a longer one");
	chmod(buf_cstr(&secret), 0640);
	ok(control_secret(&c, "greeting", 100, &b) == -1 && errno == EPERM,
	    "nor one that others can read");
	ok(control_secret(&c, "nothing", 100, &b) == 0, "or there is none");
	ok(control_secret(&c, "users", 100, &b) == -1, "or no file");
	buf_free(&secret);

	const char *const gone[] = { "greeting", "users/bob/greeting", "locals",
		"small", "good", "large", "word", "empty" };

	for (size_t i = 0; i < COUNT(gone); i++)
		unlinkat(d, gone[i], 0);
	unlinkat(d, "users/bob", AT_REMOVEDIR);
	unlinkat(d, "users", AT_REMOVEDIR);
	ok(rmdir(dir) == 0, "no temporary file is left");
	buf_free(&b);
	return done();
}
