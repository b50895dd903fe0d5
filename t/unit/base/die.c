/* SPDX-License-Identifier: ISC */
#include "base/die.h"

#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../../t.h"

/* Run a child that dies that way; its exit code, and its words in text. */
static int
child(int way, char *text, size_t size)
{
	int fd[2], status;
	ssize_t n;

	if (pipe(fd) < 0)
		return -1;
	fflush(stdout);

	pid_t pid = fork();

	if (pid == 0) {
		dup2(fd[1], 2);
		die_name("/usr/local/bin/lemon-test");
		switch (way) {
		case 0: die_temp("no %s", "luck");
		case 1: die_refused("5.1.1 who?");
		case 2: die_forbidden("no");
		case 3: die_usage("-x?");
		default: xrealloc(NULL, (size_t)-1 / 2);
		}
	}
	close(fd[1]);
	text[0] = '\0';
	for (size_t at = 0; (n = read(fd[0], text + at, size - 1 - at)) > 0;) {
		at += (size_t)n;
		text[at] = '\0';
	}
	close(fd[0]);
	waitpid(pid, &status, 0);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

int
main(void)
{
	static const struct {
		int code;
		const char *text;
	} row[] = {
		{ 75, "lemon-test: no luck\n" },
		{ 65, "lemon-test: 5.1.1 who?\n" },
		{ 77, "lemon-test: no\n" },
		{ 64, "lemon-test: -x?\n" },
		{ 75, "lemon-test: out of memory\n" },
	};

	for (int i = 0; i < (int)COUNT(row); i++) {
		char text[16384];
		int code = child(i, text, sizeof text);

		/* A sanitizer may have its word first. */
		ok(code == row[i].code && span_ends(span_str(text),
		    span_str(row[i].text)), row[i].text);
	}
	return done();
}
