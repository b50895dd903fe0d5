/* SPDX-License-Identifier: ISC */
/* auth_password, against verifiers and against a program.
 * With "try LOGIN SCOPE" it checks the line on standard input against the
 * accounts of $LEMON_CONTROL and says what came of it; t/auth.bats uses
 * that. */
#include "auth/password.h"

#include <sys/stat.h>
#include <unistd.h>

#include "auth/checkpassword.h"
#include "auth/credential.h"

#include "house.h"

static const char *
word(enum auth a)
{
	static const char *const w[] = { "ok", "bad", "temp" };
	return w[a];
}

static void
verifiers(void)
{
	static const struct {
		const char *name, *login, *password, *scope;
		enum auth want;
	} row[] = {
		{ "the right password", "alice", "Secret of alice", "imap",
		  AUTH_OK },
		{ "a wrong one", "alice", "secret", "imap", AUTH_BAD },
		{ "none", "alice", "", "imap", AUTH_BAD },
		{ "a stranger", "carol", "Secret of alice", "imap",
		  AUTH_BAD },
		{ "no name", "", "Secret of alice", "imap", AUTH_BAD },
		{ "composed", "bob", "p\xc3\xa9rdu", "submit", AUTH_OK },
		{ "decomposed", "bob", "pe\xcc\x81rdu", "submit", AUTH_OK },
		{ "not UTF-8", "bob", "p\xe9rdu", "submit", AUTH_BAD },
		{ "an app password", "alice+phone", "phone secret", "imap",
		  AUTH_OK },
		{ "out of its scope", "alice+phone", "phone secret",
		  "submit", AUTH_BAD },
		{ "expired", "alice+old", "old secret", "imap", AUTH_BAD },
		{ "only a SHA-1 verifier", "sha1", "one", "imap", AUTH_OK },
		{ "and a wrong password", "sha1", "two", "imap", AUTH_BAD },
		{ "an account without a verifier", "none", "x", "imap",
		  AUTH_BAD },
	};

	for (size_t i = 0; i < COUNT(row); i++) {
		struct account a = { 0 };
		enum auth r = auth_password(&house, span_str(row[i].login),
		    span_str(row[i].password), row[i].scope, &a);

		is(span_str(word(r)), span_str(word(row[i].want)),
		    row[i].name);
		if (r == AUTH_OK)
			account_free(&a);
	}
	struct account a;

	ok(auth_password(&house, SPAN("alice"), SPAN("Secret of alice\0"),
	    "imap", &a) == AUTH_BAD, "a NUL after the password is not lost");
}

static void
unknown(void)
{
	struct credential c;

	ok(credential_find(&house, SPAN("alice"), "imap", &c) == 0 &&
	    c.real[0] && c.real[1], "a friend's verifiers are real");
	credential_free(&c);
	ok(credential_find(&house, SPAN("sha1"), "imap", &c) == 0 &&
	    c.real[SCRAM_SHA1] && !c.real[SCRAM_SHA256] &&
	    c.scram[SCRAM_SHA256].rounds == SCRAM_ROUNDS,
	    "the mechanism he has none for gets one made up");
	credential_free(&c);
	ok(credential_find(&house, SPAN("carol"), "imap", &c) == 0 &&
	    !c.real[0] && !c.real[1] &&
	    c.scram[SCRAM_SHA1].nsalt == SCRAM_SALT,
	    "a stranger's are made up");
	credential_free(&c);
}

/* --- by a program --- */

/* Write a checkpassword: sh with this text; "$@" is the command to run. */
static void
program(const char *text)
{
	struct buf b = { 0 }, path = { 0 };

	buf_addf(&path, "%s/check", house_dir);
	unlink(buf_cstr(&path));
	buf_adds(&b, "#!/bin/sh\n");
	buf_adds(&b, text);
	house_add("check", buf_span(&b));
	chmod(buf_cstr(&path), 0700);
	buf_free(&b);
	buf_free(&path);
}

/* What lemon-checkreply does, in shell, so that this test needs no other
 * program built. */
#define REPLY "printf 'lemon-checkreply 1\\0%s\\0%s\\0%s\\0%s\\0%s\\0' " \
	"\"$USER\" \"$HOME\" \"$MAILDIR\" \"$UIDGID\" \"$UIDGID\"\n"
#define LET_IN "exec 3<&-\nUSER=al HOME=/h MAILDIR= UIDGID=$TEST_ID\n" \
	"export USER HOME MAILDIR UIDGID\nexec \"$@\"\n"
#define READ "{ tr '\\0' '\\n' <&3 | { IFS=; read -r l; read -r p; " \
	"read -r t; "

static void
programs(void)
{
	static const struct {
		const char *name, *text;
		enum auth want;
	} row[] = {
		{ "it lets in", "cat <&3 >/dev/null\n" LET_IN, AUTH_OK },
		{ "1 is bad", "exit 1\n", AUTH_BAD },
		{ "2 is bad", "exit 2\n", AUTH_BAD },
		{ "100 is bad", "exit 100\n", AUTH_BAD },
		{ "111 is temporary", "exit 111\n", AUTH_TEMP },
		{ "4 is temporary", "exit 4\n", AUTH_TEMP },
		{ "a signal is temporary", "kill -9 $$\n", AUTH_TEMP },
		{ "0 without a reply is temporary", "exit 0\n", AUTH_TEMP },
		{ "a reply without 0 lets nobody in",
		  "(" LET_IN ")\nexit 1\n", AUTH_BAD },
		{ "a reply cut short is temporary",
		  "printf 'lemon-checkreply 1\\0al\\0'\n", AUTH_TEMP },
		{ "a reply of too much is temporary",
		  "dd if=/dev/zero bs=1024 count=64 2>/dev/null\n",
		  AUTH_TEMP },
		{ "a home that is no path is temporary",
		  "export USER=al HOME=h MAILDIR= UIDGID=$TEST_ID\n"
		  "exec \"$@\"\n", AUTH_TEMP },
		{ "a name that is a path is temporary",
		  "export USER=../al HOME=/h MAILDIR= UIDGID=$TEST_ID\n"
		  "exec \"$@\"\n", AUTH_TEMP },
		{ "it gets login, password and a time and then the end",
		  READ "[ \"$l\" = 'al@example.org' ] && "
		  "[ \"$p\" = ' pass word ' ] && case $t in "
		  "Y[0-9]*) ! read -r x ;; *) false ;; esac; }; } || exit 9\n"
		  LET_IN, AUTH_OK },
		{ "it has no descriptors but 0 to 3",
		  "for f in /proc/$$/fd/*; do case ${f##*/} in\n"
		  "[0-4]|10) ;; *) exit 9 ;; esac; done\n" LET_IN,
		  AUTH_OK },
		{ "it inherits nobody's name",
		  "[ -z \"$USER$AUTHENTICATED$IMAPLOGINTAG$MAILDIR\" ] || "
		  "exit 9\n" LET_IN, AUTH_OK },
		{ "but the rest, and a PATH",
		  "[ \"$SETTING\" = kept ] && [ -n \"$PATH\" ] || exit 9\n"
		  LET_IN, AUTH_OK },
		{ "its standard input is empty",
		  "! read -r x || exit 9\n" LET_IN, AUTH_OK },
		{ "one that takes too long is temporary",
		  "exec sleep 600\n", AUTH_TEMP },
		{ "so are its children", "sleep 600 & wait\n", AUTH_TEMP },
		{ "what it leaves behind does not hold us up",
		  "sleep 5 3<&- 2>/dev/null &\n" LET_IN, AUTH_OK },
	};

	struct buf id = { 0 };

	/* One that is not closed on exec, to find in the child. */
	dup2(1, 50);
	buf_addu(&id, geteuid() == 0 ? 65534 : geteuid());
	setenv("TEST_ID", buf_cstr(&id), 1);
	buf_free(&id);
	setenv("USER", "root", 1);
	setenv("AUTHENTICATED", "root", 1);
	setenv("IMAPLOGINTAG", "a", 1);
	setenv("MAILDIR", "/m", 1);
	setenv("SETTING", "kept", 1);
	for (size_t i = 0; i < COUNT(row); i++) {
		struct account a = { 0 };

		program(row[i].text);
		enum auth r = auth_password(&house, SPAN("al@example.org"),
		    SPAN(" pass word "), "imap", &a);

		is(span_str(word(r)), span_str(word(row[i].want)),
		    row[i].name);
		if (r == AUTH_OK)
			ok(strcmp(a.name, "al") == 0 &&
			    strcmp(a.label, "-") == 0 &&
			    span_eq(buf_span(&a.home), SPAN("/h")) &&
			    a.uid == (geteuid() == 0 ? 65534 : (uid_t)-1),
			    "and says who it is");
		account_free(&a);
	}
}

static void
edges(void)
{
	struct account a = { 0 };
	char big[600];

	memset(big, 'x', sizeof big);
	program("cat <&3 >/dev/null\n" LET_IN);
	ok(auth_password(&house, SPAN("al"), (struct span){ big,
	    sizeof big }, "imap", &a) == AUTH_BAD,
	    "credentials too long for the interface are bad");
	ok(auth_password(&house, SPAN("al\0bob"), SPAN("x"), "imap", &a) ==
	    AUTH_BAD && auth_password(&house, SPAN("al"), SPAN("x\0y"),
	    "imap", &a) == AUTH_BAD, "NULs cannot forge a field");
	ok(auth_password(&house, SPAN("alice+phone"), SPAN("phone secret"),
	    "imap", &a) == AUTH_OK && strcmp(a.label, "phone") == 0,
	    "app passwords stay with the verifiers");
	account_free(&a);
	ok(auth_password(&house, SPAN("alice"), SPAN("Secret of alice"),
	    "imap", &a) == AUTH_OK && strcmp(a.name, "al") == 0,
	    "the program judges everybody else");
	account_free(&a);
	if (geteuid() == 0) {
		program("export USER=al HOME=/h MAILDIR= UIDGID=0\n"
		    "exec \"$@\"\n");
		ok(auth_password(&house, SPAN("al"), SPAN("x"), "imap",
		    &a) == AUTH_TEMP, "root is never let in");
	}
	setenv("LEMON_CHECKPASSWORD", "check me", 1);
	ok(auth_password(&house, SPAN("al"), SPAN("x"), "imap", &a) ==
	    AUTH_TEMP, "a program without an absolute path is not run");
	setenv("LEMON_CHECKPASSWORD", "/nonexistent/program", 1);
	ok(auth_password(&house, SPAN("al"), SPAN("x"), "imap", &a) ==
	    AUTH_TEMP, "one that is not there is temporary");
}

/* Time would tell who has an account if a program were run for strangers
 * only. */
static void
app_passwords(void)
{
	static const char *const login[] = { "alice+phone", "alice+none",
		"carol+phone" };
	struct account a = { 0 };

	program("echo >>\"$0.ran\"\nexit 1\n");
	for (size_t i = 0; i < COUNT(login); i++) {
		struct buf text = { 0 }, path = { 0 };

		buf_addf(&path, "%s/check.ran", house_dir);
		ok(auth_password(&house, span_str(login[i]),
		    SPAN("wrong"), "imap", &a) == AUTH_BAD &&
		    file_read(AT_FDCWD, buf_cstr(&path), 4096,
		    &text) == 0 && text.n == i + 1,
		    "a wrong app password is asked about outside too");
		buf_free(&path);
		buf_free(&text);
	}
}

static int
try(const char *login, const char *scope)
{
	struct control c;
	struct account a = { 0 };
	struct buf b = { 0 };

	control_init(&c);
	if (file_read_fd(0, 4096, &b) < 0)
		return 1;
	struct span line = buf_span(&b);
	enum auth r = auth_password(&c, span_str(login),
	    span_cut(&line, '\n'), scope, &a);

	printf("%s %s %s %s %ld\n", word(r), a.name, a.label,
	    a.home.n == 0 ? "" : buf_cstr(&a.home), (long)(int)a.uid);
	account_free(&a);
	buf_free(&b);
	return 0;
}

int
main(int argc, char **argv)
{
	struct buf b = { 0 };

	if (argc == 4 && strcmp(argv[1], "try") == 0)
		return try(argv[2], argv[3]);

	house_make();
	house_user("sha1", NULL);
	house_password("sha1", "-", "", "", "one", 1u << SCRAM_SHA1);
	house_user("none", NULL);
	verifiers();
	unknown();
	buf_addf(&b, "%s/check\n", house_dir);
	house_add("checkpassword", buf_span(&b));
	house_add("checkpassword-timeout", SPAN("1\n"));
	buf_clear(&b);
	buf_addf(&b, "%s/reply", house_dir);
	house_add("reply", SPAN("#!/bin/sh\n" REPLY));
	chmod(buf_cstr(&b), 0700);
	setenv("LEMON_CHECKREPLY", buf_cstr(&b), 1);
	programs();
	app_passwords();
	edges();
	buf_free(&b);
	return done();
}
